#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/judge.h"
#include "app/own_errors.h"
#include "app/storage_switch.h"
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
inline constexpr core::MetricInfo kStorageState{
    "weir_storage_state", core::MetricType::gauge,
    "1 for what storage is: open, failing, away, standby or mending, else 0."};
inline constexpr core::MetricInfo kRewritten{
    "weir_storage_rewritten_total", core::MetricType::counter,
    "Times that storage had not what was last written to it, and was written anew."};
inline constexpr core::MetricInfo kSetAside{"weir_storage_set_aside_total", core::MetricType::counter,
                                            "Databases that were damaged and set aside."};

/// storage::open_or_salvage: a damaged file is set aside, so that monitoring goes on and nothing is overwritten. Logs
/// that.
core::Result<storage::Opened> open_storage(const storage::StorageSettings& settings, core::Time now,
                                           core::FailPoints* fail_points = nullptr, const std::string& damage = {});

/// What was damaged, where it is kept and what was saved of it, in a sentence without its full stop.
std::string describe(const storage::SetAside& aside);

/// Says how storage fares: in the log when that changes, in metrics, and to receivers while it fails. Used by the
/// judge's worker.
class StorageWatch {
 public:
  StorageWatch(runtime::SelfMetrics& metrics, UrgentDelivery& urgent, OwnErrors& errors)
      : metrics_(metrics), urgent_(urgent), errors_(errors) {}

  /// Shows the counters at 0.
  void begin();
  void show(const StorageStatus& status);
  /// Returns what receivers were to be told and were not, once storage works again: for Judge::give_back.
  std::vector<core::OutboxMessage> note(const JudgeStep& step);
  bool failing() const { return !error_.empty(); }

 private:
  runtime::SelfMetrics& metrics_;
  UrgentDelivery& urgent_;
  OwnErrors& errors_;
  std::string error_;
  std::uint64_t dropped_ = 0;
  std::uint64_t set_aside_ = 0;
};

}  // namespace weir::app
