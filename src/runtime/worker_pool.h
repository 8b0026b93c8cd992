#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "runtime/bounded_queue.h"

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
  /// Asks running jobs to stop through their token, drops waiting ones, and waits. Never from a job.
  void stop();

 private:
  void work(const std::stop_token& stop);

  std::string name_;
  BoundedQueue<Job> queue_;
  std::mutex stopping_;  // stop() may be called by its owner and by the destructor
  std::vector<std::jthread> threads_;
};

}  // namespace weir::runtime
