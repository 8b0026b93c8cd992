#include "runtime/scheduler.h"

#include <atomic>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace weir::runtime {

/// Shared with the ticks and runs under way, which may outlive the scheduler by a moment.
struct Scheduler::State {
  struct Entry {
    Job job;
    std::atomic<bool> running = false;
  };

  explicit State(WorkerPool& given) : pool(&given) {}

  bool start(const std::shared_ptr<Entry>& entry) {
    if (entry->running.exchange(true)) return false;
    const std::lock_guard lock(mutex);
    const auto run = [entry](const std::stop_token& stop) {
      const Release release{*entry};
      entry->job.run(stop);
    };
    if (pool != nullptr && pool->submit(run)) return true;
    entry->running = false;
    return false;
  }

  void tick(const std::shared_ptr<Entry>& entry) {
    if (start(entry)) return;
    ++skipped;
    if (entry->job.skipped) entry->job.skipped();
  }

  /// Lets the next run start however this one ended.
  struct Release {
    Entry& entry;
    ~Release() { entry.running = false; }
  };

  mutable std::mutex mutex;
  WorkerPool* pool;  // null once the scheduler is gone
  std::vector<std::shared_ptr<Entry>> entries;
  std::vector<std::unique_ptr<Loop::Timer>> timers;
  std::atomic<std::uint64_t> skipped = 0;
  std::mt19937 random{std::random_device{}()};
};

Scheduler::Scheduler(Loop& loop, WorkerPool& pool) : loop_(loop), state_(std::make_shared<State>(pool)) {}

Scheduler::~Scheduler() {
  std::vector<std::unique_ptr<Loop::Timer>> timers;
  const std::lock_guard lock(state_->mutex);
  state_->pool = nullptr;
  timers.swap(state_->timers);
}

void Scheduler::add(Job job) {
  auto entry = std::make_shared<State::Entry>();
  entry->job = std::move(job);
  const core::Duration interval = entry->job.interval;
  std::weak_ptr<State> weak = state_;
  const auto tick = [weak, entry] {
    if (const auto state = weak.lock()) state->tick(entry);
  };
  {
    const std::lock_guard lock(state_->mutex);
    std::uniform_int_distribution<std::int64_t> part(interval.count() / 2, interval.count());
    state_->entries.push_back(entry);
    state_->timers.push_back(loop_.every(interval, core::Duration(part(state_->random)), tick));
  }
  loop_.post(tick);
}

bool Scheduler::run_now(const std::string& name) {
  std::shared_ptr<State::Entry> found;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& entry : state_->entries) {
      if (entry->job.name == name) found = entry;
    }
  }
  return found && state_->start(found);
}

std::uint64_t Scheduler::skipped() const { return state_->skipped; }

}  // namespace weir::runtime
