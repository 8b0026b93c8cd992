#pragma once

#include <string>
#include <vector>

#include "core/batch.h"
#include "kafka/groups.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// What was read of one group in one cycle.
struct ReadGroup {
  std::string id;
  GroupState state = GroupState::unknown;
  GroupKind kind = GroupKind::unknown;
  std::optional<std::int32_t> members;
  std::shared_ptr<const std::vector<Member>> member_list;
  bool read_committed = false;
  std::vector<std::string> topics;  // it is configured to consume
  bool listed = true;               // else it was in the previous cycle, and is asked whether it still exists
  GroupAnswer answer;
};

/// Joins commits with topics: each group gets every partition of each topic that it has committed for or is
/// configured to consume. Topics that are gone or not admitted are dropped; of a topic that could not be
/// read the committed partitions stay, with unknown ends. A group whose commits could not be read becomes a
/// fault. Sorts groups by id.
void join_groups(std::vector<ReadGroup> read, const TopicNames& names, const std::string& cluster, Snapshot& snapshot);

/// Removes a topic that turned out to be deleted while offsets were read, by index; `gone` as topics.
void drop_topics(Snapshot& snapshot, const std::vector<bool>& gone);

/// One fault for each topic with partitions whose offsets are unknown. `codes` as read_offsets() gives them.
void add_offset_faults(const std::string& cluster, const std::vector<int>& codes, Snapshot& snapshot);

/// Adds a fault for each topic with partitions whose end is known and whose last stable offset is not. `codes` as
/// OffsetsRead::stable_codes. A partition that its leader does not know was added a moment ago: it has no value yet.
void add_stable_faults(const std::string& cluster, const std::vector<int>& codes, Snapshot& snapshot);

/// Where very much failed, one fault of each kind for the whole cluster in place of one for each thing: the
/// reader of a batch compares every fault with every series.
void limit_faults(const std::string& cluster, std::vector<core::Fault>& faults);

}  // namespace weir::kafka
