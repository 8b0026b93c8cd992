#include "kafka/commit_table.h"

#include <algorithm>
#include <utility>

namespace weir::kafka {
namespace {

constexpr std::size_t kMostGroups = 20'000;
constexpr std::size_t kMostCommits = 1'000'000;
constexpr std::size_t kMostTopics = 200'000;  // of topics that were deleted since too

constexpr auto kPlace = [](const RawCommit& commit) { return std::pair(commit.topic, commit.partition); };

}  // namespace

CommitTable::Group* CommitTable::group(std::string_view id) {
  const auto known = groups_.find(id);
  if (known != groups_.end()) return &known->second;
  if (groups_.size() >= kMostGroups) return nullptr;
  return &groups_.emplace(id, Group{}).first->second;
}

void CommitTable::set(Group& group, std::uint32_t topic, std::int32_t partition, std::optional<std::int64_t> offset) {
  const auto at = std::ranges::lower_bound(group.commits, std::pair(topic, partition), {}, kPlace);
  const bool known = at != group.commits.end() && kPlace(*at) == std::pair(topic, partition);
  if (offset && known) {
    at->committed = Committed::at(*offset);
  } else if (offset && commits_ < kMostCommits) {
    group.commits.insert(at, {topic, partition, Committed::at(*offset)});
    ++commits_;
  } else if (offset) {
    group.complete = false;
  } else if (known) {
    group.commits.erase(at);
    --commits_;
  }
}

void CommitTable::apply(const OffsetsRecord& record) {
  ++records_[static_cast<std::size_t>(record.kind)];
  if (record.kind == OffsetsRecordKind::group_metadata && record.tombstone) {
    const auto gone = groups_.find(record.group);
    if (gone == groups_.end()) return;
    gone->second.complete = false;  // OffsetFetch says what is left: commits have tombstones of their own
    return;
  }
  if (record.kind != OffsetsRecordKind::offset_commit) return;
  if (names_.names().size() > kMostTopics) start_over();
  Group* const known = group(record.group);
  if (known == nullptr) return;
  const std::uint32_t topic = names_.intern(record.commit.topic);
  set(*known, topic, record.commit.partition, record.tombstone ? std::nullopt : std::optional(record.commit.offset));
  if (record.tombstone) return;
  ++known->records;
  if (record.commit.committed_ms < 0) return;
  const core::Time at{std::chrono::milliseconds(record.commit.committed_ms)};
  if (!known->last_commit || *known->last_commit < at) known->last_commit = at;
}

void CommitTable::start_over() {
  for (auto& [id, known] : groups_) {
    known.commits.clear();
    known.complete = false;
  }
  commits_ = 0;
  names_ = {};
}

void CommitTable::put(const std::string& id, const std::vector<RawCommit>& commits, const TopicNames& names) {
  Group* const known = group(id);
  if (known == nullptr) return;
  commits_ -= known->commits.size();
  known->commits.clear();
  known->complete = false;
  for (const RawCommit& commit : commits) {
    if (commit.committed.is_unknown()) return;  // asked for again
    if (commit.committed.is_none()) continue;
    if (commits_ >= kMostCommits) return;
    known->commits.push_back({names_.intern(names.names()[commit.topic]), commit.partition, commit.committed});
    ++commits_;
  }
  std::ranges::sort(known->commits, {}, kPlace);
  known->complete = true;
}

const CommitTable::Group* CommitTable::find(std::string_view id) const {
  const auto known = groups_.find(id);
  return known == groups_.end() ? nullptr : &known->second;
}

std::vector<RawCommit> CommitTable::commits(const Group& group, TopicNames& names) const {
  std::vector<RawCommit> commits = group.commits;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool any = false;
  for (RawCommit& commit : commits) {  // a topic's commits stand together
    if (!any || commit.topic != from) {
      from = commit.topic;
      to = names.intern(names_.names()[from]);
      any = true;
    }
    commit.topic = to;
  }
  return commits;
}

void CommitTable::forget_others(const std::vector<std::string_view>& kept) {
  for (const std::string_view id : kept) {
    if (const auto known = groups_.find(id); known != groups_.end()) known->second.seen = true;
  }
  for (auto known = groups_.begin(); known != groups_.end();) {
    if (std::exchange(known->second.seen, false)) {
      ++known;
      continue;
    }
    commits_ -= known->second.commits.size();
    known = groups_.erase(known);
  }
}

void CommitTable::restart() {
  for (auto& [id, known] : groups_) known.complete = false;
}

std::optional<std::int32_t> partition_of_group(std::string_view group, std::int32_t partitions) {
  if (partitions <= 0) return std::nullopt;
  std::uint32_t hash = 0;
  for (const char c : group) {
    if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    hash = hash * 31U + static_cast<unsigned char>(c);
  }
  const auto value = static_cast<std::int32_t>(hash);
  // org.apache.kafka.common.utils.Utils.abs
  const std::int32_t positive = value == INT32_MIN ? 0 : value < 0 ? -value : value;
  return positive % partitions;
}

}  // namespace weir::kafka
