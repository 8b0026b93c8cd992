#include "runtime/watchdog.h"

#include <utility>

namespace weir::runtime {

Watchdog::Watchdog(std::chrono::steady_clock::time_point end, const std::stop_token& stop, std::function<void()> action)
    : action_(std::move(action)),
      thread_([this, end](const std::stop_token& over) { watch(over, end); }),
      when_stopping_(stop, [this] { wake(); }) {}

void Watchdog::wake() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

bool Watchdog::late() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  return late_;
}

void Watchdog::watch(const std::stop_token& over, std::chrono::steady_clock::time_point end) {
  constexpr auto kAgain = std::chrono::milliseconds(100);
  std::unique_lock lock(mutex_);
  const bool stopped = wake_.wait_until(lock, over, end, [this] { return stopping_; });
  if (over.stop_requested()) return;
  late_ = !stopped;
  while (!over.stop_requested()) {
    lock.unlock();
    action_();
    lock.lock();
    wake_.wait_for(lock, over, kAgain, [] { return false; });
  }
}

}  // namespace weir::runtime
