#include "app/memory_outbox.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace weir::app {

void MemoryOutbox::add(std::vector<core::OutboxMessage> messages) {
  constexpr std::size_t kMost = 100;
  const std::lock_guard lock(mutex_);
  for (core::OutboxMessage& message : messages) {
    message.sequence = ++sequences_;
    waiting_.push_back(std::move(message));
  }
  while (waiting_.size() > kMost) waiting_.pop_front();
}

bool MemoryOutbox::empty() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

std::vector<core::OutboxMessage> MemoryOutbox::take_back() {
  const std::lock_guard lock(mutex_);
  std::vector<core::OutboxMessage> taken;
  std::deque<core::OutboxMessage> left;
  for (core::OutboxMessage& message : waiting_) {
    if (handed_out_.contains(message.sequence)) {
      left.push_back(std::move(message));
    } else {
      taken.push_back(std::move(message));
    }
  }
  waiting_ = std::move(left);
  return taken;
}

void MemoryOutbox::end_run() {
  const std::lock_guard lock(mutex_);
  handed_out_.clear();
}

core::Result<std::vector<core::OutboxMessage>> MemoryOutbox::due(core::Time now, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<core::OutboxMessage> found;
  std::set<std::tuple<std::string, std::string, std::string>> lanes;
  for (const core::OutboxMessage& message : waiting_) {
    const core::Notification& to = message.notification;
    const bool oldest = lanes.emplace(to.receiver, to.integration, to.group_key).second;
    if (!oldest || message.next_attempt_at > now || found.size() >= limit) continue;
    handed_out_.insert(message.sequence);
    found.push_back(message);
  }
  return found;
}

core::Result<void> MemoryOutbox::delivered(std::int64_t sequence, core::Time, const std::optional<std::string>&) {
  remove(sequence);
  return {};
}

core::Result<void> MemoryOutbox::retry_later(std::int64_t sequence, core::Time next_attempt_at,
                                             const std::string& error) {
  const std::lock_guard lock(mutex_);
  handed_out_.erase(sequence);
  const auto found = std::ranges::find(waiting_, sequence, &core::OutboxMessage::sequence);
  if (found == waiting_.end()) return {};
  found->next_attempt_at = next_attempt_at;
  found->last_error = error;
  ++found->attempts;
  return {};
}

core::Result<void> MemoryOutbox::give_up(std::int64_t sequence, core::Time, const std::string&) {
  remove(sequence);
  return {};
}

void MemoryOutbox::remove(std::int64_t sequence) {
  const std::lock_guard lock(mutex_);
  handed_out_.erase(sequence);
  std::erase_if(waiting_, [&](const core::OutboxMessage& message) { return message.sequence == sequence; });
}

}  // namespace weir::app
