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
  /// `simple`, or `classic` and `consumer` where librdkafka tells (2.6 and later); else unknown.
  GroupKind kind = GroupKind::unknown;
  std::int32_t broker = -1;        // its coordinator
  std::int32_t other_broker = -1;  // that lists it as well: one of them has lost it
};

struct GroupListing {
  std::vector<ListedGroup> groups;  // in no order; one that moves may be listed by two brokers
  std::vector<core::Error> errors;  // of brokers that did not list theirs
  BrokerIds silent;                 // of those the ones that did not answer in time
  std::size_t answered = 0;         // brokers that listed theirs
};

/// ListGroups of each of these brokers. Once one of them has answered, the others are waited for no longer than
/// `patience` from the start. Errors: none of them answered.
core::Result<GroupListing> list_groups(Connection& connection, const Budget& budget, const BrokerIds& brokers,
                                       std::chrono::milliseconds patience);

/// Sends ListGroups to a broker; its answer comes to `queue`, an error after `timeout`.
void send_list_groups(Connection& connection, std::int32_t broker, std::chrono::milliseconds timeout,
                      rd_kafka_queue_s* queue);

/// Sends a request that is answered with next to nothing.
void send_touch(Connection& connection, std::int32_t broker, std::chrono::milliseconds timeout,
                rd_kafka_queue_s* queue);

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
  BrokerIds brokers;  // to ask, until one coordinates the group
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
  /// Never unknown; `consumer` for a group that the broker describes as dead to clients of the older protocol, so
  /// only of one that exists.
  GroupKind kind = GroupKind::unknown;
  std::optional<std::vector<Member>> members;  // ascending by id; absent where the broker does not say
};

struct GroupAnswer {
  std::int32_t broker = -1;  // that answered
  std::vector<RawCommit> commits;
  std::optional<core::Error> offsets_error;     // commits are then empty
  std::optional<core::Error> partition_error;   // the first of partitions that are unknown
  std::optional<GroupDescription> description;  // absent where not asked, failed or not supported
  std::optional<core::Error> description_error;
};

struct GroupAnswers {
  std::vector<GroupAnswer> answers;  // as the queries
  TopicNames topics;
  BrokerIds silent;  // that let a request time out
};

/// Committed offsets (OffsetFetch, a request a group), then descriptions, of many groups; a bounded number of
/// requests in flight to each broker. Brokers are addressed directly: librdkafka 2.0's own way to a coordinator
/// caches it for ever and touches freed memory when a request has timed out before one is found.
/// A group that fails says so in its answer; so does one of a broker in `silent`, which is not asked. Errors: stopped,
/// out of time before anything was answered, no broker can be reached.
core::Result<GroupAnswers> read_groups(Connection& connection, const Budget& budget, std::chrono::milliseconds timeout,
                                       const std::vector<GroupQuery>& queries, const BrokerIds& silent = {});

}  // namespace weir::kafka
