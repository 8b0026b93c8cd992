#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/collector.h"
#include "runtime/clock.h"

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
  bool seen = false;  // false: nothing was seen, the batch is empty and no series is gone
};

/// Runs one collector, a cycle at a time: measures it, catches what it throws, keeps its status, logs when
/// that changes. tick() is called from the loop; run() from a worker.
class CollectorHarness {
 public:
  CollectorHarness(std::unique_ptr<core::Collector> collector, const Clock& clock);

  core::Collector& collector() { return *collector_; }
  /// Claims the next run. False, and counted as skipped, while one is still running.
  bool try_begin();
  /// One cycle; to be called once after each successful try_begin().
  CycleReport run(std::stop_token stop);
  /// Gives up a claimed run that could not be queued.
  void abandon();

  CollectorStatus status() const;
  /// weir_collector_* of this collector, as of now.
  void append_samples(std::vector<core::Sample>& samples, core::Time now) const;
  static std::span<const core::MetricInfo> metrics();

 private:
  core::Result<core::Batch> collect(const core::CollectContext& context);
  void finish(const std::string& error, core::Time now, core::Duration duration);

  std::unique_ptr<core::Collector> collector_;
  const Clock& clock_;
  std::string name_;
  core::Labels success_labels_, duration_labels_, last_success_labels_, skipped_labels_;
  mutable std::mutex mutex_;
  bool running_ = false;
  CollectorStatus status_;
};

}  // namespace weir::runtime
