#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/judge.h"
#include "app/urgent_delivery.h"
#include "core/batch.h"
#include "runtime/self_metrics.h"
#include "storage/salvage.h"

namespace weir::app {

inline constexpr core::MetricInfo kStorageFailures{"weir_storage_failures_total", core::MetricType::counter,
                                                   "Commits that failed and were kept for the next try."};
inline constexpr core::MetricInfo kUnwritten{"weir_storage_unwritten", core::MetricType::gauge,
                                             "Transitions, messages and states that wait in memory for storage."};
inline constexpr core::MetricInfo kUnwrittenDropped{
    "weir_storage_dropped_total", core::MetricType::counter,
    "Of those, transitions and messages dropped since too many waited."};
inline constexpr core::MetricInfo kSetAside{"weir_storage_set_aside_total", core::MetricType::counter,
                                            "Databases that were damaged and set aside."};

/// Opens the database; a damaged file is set aside, so that monitoring goes on and nothing is overwritten. Logs that.
core::Result<storage::Opened> open_storage(const storage::StorageSettings& settings, core::Time now,
                                           core::FailPoints* fail_points = nullptr);

/// Says how storage fares: in the log when that changes, in metrics, and to receivers while it fails. Used by the
/// judge's worker.
class StorageWatch {
 public:
  StorageWatch(runtime::SelfMetrics& metrics, UrgentDelivery& urgent) : metrics_(metrics), urgent_(urgent) {}

  /// Shows the counters at 0, but for what happened at the start.
  void begin(bool set_aside);
  /// Returns what receivers were to be told and were not, once storage works again: for Judge::give_back.
  std::vector<core::OutboxMessage> note(const JudgeStep& step);
  bool failing() const { return !error_.empty(); }

 private:
  runtime::SelfMetrics& metrics_;
  UrgentDelivery& urgent_;
  std::string error_;
  std::uint64_t dropped_ = 0;
};

}  // namespace weir::app
