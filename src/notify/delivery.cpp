#include "notify/delivery.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "notify/routing.h"

namespace weir::notify {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::delivered: return "delivered";
    case Outcome::retried: return "retried";
    case Outcome::dead: return "dead";
  }
  return "dead";
}

core::Duration backoff(int attempts, core::Duration first, core::Duration longest, double random) {
  const double doubled = static_cast<double>(first.count()) * std::exp2(std::clamp(attempts - 1, 0, 30));
  const double full = std::min(doubled, static_cast<double>(longest.count()));
  return core::Duration(static_cast<std::int64_t>(full / 2 + full / 2 * std::clamp(random, 0.0, 1.0)));
}

Decision decide(const core::OutboxMessage& message, const DeliveryResult& result, core::Time now, double random,
                const RetryPolicy& policy) {
  if (result) return {.reference = result->reference};
  const DeliveryError& failed = result.error();
  const std::string error = failed.error.describe();
  if (!failed.error.retryable) return {.outcome = Outcome::dead, .error = error};
  const core::Time last = message.created_at + policy.give_up_after;
  const core::Duration patience = failed.retry_after.value_or(core::Duration(0));
  if (now >= last || now + patience > last) {
    return {.outcome = Outcome::dead,
            .error = "given up " + core::format_duration(policy.give_up_after) + " after it was written: " + error};
  }
  const core::Duration wait =
      std::max(backoff(message.attempts + 1, policy.first_wait, policy.longest_wait, random), patience);
  return {.outcome = Outcome::retried, .next_attempt_at = std::min(now + wait, last), .error = error};
}

void Dispatcher::add(std::string endpoint, std::unique_ptr<Notifier> notifier) {
  notifiers_.insert_or_assign(std::move(endpoint), std::move(notifier));
}

core::Result<std::size_t> Dispatcher::run_once(std::stop_token stop) {
  if (auto done = write_unwritten(); !done) return std::unexpected(done.error());
  std::size_t total = 0;
  while (total < limits_.attempts_a_run && !stop.stop_requested()) {
    const auto due = tools_.outbox.due(tools_.now(), limits_.batch);
    if (!due) return std::unexpected(due.error());
    const auto attempted = run_batch(*due, stop);
    if (!attempted) return attempted;
    total += *attempted;
    if (*attempted == 0) break;
  }
  return total;
}

core::Result<std::size_t> Dispatcher::run_batch(const std::vector<core::OutboxMessage>& batch,
                                                const std::stop_token& stop) {
  std::size_t attempted = 0;
  for (const core::OutboxMessage& message : batch) {
    if (stop.stop_requested()) break;
    const auto done = attempt(message, stop);
    if (!done) return std::unexpected(done.error());
    if (*done) ++attempted;
  }
  return attempted;
}

namespace {

Report report_of(const std::string& endpoint, const core::OutboxMessage& message) {
  Report report{.receiver = endpoint,
                .status = message.notification.status,
                .incident = message.notification.incident_id,
                .attempts = message.attempts + 1};
  for (const core::Alert& alert : message.notification.alerts) report.alerts.push_back(alert.fingerprint);
  return report;
}

}  // namespace

core::Result<bool> Dispatcher::attempt(const core::OutboxMessage& message, const std::stop_token& stop) {
  const std::string endpoint = endpoint_name(message.notification.receiver, message.notification.integration);
  Decision decision;
  Report report = report_of(endpoint, message);
  if (const auto notifier = notifiers_.find(endpoint); notifier == notifiers_.end()) {
    decision = {.outcome = Outcome::dead, .error = "the receiver is no longer configured"};
  } else {
    const auto resting = resting_.find(endpoint);
    const core::Time began = tools_.now();
    if (resting != resting_.end() && began < resting->second.until) return false;
    const DeliveryResult result =
        notifier->second->deliver(message, {.now = began, .timeout = limits_.delivery_timeout, .stop = stop});
    // Whether it arrived is unknown; the next start tries again with the same key.
    if (!result && result.error().error.kind == core::ErrorKind::cancelled) return false;
    if (result) report.template_problems = result->template_problems;
    const core::Time ended = tools_.now();
    decision = decide(message, result, ended, tools_.random(), limits_.retry);
    rest(endpoint, result, decision.outcome, ended);
  }
  report.outcome = decision.outcome;
  report.error = decision.error;
  tools_.report(report);
  if (auto done = write(message.sequence, std::move(decision)); !done) return std::unexpected(done.error());
  return true;
}

void Dispatcher::rest(const std::string& endpoint, const DeliveryResult& result, Outcome outcome, core::Time now) {
  // What was refused for good concerns that message only.
  if (outcome == Outcome::delivered || (!result && !result.error().error.retryable)) {
    resting_.erase(endpoint);
    return;
  }
  Rest& rest = resting_[endpoint];
  ++rest.failures;
  const core::Duration patience = result.error().retry_after.value_or(core::Duration(0));
  rest.until =
      now + std::max(backoff(rest.failures, limits_.retry.first_wait, limits_.longest_rest, tools_.random()), patience);
}

core::Result<void> Dispatcher::write(std::int64_t sequence, Decision decision) {
  unwritten_ = Unwritten{.sequence = sequence, .decision = std::move(decision)};
  return write_unwritten();
}

core::Result<void> Dispatcher::write_unwritten() {
  if (!unwritten_) return {};
  const auto& [sequence, decision] = *unwritten_;
  core::Result<void> done;
  switch (decision.outcome) {
    case Outcome::delivered: done = tools_.outbox.delivered(sequence, tools_.now(), decision.reference); break;
    case Outcome::retried: done = tools_.outbox.retry_later(sequence, decision.next_attempt_at, decision.error); break;
    case Outcome::dead: done = tools_.outbox.give_up(sequence, tools_.now(), decision.error); break;
  }
  // A message that no longer waits has no outcome to write.
  if (done || done.error().kind == core::ErrorKind::not_found) unwritten_.reset();
  return unwritten_ ? done : core::Result<void>();
}

}  // namespace weir::notify
