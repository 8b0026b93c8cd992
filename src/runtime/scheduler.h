#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/time.h"
#include "runtime/loop.h"
#include "runtime/worker_pool.h"

namespace weir::runtime {

/// Runs jobs again and again: ticks on the loop, work on the pool, one run of a job at a time. Owned by App;
/// the loop and the pool outlive it.
class Scheduler {
 public:
  struct Job {
    std::string name;
    core::Duration interval{0};
    WorkerPool::Job run;
    /// Called, on the loop, for each tick that found the previous run unfinished or the pool's queue full.
    std::function<void()> skipped = {};
  };

  Scheduler(Loop& loop, WorkerPool& pool);
  /// No run starts afterwards; those that started go on.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// The first run is at once. The ticks after it lie on a grid with a random start, so that jobs of one interval
  /// do not all run at the same moment.
  void add(Job job);
  /// Runs the job of that name as soon as it can, besides its ticks. False when there is none or it runs already.
  bool run_now(const std::string& name);
  /// Ticks that were missed, over all jobs.
  std::uint64_t skipped() const;

 private:
  struct State;
  Loop& loop_;
  std::shared_ptr<State> state_;
};

}  // namespace weir::runtime
