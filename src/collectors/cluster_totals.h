#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// Labels of a cluster's own series, kept from cycle to cycle.
struct ClusterMemory {
  struct Broker {
    core::Labels leads;
    std::int64_t partitions = 0;
    int cycles_without = 0;
  };
  core::Labels brokers;
  core::Labels empty_topics;
  core::Labels groups_listed;
  core::Labels groups_over_cap;
  core::Labels truncated;
  std::map<std::int32_t, Broker> leaders;  // by broker id
};

/// Appends what concerns the cluster as a whole: brokers and the partitions they lead, empty topics, groups listed and
/// over the cap. A broker that leads nothing any more is shown with 0 for some time. Pure apart from `memory`.
void cluster_totals(const kafka::Snapshot& snapshot, const std::vector<TopicTotals>& totals, const KafkaCycle& cycle,
                    ClusterMemory& memory, core::Batch& batch);

std::span<const core::MetricInfo> cluster_totals_metrics();

}  // namespace weir::collectors
