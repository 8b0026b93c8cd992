#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// What consumer_groups() keeps from cycle to cycle: labels, so that a steady cycle builds none, and each
/// partition's last known lag. Entries of what is gone are dropped after a few cycles.
struct GroupMemory {
  struct Partition {
    core::Labels current;
    core::Labels lag;
    std::int64_t lag_value = -1;  // last known, -1: never
    std::int64_t lost = 0;        // likewise, where lag_value is known
  };
  struct Topic {
    std::string name;
    core::Labels lag_sum;
    core::Labels messages_lost;
    core::Labels uncommitted;
    std::vector<Partition> partitions;  // by partition id
    std::int64_t last_lost = -1;        // -1: not seen yet
    std::uint64_t seen = 0;             // cycle
  };
  struct Group {
    core::Labels members;
    core::Labels lag;
    core::Labels state_labels;
    kafka::GroupState state = kafka::GroupState::unknown;
    std::vector<Topic> topics;
    std::uint64_t seen = 0;  // cycle
  };
  std::unordered_map<std::string, Group> groups;
  std::uint64_t cycle = 0;
};

/// Appends the metrics of all consumer groups and the events group_state_changed and messages_lost.
///
/// lag = end - max(committed, start), never negative; what retention deleted unread is messages_lost =
/// max(0, start - committed) and no lag. A partition without a commit has no lag and is counted as
/// uncommitted. A partition that could not be read has no lag this cycle; in the sums it counts with its last
/// known one, since leaving it out would look like a backlog worked off. Pure apart from `memory`.
void consumer_groups(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, GroupMemory& memory, core::Batch& batch);

std::span<const core::MetricInfo> consumer_groups_metrics();

}  // namespace weir::collectors
