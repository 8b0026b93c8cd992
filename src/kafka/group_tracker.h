#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kafka/assemble.h"
#include "kafka/groups.h"
#include "kafka/settings.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// What one cycle asks of groups: the same number of both, in the same order.
struct GroupPlan {
  std::vector<ReadGroup> groups;
  std::vector<GroupQuery> queries;
  std::size_t listed = 0;    // groups that the filter admits
  std::size_t over_cap = 0;  // of them, not asked
};

/// Remembers groups between cycles, so that a cycle describes only those whose state changed, which rebalance, whose
/// description failed or was asked for, and of the others a share. Pure: it asks nobody. A cycle is one plan, then one
/// finish().
class GroupTracker {
 public:
  /// `settings` must outlive it.
  explicit GroupTracker(const ClusterSettings& settings);

  /// Has the group described in the next cycle, if it is listed then; of one cycle's groups the first hundred.
  void describe_soon(std::string id);
  /// For what brokers listed. One that two list is asked of the one that does not call it dead, then of the other.
  /// Over the cap those already known are kept, then the first by name. A broker that has just become coordinator lists
  /// only the groups it has loaded so far, and no error; so groups that are listed no more are asked for, unless a
  /// broker is silent: which groups it coordinates is unknown.
  GroupPlan plan_listed(GroupListing listing, const BrokerIds& brokers, bool all_brokers_listed);
  /// For groups given by name. Which broker coordinates them is found by asking one after the other, the last
  /// that did first and silent ones last: that takes no right but DESCRIBE on the group.
  GroupPlan plan_named(const BrokerIds& brokers, const BrokerIds& silent, const std::vector<Topic>& topics);

  /// Takes what was answered; gives the groups that exist.
  std::vector<ReadGroup> finish(std::vector<ReadGroup> groups, std::vector<GroupAnswer> answers);
  /// Named groups that were found not to exist, each told once until it does.
  std::vector<std::string> take_missing();

 private:
  struct Known {
    GroupState state = GroupState::unknown;
    GroupKind kind = GroupKind::unknown;
    std::optional<std::int32_t> members;
    std::shared_ptr<const std::vector<Member>> member_list;
    bool read_committed = false;
    bool again = false;          // the last description failed
    std::int32_t broker = -1;    // the last that coordinated it
    std::int64_t described = 0;  // cycle
    std::int64_t seen = 0;       // cycle
  };

  std::vector<ListedGroup> admitted(std::vector<ListedGroup> listed) const;
  void cap(std::vector<ListedGroup>& listed, GroupPlan& plan) const;
  void plan_group(const ListedGroup& listed, std::int64_t index, std::int64_t period, GroupPlan& plan);
  void plan_missing(const BrokerIds& brokers, bool all_brokers_listed, GroupPlan& plan);
  Known& known_group(const std::string& id);
  void remember(ReadGroup& group);
  void take_description(const ReadGroup& group, Known& known) const;

  const ClusterSettings& settings_;
  const std::shared_ptr<const std::vector<Member>> nobody_;
  std::int64_t cycle_ = 0;
  std::unordered_map<std::string, Known> known_;
  std::unordered_set<std::string> wanted_;  // to be described in the next cycle
  std::unordered_set<std::string> told_missing_;
  std::vector<std::string> missing_;
};

}  // namespace weir::kafka
