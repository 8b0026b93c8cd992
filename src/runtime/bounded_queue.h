#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace weir::runtime {

/// A first-in first-out queue between threads that refuses what exceeds its limit instead of growing.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t limit) : limit_(limit) {}

  /// False, and `item` untouched, when the queue is full or closed.
  bool try_push(T&& item) {
    const std::lock_guard lock(mutex_);
    if (closed_ || items_.size() >= limit_) return false;
    items_.push_back(std::move(item));
    ready_.notify_one();
    return true;
  }

  /// Waits for an item. Nothing once the queue is closed or a stop is requested.
  std::optional<T> pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!ready_.wait(lock, stop, [this] { return closed_ || !items_.empty(); }) || closed_) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  /// Refuses new items, drops waiting ones and wakes every reader.
  void close() {
    std::deque<T> dropped;  // declared first, so destroyed after the lock is released: items may own anything
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(items_);
    ready_.notify_all();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace weir::runtime
