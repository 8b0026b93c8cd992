#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/error.h"

namespace weir::core {

/// The steps between a change of an alert and its acknowledged delivery.
enum class FailPoint : std::uint8_t {
  restore_before,
  restore_after,
  evaluate_before,
  evaluate_after,
  resolve,
  commit_before,
  commit_alerts,
  commit_removed,
  commit_transitions,
  commit_incidents,
  commit_groups,
  commit_outbox,
  commit_after,
  publish_after,
  outbox_before,
  request_before,
  request_sent,
  request_answered,
  delivered_before,
  delivered_after,
};

struct FailPointInfo {
  FailPoint point;
  std::string_view name;
  bool may_fail;           // an error can be made of it; all can end the process
  std::string_view where;  // in the way of a change
};

/// All of them, in the order they are passed.
std::span<const FailPointInfo> fail_points();

/// Makes the process die, or a step fail, at named places: how tests show that nothing is lost. Compiled in always, so
/// that what is tested is what is shipped; without one of these (a null pointer) a place costs one comparison. Made at
/// the start from the environment and never changed. reach() may be called from any thread.
class FailPoints {
 public:
  /// "commit.outbox=kill@3,outbox.before=error": at the third passing, and at the first. Each place once. Errors:
  /// invalid, for an unknown place or action, with what there is.
  static Result<std::unique_ptr<FailPoints>> parse(std::string_view text);

  /// Ends the process by SIGKILL, or fails (storage, retryable), when it is the passing that was asked for.
  Result<void> reach(FailPoint point);

 private:
  static constexpr std::size_t kCount = static_cast<std::size_t>(FailPoint::delivered_after) + 1;
  enum class Action : std::uint8_t { none, kill, error };
  struct Armed {
    Action action = Action::none;
    std::uint64_t at = 1;  // which passing
  };

  Result<void> arm(std::string_view entry);

  std::array<Armed, kCount> armed_{};
  std::array<std::atomic<std::uint64_t>, kCount> passed_{};
};

/// Passes a place. `points` is nullptr unless some are armed.
inline Result<void> reach(FailPoints* points, FailPoint point) {
  return points == nullptr ? Result<void>() : points->reach(point);
}

}  // namespace weir::core
