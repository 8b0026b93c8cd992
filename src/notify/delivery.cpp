#include "notify/delivery.h"

#include <algorithm>
#include <chrono>

namespace weir::notify {
namespace {

using namespace std::chrono_literals;
constexpr core::Duration kFirstWait = 1s;
constexpr core::Duration kLongestWait = 5min;
constexpr core::Duration kGiveUpAfter = 24h;
constexpr std::size_t kBatch = 100;

core::Duration wait_before_retry(int attempts, double random) {
  const int doublings = std::clamp(attempts - 1, 0, 16);
  const core::Duration full = std::min<core::Duration>(kLongestWait, kFirstWait * (1 << doublings));
  return full / 2 + core::Duration(static_cast<std::int64_t>(static_cast<double>(full.count()) / 2 * random));
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::delivered: return "delivered";
    case Outcome::retried: return "retried";
    case Outcome::dead: return "dead";
  }
  return "dead";
}

Decision decide(const core::OutboxMessage& message, int attempts, const core::Result<Receipt>& result, core::Time now,
                double random) {
  if (result && result->error.empty()) return {Outcome::delivered, now, {}};
  const std::string error = result ? result->error : result.error().describe();
  const bool permanent = result ? result->permanent : result.error().kind == core::ErrorKind::invalid;
  if (permanent) return {Outcome::dead, now, error};
  if (now - message.created_at >= kGiveUpAfter) return {Outcome::dead, now, "given up after 24 h: " + error};
  core::Duration wait = wait_before_retry(attempts, random);
  if (result && result->retry_after) wait = std::max(wait, *result->retry_after);
  return {Outcome::retried, now + wait, error};
}

void Dispatcher::add(std::string receiver, std::unique_ptr<Notifier> notifier) {
  notifiers_.emplace(std::move(receiver), std::move(notifier));
}

core::Result<std::size_t> Dispatcher::run_once(std::stop_token stop) {
  const auto due = tools_.outbox.due(tools_.now(), kBatch);
  if (!due) return std::unexpected(due.error());
  std::size_t attempted = 0;
  for (const core::OutboxMessage& message : *due) {
    if (stop.stop_requested()) break;
    if (auto done = attempt(message, stop); !done) return std::unexpected(done.error());
    ++attempted;
  }
  return attempted;
}

core::Result<void> Dispatcher::attempt(const core::OutboxMessage& message, std::stop_token stop) {
  const std::string& receiver = message.notification.receiver;
  const auto notifier = notifiers_.find(receiver);
  if (notifier == notifiers_.end()) {
    tools_.report({receiver, Outcome::dead, "the receiver is no longer configured"});
    return tools_.outbox.give_up(message.sequence, tools_.now(), "the receiver is no longer configured");
  }
  const auto result = notifier->second->deliver(message, {.timeout = std::chrono::seconds(10), .stop = stop});
  if (!result && result.error().kind == core::ErrorKind::cancelled) return {};
  const Decision decision = decide(message, message.attempts + 1, result, tools_.now(), tools_.random());
  tools_.report({receiver, decision.outcome, decision.error});
  switch (decision.outcome) {
    case Outcome::delivered: return tools_.outbox.delivered(message.sequence, tools_.now());
    case Outcome::retried: return tools_.outbox.retry_later(message.sequence, decision.next_attempt_at, decision.error);
    case Outcome::dead: break;
  }
  return tools_.outbox.give_up(message.sequence, tools_.now(), decision.error);
}

}  // namespace weir::notify
