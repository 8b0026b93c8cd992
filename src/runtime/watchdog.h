#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace weir::runtime {

/// Calls an action when a time is over or a stop is requested, and every 100 ms from then on until the watch ends: for
/// clients that know no time-outs of their own and can be interrupted from another thread, where an interruption that
/// comes too early is lost. Lives as long as the blocking call it watches; its one thread ends with it.
class Watchdog {
 public:
  Watchdog(std::chrono::steady_clock::time_point end, const std::stop_token& stop, std::function<void()> action);

  /// Ends the watch and says whether the time was over before.
  bool late();

 private:
  void watch(const std::stop_token& over, std::chrono::steady_clock::time_point end);
  void wake();

  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool stopping_ = false;  // under the mutex
  bool late_ = false;      // written before the thread ends, read after
  const std::function<void()> action_;
  std::jthread thread_;
  std::stop_callback<std::function<void()>> when_stopping_;
};

}  // namespace weir::runtime
