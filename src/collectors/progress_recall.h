#pragma once

#include <optional>
#include <string_view>
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
  /// The last value of this series of a time lag (of a partition, of a topic, of a group), from up to a day back.
  std::optional<double> last(const core::Labels& time_lag) const;
  /// Whether a series of kafka_consumergroup_status_partitions with these labels, whatever its status, was there.
  bool was_in_trouble(const core::Labels& without_status) const;

 private:
  void recall_last(const KafkaCycle& cycle, std::string_view metric);

  std::unordered_map<core::Labels, double> last_;  // status_partitions without `status`
  std::unordered_map<core::Labels, PartitionProgress> known_;
};

}  // namespace weir::collectors
