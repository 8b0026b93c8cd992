#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/batch.h"
#include "kafka/connection.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

struct ListedGroup {
  std::string id;
  GroupState state = GroupState::unknown;
};

struct GroupListing {
  std::vector<ListedGroup> groups;  // in no order
  std::vector<core::Error> errors;  // brokers that did not list theirs
};

/// ListGroups of every broker. Errors: none of them answered.
core::Result<GroupListing> list_groups(Connection& connection, const Budget& budget);

/// Topic names as small numbers, so that 48,000 committed offsets carry no strings.
class TopicNames {
 public:
  std::uint32_t intern(std::string_view name);
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
  std::vector<std::string> names_;
  std::uint32_t last_ = 0;
};

struct GroupQuery {
  std::string id;
  bool describe = false;
  bool all_partitions = true;  // else just those of `topics`
  std::vector<const Topic*> topics;
};

struct RawCommit {
  std::uint32_t topic = 0;  // in TopicNames
  std::int32_t partition = 0;
  Committed committed = Committed::unknown();
};

struct GroupDescription {
  GroupState state = GroupState::unknown;
  std::int32_t members = 0;
};

struct GroupAnswer {
  std::vector<RawCommit> commits;
  std::optional<core::Error> offsets_error;     // commits are then empty
  std::optional<core::Error> partition_error;   // the first of partitions that are unknown
  std::optional<GroupDescription> description;  // absent where not asked, failed or not supported
  std::optional<core::Error> description_error;
  bool coordinator_moved = false;
};

struct GroupAnswers {
  std::vector<GroupAnswer> answers;  // as the queries
  TopicNames topics;
};

/// Committed offsets (OffsetFetch, a request a group) and descriptions of many groups, a bounded number of
/// requests in flight. A group that fails says so in its answer. Errors: stopped, out of time before
/// anything was answered, no broker can be reached.
core::Result<GroupAnswers> read_groups(Connection& connection, const Budget& budget, std::chrono::milliseconds timeout,
                                       const std::vector<GroupQuery>& queries);

}  // namespace weir::kafka
