#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/group_status.h"
#include "collectors/time_lag.h"
#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

class ProgressRecall;

/// What consumer_groups() keeps from cycle to cycle: labels, so that a steady cycle builds none, each
/// partition's last known lag, and what judging needs of the past. Entries of what is gone are dropped after a few
/// cycles.
struct GroupMemory {
  struct Partition {
    core::Labels current;
    core::Labels lag;
    core::Labels lag_seconds;
    core::Labels trouble;         // kafka_consumergroup_partition_status; empty while there is none
    std::int64_t lag_value = -1;  // last known, -1: never
    std::int64_t lost = 0;        // likewise, where lag_value is known
    float time_lag = -1;          // seconds, last known, -1: never
    GroupStatus status = GroupStatus::unknown;
    bool kept = true;    // by the series budget, in the last cycle
    bool moved = false;  // the commit, since `time_lag`
    PartitionProgress progress;
  };
  struct Topic {
    std::string name;
    core::Labels lag_sum;
    core::Labels lag_seconds_max;
    core::Labels messages_lost;
    core::Labels uncommitted;
    core::Labels rewinds;
    core::Labels beyond_end;
    core::Labels margin;
    core::Labels margin_seconds;
    core::Labels rate;
    std::array<core::Labels, kTroubles> troubles;  // by place after the last good status
    std::vector<Partition> partitions;             // by partition id
    ReadingPace pace;
    std::uint64_t rewound = 0;          // partitions, in all cycles
    std::int64_t last_lost = -1;        // -1: not seen yet
    std::int64_t last_beyond_end = -1;  // likewise
    bool per_partition = true;          // has series for each
    std::uint64_t seen = 0;             // cycle
    std::uint64_t committed = 0;        // the last cycle in which it had commits, 0: never
    std::int64_t unread = 0;            // messages, in that cycle
    std::optional<double> said_before;  // before a restart: lag_seconds_max; until it is known anew
    bool trouble_before = false;        // before a restart; until all partitions are judged
  };
  struct Client {
    core::Labels labels;
    std::size_t partitions = 0;
  };
  struct Group {
    core::Labels members;
    core::Labels lag;
    core::Labels lag_seconds;
    core::Labels lag_seconds_error;
    core::Labels catch_up;
    core::Labels state_labels;
    core::Labels status_labels;
    core::Labels info;
    kafka::GroupState state = kafka::GroupState::unknown;
    kafka::GroupKind kind = kafka::GroupKind::unknown;
    std::optional<GroupStatus> status;
    LagMethod method = LagMethod::caught_up;
    std::shared_ptr<const std::vector<kafka::Member>> described;  // what `clients` were made of
    std::vector<Client> clients;
    std::size_t clients_left_out = 0;
    std::vector<Topic> topics;
    std::uint64_t seen = 0;             // cycle
    std::optional<double> said_before;  // before a restart: lag_seconds; until it is known anew
  };
  std::unordered_map<std::string, Group> groups;
  LogMemory logs;
  std::shared_ptr<const ProgressRecall> recall;  // through the first window
  std::optional<core::Time> since;               // the first cycle
  bool unbounded = false;                        // in the first window: some time lag was too short a bound to be shown
  std::uint64_t cycle = 0;
};

/// Appends the metrics of all consumer groups and the events group_state_changed, group_status_changed,
/// group_rewound, commit_beyond_end and messages_lost.
///
/// lag = end - max(committed, start), never negative; what retention deleted unread is messages_lost =
/// max(0, start - committed) and no lag. For groups that read committed messages only, the end is the last stable
/// offset where it is known. A partition without a commit has no lag and is counted as
/// uncommitted. A partition that could not be read has no lag this cycle; in the sums it counts with its last
/// known one, since leaving it out would look like a backlog worked off. Time lag: see OffsetHistory; one that is only
/// known to be at least something less than the status window, or than what it was, says nothing and is left out: a
/// fault keeps the state of its series, as what fired must not end for it. What cannot be seen is remembered as it was.
/// Pure apart from `memory`.
void consumer_groups(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, GroupMemory& memory, core::Batch& batch);

std::span<const core::MetricInfo> consumer_groups_metrics();

}  // namespace weir::collectors
