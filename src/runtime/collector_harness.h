#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/collector.h"
#include "runtime/clock.h"
#include "runtime/scheduler.h"

namespace weir::runtime {

/// How one collector fares.
struct CollectorStatus {
  std::string name;
  bool ran = false;      // at least one cycle has ended
  bool success = false;  // the last one saw everything
  std::optional<core::Time> last_success;
  core::Duration duration{0};
  std::string error;  // of the last cycle, "" when it succeeded
  std::uint64_t skipped_ticks = 0;
};

/// What a cycle brought: the collector's batch, or nothing when it failed as a whole.
struct CycleReport {
  std::string collector;
  core::Time now;
  core::Batch batch;
  bool seen = false;       // false: nothing was seen, the batch is empty and no series is gone
  bool cancelled = false;  // the program is stopping: says nothing about what is observed
  core::Duration duration{0};
  std::string error = {};  // what could not be seen, "" for nothing
};

/// Runs one collector, a cycle at a time: measures it, catches what it throws, keeps its status, logs when
/// that changes. Owned by App; outlives the pool that runs it.
///
/// A series without a sample for 5 minutes has ended, as for Prometheus. So of a collector with a longer interval than
/// kLongestSilence the harness says each minute again what its last cycle saw, without its events; after an error it
/// tries again after 1, 2, 4 … minutes, at most the interval and an hour.
class CollectorHarness {
 public:
  static constexpr core::Duration kLongestSilence = std::chrono::minutes(2);

  /// Called by the worker that ran the cycle; must not throw.
  using Sink = std::function<void(CycleReport)>;

  CollectorHarness(std::unique_ptr<core::Collector> collector, const Clock& clock);

  core::Collector& collector() { return *collector_; }
  /// Has the scheduler run a cycle now and each interval, and hands what it brought to `sink`.
  void start(Scheduler& scheduler, Sink sink);
  /// One cycle, on the calling thread; one at a time.
  CycleReport run(const std::stop_token& stop);
  /// Counts a tick that was missed because a cycle was still running.
  void note_skipped_tick();

  CollectorStatus status() const;
  /// weir_collector_* of this collector, as of now.
  void append_samples(std::vector<core::Sample>& samples, core::Time now) const;
  static std::span<const core::MetricInfo> metrics();

 private:
  bool repeats() const { return collector_->interval() > kLongestSilence; }
  std::optional<CycleReport> repeat(core::Time now) const;
  void plan_next(const CycleReport& report);
  core::Result<core::Batch> collect(const core::CollectContext& context);
  void finish(const std::string& error, core::Time now, core::Duration duration);

  std::unique_ptr<core::Collector> collector_;
  const Clock& clock_;
  std::string name_;
  // Of a collector that repeats; used by the run under way alone.
  std::optional<core::Time> due_;  // unset: at once
  core::Duration wait_{0};         // after an error
  CycleReport last_;               // set with due_
  core::Labels success_labels_, duration_labels_, last_success_labels_, skipped_labels_;
  mutable std::mutex mutex_;
  CollectorStatus status_;
};

}  // namespace weir::runtime
