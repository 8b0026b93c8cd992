#include "runtime/watchdog.h"

#include <utility>

namespace weir::runtime {

Watchdog::Watchdog(std::chrono::steady_clock::time_point end, const std::stop_token& stop, std::function<void()> action)
    : action_(std::move(action)),
      stopping_(stop, action_),
      thread_([this, end](const std::stop_token& over) { watch(over, end); }) {}

bool Watchdog::late() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  return late_;
}

void Watchdog::watch(const std::stop_token& over, std::chrono::steady_clock::time_point end) {
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, over, end, [] { return false; });
  if (over.stop_requested()) return;
  late_ = true;
  action_();
}

}  // namespace weir::runtime
