#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/consumer_groups.h"
#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/metric_settings.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// Labels of the series under other programs' names, kept from cycle to cycle.
struct CompatMemory {
  struct Renamed {
    std::vector<core::Labels> labels;
    std::uint64_t seen = 0;  // cycle
  };
  /// Who reads a group's partitions, as they were last described; null where they never were.
  struct Owners {
    std::shared_ptr<const std::vector<kafka::Member>> members;
    std::uint64_t seen = 0;  // cycle
  };
  struct GroupTopic {
    std::string name;
    core::Labels kminion_offset_sum;
    core::Labels exporter_offset_sum;
    std::vector<core::Labels> burrow_status;  // by partition id
  };
  struct Group {
    core::Labels burrow_status;
    core::Labels lag_exporter_max;
    core::Labels kminion_info;
    kafka::GroupState state = kafka::GroupState::unknown;  // of kminion_info
    std::vector<GroupTopic> topics;
    std::uint64_t seen = 0;  // cycle
  };
  struct TopicPartition {
    core::Labels replicas;
    core::Labels in_sync;
    core::Labels preferred;
  };
  struct Topic {
    core::Labels kminion_info;
    core::Labels kminion_low;
    core::Labels kminion_high;
    std::size_t partition_count = 0;  // of kminion_info, as the others
    std::int32_t replication = 0;
    std::string policy;
    std::vector<TopicPartition> partitions;
    bool seen = false;
  };
  std::unordered_map<core::Labels, Renamed> renamed;  // by Weir's own labels
  std::unordered_map<std::string, Owners> owners;     // by group, for kafka_lag_exporter
  std::unordered_map<std::string, Group> groups;
  std::map<std::string, Topic, std::less<>> topics;
  std::uint64_t cycle = 0;
};

/// Appends what the programs of `cycle.metrics.compat` would show, under their names and labels: the batch's own
/// samples anew, and what Weir has in another form. kminion's and kafka_exporter's have a label `cluster` besides, as
/// one Weir watches many. Call it last; `groups` is what consumer_groups() left. Pure apart from `memory`.
void compat(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, const GroupMemory& groups, CompatMemory& memory,
            core::Batch& batch);

/// How many samples a sample of Weir's own becomes, itself included, and with what is made of its partition alone.
std::size_t compat_copies(const core::Labels& labels, const kafka::CompatSettings& settings);

/// How many samples at the most compat() adds that are not made of one sample or partition.
std::size_t compat_sums(const kafka::Snapshot& snapshot, const GroupMemory& groups,
                        const kafka::CompatSettings& settings);

std::span<const core::MetricInfo> compat_metrics();

}  // namespace weir::collectors
