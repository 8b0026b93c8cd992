#include "runtime/worker_pool.h"

#include <exception>
#include <pthread.h>
#include <utility>

#include "runtime/log.h"

namespace weir::runtime {

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit)
    : name_(std::move(name)), queue_(queue_limit) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    // The kernel keeps 15 characters of a thread's name.
    pthread_setname_np(threads_.back().native_handle(), ("weir-" + name_).substr(0, 15).c_str());
  }
}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(Job job) { return queue_.try_push(std::move(job)); }

void WorkerPool::stop() {
  const std::lock_guard lock(stopping_);
  queue_.close();
  for (std::jthread& thread : threads_) thread.request_stop();
  for (std::jthread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::work(const std::stop_token& stop) {
  while (std::optional<Job> job = queue_.pop(stop)) {
    try {
      (*job)(stop);
    } catch (const std::exception& error) {
      log_error("a job failed unexpectedly", {{"pool", name_}, {"error", error.what()}});
    } catch (...) {
      log_error("a job failed unexpectedly", {{"pool", name_}, {"error", "not a standard exception"}});
    }
  }
}

}  // namespace weir::runtime
