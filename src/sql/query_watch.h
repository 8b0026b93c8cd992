#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "core/time.h"

namespace weir::sql {

/// Ends a wait for a server that does not keep its own timeout, while it lives: `cancel` is called once `after` has
/// passed, and `abandon` (which must make the wait end) a `grace` later. Neither may throw. One thread, joined by the
/// destructor, so that nothing is called after that.
class QueryWatch {
 public:
  QueryWatch(core::Duration after, core::Duration grace, std::function<void()> cancel, std::function<void()> abandon);

  /// Whether the time had passed.
  bool fired() const { return fired_.load(); }

 private:
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::atomic<bool> fired_ = false;
  std::jthread thread_;  // the last one: it uses the others
};

}  // namespace weir::sql
