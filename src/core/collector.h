#pragma once

#include <chrono>
#include <span>
#include <stop_token>
#include <string_view>

#include "core/batch.h"

namespace weir::core {

struct CollectContext {
  Time now;                                        // the time of this cycle's samples
  std::chrono::steady_clock::time_point deadline;  // give up by then
  std::stop_token stop;                            // shutting down: return soon
};

/// One observed system. Passive: starts no thread, retries nothing, reads no clock to judge.
/// Called by one thread at a time; may keep what it needs between cycles (cached labels, last offsets).
class Collector {
 public:
  virtual ~Collector() = default;
  /// Unique and stable, "<kind>/<configured name>": "kafka/prod", "checks/warehouse".
  virtual std::string_view name() const = 0;
  virtual Duration interval() const = 0;
  /// When the cycle after the one at `now` is due.
  virtual Time next(Time now) const { return now + interval(); }
  /// HELP and TYPE of every metric it may emit.
  virtual std::span<const MetricInfo> metrics() const = 0;
  /// An error means nothing was seen: every series keeps its last state. What failed only in part
  /// is a Fault in the batch.
  virtual Result<Batch> collect(const CollectContext& context) = 0;
};

}  // namespace weir::core
