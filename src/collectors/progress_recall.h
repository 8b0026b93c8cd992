#pragma once

#include <optional>
#include <unordered_map>

#include "collectors/group_status.h"
#include "collectors/topics.h"
#include "core/labels.h"

namespace weir::collectors {

/// What groups did before a restart, from the series of their lags and commits: so a group that stood still goes on to
/// stand still, and its alert does not end for want of a window. Made of about ten points a window, over two of them.
class ProgressRecall {
 public:
  /// Reads `cycle.past`; what cannot be read is not known.
  explicit ProgressRecall(const KafkaCycle& cycle);
  /// Of the partition whose series of kafka_consumergroup_lag this is.
  std::optional<PartitionProgress> of(const core::Labels& lag) const;

 private:
  std::unordered_map<core::Labels, PartitionProgress> known_;
};

}  // namespace weir::collectors
