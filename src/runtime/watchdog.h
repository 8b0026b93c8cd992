#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace weir::runtime {

/// Calls an action when a time is over, or at once when a stop is requested: for clients that know no time-outs of
/// their own and can be interrupted from another thread. Lives as long as the blocking call it watches; its one
/// thread ends with it. The action may be called twice, and must not wait.
class Watchdog {
 public:
  Watchdog(std::chrono::steady_clock::time_point end, const std::stop_token& stop, std::function<void()> action);

  /// Ends the watch and says whether the time was over before.
  bool late();

 private:
  void watch(const std::stop_token& over, std::chrono::steady_clock::time_point end);

  const std::function<void()> action_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool late_ = false;  // written before the thread ends, read after
  std::stop_callback<std::function<void()>> stopping_;
  std::jthread thread_;
};

}  // namespace weir::runtime
