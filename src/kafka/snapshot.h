#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/batch.h"
#include "core/time.h"
#include "kafka/dead_letter_headers.h"
#include "kafka/offsets_topic.h"

namespace weir::kafka {

/// An offset that could not be read. Never a number to count with.
inline constexpr std::int64_t kUnknownOffset = -1;

enum class GroupState : std::uint8_t { unknown, preparing_rebalance, completing_rebalance, stable, dead, empty };
/// Kafka's own spelling: "Stable", "PreparingRebalance" …
std::string_view to_string(GroupState state);

/// How a group's members agree on who reads what: `simple` ones do not (assign-only consumers, which commit while
/// Empty), `consumer` is the protocol of KIP-848, `classic` the older one; Connect and Streams use it too.
enum class GroupKind : std::uint8_t { unknown, classic, consumer, simple, connect, streams };
/// As Kafka's tools spell it: "classic", "consumer", "simple", "connect", "streams"; "unknown".
std::string_view to_string(GroupKind kind);

/// What a group has committed for a partition: an offset, nothing, or something that could not be read.
/// Three different answers, in eight bytes.
class Committed {
 public:
  static constexpr Committed at(std::int64_t offset) { return Committed(offset); }
  static constexpr Committed none() { return Committed(kNone); }
  static constexpr Committed unknown() { return Committed(kUnknown); }

  constexpr bool is_offset() const { return value_ >= 0; }
  constexpr bool is_none() const { return value_ == kNone; }
  constexpr bool is_unknown() const { return value_ == kUnknown; }
  /// Only where is_offset().
  constexpr std::int64_t offset() const { return value_; }
  constexpr bool operator==(const Committed&) const = default;

 private:
  static constexpr std::int64_t kNone = -1;
  static constexpr std::int64_t kUnknown = -2;
  explicit constexpr Committed(std::int64_t value) : value_(value) {}
  std::int64_t value_;
};

struct Partition {
  std::int32_t id = 0;
  std::int32_t leader = -1;  // broker id, -1 while there is none
  std::int32_t replicas = 0;
  std::int32_t in_sync = 0;
  std::int64_t start = kUnknownOffset;  // oldest offset still in the log
  std::int64_t end = kUnknownOffset;    // log end offset (high watermark): the next to be written
  /// Last stable offset: before it no transaction is open. Unknown where the cluster is not asked for it.
  std::int64_t stable = kUnknownOffset;
  bool preferred_leader = true;  // the leader is the first of the replicas

  bool offsets_known() const { return start != kUnknownOffset && end != kUnknownOffset; }
};

/// The settings of a topic that are looked at; absent where the broker does not say.
struct TopicConfig {
  std::optional<std::int32_t> min_in_sync_replicas;
  std::optional<std::int64_t> retention_ms;     // -1: for ever
  std::optional<std::int64_t> retention_bytes;  // -1: no limit
  std::string cleanup_policy;                   // "delete", "compact", "compact,delete"; "" where not known
  bool operator==(const TopicConfig&) const = default;
};

/// A message of a dead-letter topic that was looked at.
struct DeadLetter {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  core::Time time;
  DeadLetterReason reason;
  std::string preview;  // how the value begins, not masked; "" unless wanted
};

struct Topic {
  std::string name;
  std::vector<Partition> partitions;  // ascending by id
  bool failed = false;                // nothing of it could be read: a fault says why, partitions is empty
  bool dead_letter = false;
  std::shared_ptr<const TopicConfig> config;  // null until read; read seldom
  std::optional<core::Time> newest_message;   // of a dead-letter topic that holds something
  std::optional<core::Time> oldest_message;   // of a dead-letter topic that holds something
  std::vector<DeadLetter> dead_letters;       // of a dead-letter topic: those looked at in this cycle, the newest

  /// The partition with this id, or nullptr.
  const Partition* find(std::int32_t id) const;
};

struct GroupPartition {
  std::uint32_t topic = 0;  // index into Snapshot::topics
  std::int32_t partition = 0;
  Committed committed = Committed::unknown();
};

struct Member {
  std::string id;
  std::string client_id;
  std::string host;                                              // without the slash that brokers put before it
  std::vector<std::pair<std::string, std::int32_t>> assignment;  // topic, partition; ascending
  bool operator==(const Member&) const = default;
};

struct Group {
  std::string id;
  GroupState state = GroupState::unknown;
  GroupKind kind = GroupKind::unknown;
  std::optional<std::int32_t> members;  // absent where the broker does not say
  /// Null where it was never described; else of the last description, which is made seldom.
  std::shared_ptr<const std::vector<Member>> member_list;
  std::vector<GroupPartition> partitions;  // of every topic it consumes, all partitions; ascending by topic, partition
  bool read_committed = false;             // configured to be: it reads up to Partition::stable, not to the end
  /// Of groups whose commits are streamed: how many were seen (one for each partition) since the stream began, and when
  /// the last was made.
  std::optional<std::uint64_t> commit_records = {};
  std::optional<core::Time> last_commit = {};
};

/// Something to be told once, that spoils nothing: what it is about besides the cluster is in the sentence.
struct Notice {
  std::string kind;     // of the event it becomes
  std::string message;  // one sentence for a person
};

/// How the stream of __consumer_offsets fares.
struct OffsetsStreamStatus {
  bool live = false;                                         // else every group is asked for its commits
  std::size_t groups = 0;                                    // whose commits came from it in this cycle
  std::array<std::uint64_t, kOffsetsRecordKinds> records{};  // that were seen, by OffsetsRecordKind
};

/// One cluster at one moment: commits were read before end offsets, so end >= committed unless a topic
/// was cut. What could not be read is in `faults`, and left unknown or absent here.
struct Snapshot {
  std::int32_t brokers = 0;
  std::vector<Topic> topics;        // ascending by name
  std::vector<Group> groups;        // ascending by id
  std::size_t groups_listed = 0;    // that the filter admits
  std::size_t groups_over_cap = 0;  // of them, not read
  std::size_t configs_denied = 0;   // topics whose settings may not be read
  std::vector<core::Fault> faults;
  std::vector<Notice> notices;
  std::optional<OffsetsStreamStatus> offsets_stream;  // where it is configured
};

}  // namespace weir::kafka
