#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::runtime {

/// A fixed number of threads that run blocking jobs from one bounded queue. A job that throws is logged,
/// never fatal. Destroyed by its owner, which waits for the jobs that run; those that wait are dropped.
class WorkerPool {
 public:
  using Job = std::function<void(std::stop_token)>;

  WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False when the queue is full or the pool is stopping: the job is then not taken.
  bool submit(Job job);
  /// Asks running jobs to stop through their token, drops waiting ones, and waits.
  void stop();

 private:
  void work(const std::stop_token& stop);

  std::string name_;
  std::size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace weir::runtime
