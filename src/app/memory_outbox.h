#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "notify/delivery.h"

namespace weir::app {

/// Messages that wait in memory only, in order: those that say that storage fails. Safe to call from several threads.
class MemoryOutbox final : public notify::Outbox {
 public:
  /// The oldest goes when more than 100 wait.
  void add(std::vector<core::OutboxMessage> messages);
  bool empty() const;
  /// Takes out what waits, but for what due() handed out and has no outcome yet.
  std::vector<core::OutboxMessage> take_back();
  /// What was handed out and has no outcome is free to be taken back again.
  void end_run();

  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) override;
  core::Result<void> delivered(std::int64_t sequence, core::Time now,
                               const std::optional<std::string>& reference) override;
  core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at, const std::string& error) override;
  core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) override;

 private:
  void remove(std::int64_t sequence);

  mutable std::mutex mutex_;
  std::deque<core::OutboxMessage> waiting_;
  std::set<std::int64_t> handed_out_;
  std::int64_t sequences_ = 0;
};

}  // namespace weir::app
