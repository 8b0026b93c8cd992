#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/time.h"
#include "kafka/groups.h"
#include "kafka/offsets_topic.h"

namespace weir::kafka {

/// Committed offsets as the records of __consumer_offsets leave them, over what OffsetFetch once said. Pure.
///
/// A group is complete once it was read by OffsetFetch after the stream began: what is committed later comes as a
/// record, and a record that is older than the answer is followed by the newer one before the table is read.
class CommitTable {
 public:
  struct Group {
    std::vector<RawCommit> commits;  // ascending by topic, partition; topics in names()
    bool complete = false;
    std::uint64_t records = 0;  // commits seen, one for each partition
    std::optional<core::Time> last_commit;
    bool seen = false;  // by forget_others()
  };

  /// Applies a record. At most 20,000 groups and a million commits are kept: what is beyond is not complete.
  void apply(const OffsetsRecord& record);
  /// What OffsetFetch said of a group, with names of its own.
  void put(const std::string& group, const std::vector<RawCommit>& commits, const TopicNames& names);
  /// Nullptr where nothing is known.
  const Group* find(std::string_view group) const;
  /// The group's commits with topics as `names` has them.
  std::vector<RawCommit> commits(const Group& group, TopicNames& names) const;
  /// Drops groups that are none of these.
  void forget_others(const std::vector<std::string_view>& kept);
  /// As before any record: no group is complete. Counts go on.
  void restart();

  const std::array<std::uint64_t, kOffsetsRecordKinds>& records() const { return records_; }
  std::size_t groups() const { return groups_.size(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  Group* group(std::string_view id);
  void start_over();
  void set(Group& group, std::uint32_t topic, std::int32_t partition, std::optional<std::int64_t> offset);

  TopicNames names_;
  std::unordered_map<std::string, Group, Hash, std::equal_to<>> groups_;
  std::size_t commits_ = 0;
  std::array<std::uint64_t, kOffsetsRecordKinds> records_{};
};

/// The partition of __consumer_offsets that holds a group's records: |hashCode of the id as Java has it| % partitions.
/// Nothing for ids that are not ASCII.
std::optional<std::int32_t> partition_of_group(std::string_view group, std::int32_t partitions);

}  // namespace weir::kafka
