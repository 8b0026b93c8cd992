#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/time.h"

namespace weir::kafka {

/// An offset that could not be read. Never a number to count with.
inline constexpr std::int64_t kUnknownOffset = -1;

enum class GroupState : std::uint8_t { unknown, preparing_rebalance, completing_rebalance, stable, dead, empty };
/// Kafka's own spelling: "Stable", "PreparingRebalance" …
std::string_view to_string(GroupState state);

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

  bool offsets_known() const { return start != kUnknownOffset && end != kUnknownOffset; }
};

struct Topic {
  std::string name;
  std::vector<Partition> partitions;  // ascending by id
  bool failed = false;                // nothing of it could be read: a fault says why, partitions is empty
  bool dead_letter = false;
  std::optional<core::Time> newest_message;  // of a dead-letter topic that holds something

  /// The partition with this id, or nullptr.
  const Partition* find(std::int32_t id) const;
};

struct GroupPartition {
  std::uint32_t topic = 0;  // index into Snapshot::topics
  std::int32_t partition = 0;
  Committed committed = Committed::unknown();
};

struct Group {
  std::string id;
  GroupState state = GroupState::unknown;
  std::optional<std::int32_t> members;     // absent where the broker does not say
  std::vector<GroupPartition> partitions;  // of every topic it consumes, all partitions; ascending by topic, partition
};

/// One cluster at one moment: commits were read before end offsets, so end >= committed unless a topic
/// was cut. What could not be read is in `faults`, and left unknown or absent here.
struct Snapshot {
  std::int32_t brokers = 0;
  std::vector<Topic> topics;  // ascending by name
  std::vector<Group> groups;  // ascending by id
  std::vector<core::Fault> faults;
};

}  // namespace weir::kafka
