#include "kafka/assemble.h"

#include <algorithm>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <limits>
#include <map>
#include <utility>

#include "kafka/errors.h"

namespace weir::kafka {
namespace {

constexpr std::uint32_t kNoTopic = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kShownPartitions = 8;
constexpr std::size_t kMaxFaults = 50;

std::uint32_t index_of(const std::vector<Topic>& topics, const std::string& name) {
  const auto found = std::ranges::lower_bound(topics, name, {}, &Topic::name);
  return found != topics.end() && found->name == name ? static_cast<std::uint32_t>(found - topics.begin()) : kNoTopic;
}

bool in_order(const GroupPartition& a, const GroupPartition& b) {
  return std::pair(a.topic, a.partition) < std::pair(b.topic, b.partition);
}

/// Commits sorted and in terms of the snapshot's topics.
std::vector<GroupPartition> translate(const std::vector<RawCommit>& commits, const std::vector<std::uint32_t>& index) {
  std::vector<GroupPartition> translated;
  translated.reserve(commits.size());
  for (const RawCommit& commit : commits) {
    if (index[commit.topic] != kNoTopic)
      translated.push_back({index[commit.topic], commit.partition, commit.committed});
  }
  if (!std::ranges::is_sorted(translated, in_order)) std::ranges::sort(translated, in_order);
  return translated;
}

/// All partitions of one topic, committed or not.
void add_topic(std::uint32_t topic_index, const Topic& topic, std::span<const GroupPartition> commits,
               std::vector<GroupPartition>& out) {
  if (topic.failed) {
    out.insert(out.end(), commits.begin(), commits.end());
    return;
  }
  auto commit = commits.begin();
  for (const Partition& partition : topic.partitions) {
    while (commit != commits.end() && commit->partition < partition.id) ++commit;
    const bool found = commit != commits.end() && commit->partition == partition.id;
    out.push_back({topic_index, partition.id, found ? commit->committed : Committed::none()});
  }
}

constexpr const char* kUnknownToLeader = ": added or deleted a moment ago; it is asked for again next cycle";

bool is_unknown_partition(int code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

/// "topic "orders", partition 3, 5": those of its partitions, "" when there is none.
template <class Wanted>
std::string partitions_text(const Topic& topic, const Wanted& wanted) {
  std::string ids;
  std::size_t count = 0;
  for (const Partition& partition : topic.partitions) {
    if (!wanted(partition)) continue;
    if (++count <= kShownPartitions) ids += (ids.empty() ? "" : ", ") + std::to_string(partition.id);
  }
  if (count == 0) return {};
  if (count > kShownPartitions) ids += fmt::format(" and {} more", count - kShownPartitions);
  return fmt::format("topic \"{}\", partition {}", topic.name, ids);
}

std::vector<GroupPartition> join(const ReadGroup& read, const std::vector<std::uint32_t>& index,
                                 const std::vector<Topic>& topics) {
  const std::vector<GroupPartition> commits = translate(read.answer.commits, index);
  std::vector<std::uint32_t> consumed;
  for (const std::string& name : read.topics) {
    if (const std::uint32_t topic = index_of(topics, name); topic != kNoTopic) consumed.push_back(topic);
  }
  for (const GroupPartition& commit : commits) {
    // Asked for and not committed is no sign that the group consumes the topic.
    if (!commit.committed.is_none() && (consumed.empty() || consumed.back() != commit.topic)) {
      consumed.push_back(commit.topic);
    }
  }
  std::ranges::sort(consumed);
  consumed.erase(std::ranges::unique(consumed).begin(), consumed.end());
  std::vector<GroupPartition> partitions;
  partitions.reserve(commits.size());
  for (const std::uint32_t topic : consumed) {
    const auto part = std::ranges::equal_range(commits, topic, {}, &GroupPartition::topic);
    add_topic(topic, topics[topic], {part.begin(), part.end()}, partitions);
  }
  return partitions;
}

}  // namespace

void join_groups(std::vector<ReadGroup> read, const TopicNames& names, const std::string& cluster, Snapshot& snapshot) {
  std::vector<std::uint32_t> index;
  for (const std::string& name : names.names()) index.push_back(index_of(snapshot.topics, name));
  std::ranges::sort(read, {}, &ReadGroup::id);
  snapshot.groups.reserve(read.size());
  for (ReadGroup& each : read) {
    const core::Labels scope{{"cluster", cluster}, {"consumergroup", each.id}};
    if (each.answer.description_error) snapshot.faults.push_back({std::move(*each.answer.description_error), scope});
    if (each.answer.partition_error) snapshot.faults.push_back({std::move(*each.answer.partition_error), scope});
    if (each.answer.offsets_error) {
      snapshot.faults.push_back({std::move(*each.answer.offsets_error), scope});
      continue;
    }
    Group group{.id = std::move(each.id),
                .state = each.state,
                .kind = each.kind,
                .members = each.members,
                .member_list = std::move(each.member_list),
                .partitions = {},
                .read_committed = each.read_committed};
    group.partitions = join(each, index, snapshot.topics);
    snapshot.groups.push_back(std::move(group));
  }
}

void drop_topics(Snapshot& snapshot, const std::vector<bool>& gone) {
  std::vector<std::uint32_t> moved(gone.size(), kNoTopic);
  std::uint32_t kept = 0;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (gone[i]) continue;
    moved[i] = kept;
    if (kept != i) snapshot.topics[kept] = std::move(snapshot.topics[i]);
    ++kept;
  }
  snapshot.topics.resize(kept);
  for (Group& group : snapshot.groups) {
    for (GroupPartition& partition : group.partitions) partition.topic = moved[partition.topic];
    std::erase_if(group.partitions, [](const GroupPartition& partition) { return partition.topic == kNoTopic; });
  }
}

void add_offset_faults(const std::string& cluster, const std::vector<int>& codes, Snapshot& snapshot) {
  for (std::size_t i = 0; i < snapshot.topics.size(); ++i) {
    const Topic& topic = snapshot.topics[i];
    bool leaderless = false;
    const std::string subject = partitions_text(topic, [&](const Partition& partition) {
      leaderless = leaderless || (!partition.offsets_known() && partition.leader < 0);
      return !partition.offsets_known();
    });
    if (subject.empty()) continue;
    const auto unavailable = [&](const char* why) {
      return core::fail(core::ErrorKind::unavailable, subject + why).error();
    };
    core::Error error = is_unknown_partition(codes[i]) ? unavailable(kUnknownToLeader)
                        : codes[i] != 0                ? to_error(codes[i], subject, {})
                        : leaderless ? unavailable(": offline, no broker leads it; check its replicas")
                                     : unavailable(": offsets unknown");
    snapshot.faults.push_back({std::move(error), core::Labels{{"cluster", cluster}, {"topic", topic.name}}});
  }
}

void add_stable_faults(const std::string& cluster, const std::vector<int>& codes, Snapshot& snapshot) {
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == 0) continue;
    const std::string subject = partitions_text(snapshot.topics[i], [](const Partition& partition) {
      return partition.end != kUnknownOffset && partition.stable == kUnknownOffset;
    });
    if (subject.empty()) continue;
    if (is_connection_error(codes[i])) {  // the second connection: one fault stands for all
      snapshot.faults.push_back({to_error(codes[i], "last stable offsets", {}), core::Labels{{"cluster", cluster}}});
      return;
    }
    // Added between two requests: it has none yet, and nothing is amiss.
    const bool is_new = is_unknown_partition(codes[i]);
    core::Error error =
        is_new ? core::fail(core::ErrorKind::unavailable, subject + ", last stable offset" + kUnknownToLeader).error()
               : to_error(codes[i], subject + ", last stable offset", {});
    snapshot.faults.push_back(
        {std::move(error), core::Labels{{"cluster", cluster}, {"topic", snapshot.topics[i].name}}, is_new});
  }
}

void limit_faults(const std::string& cluster, std::vector<core::Fault>& faults) {
  if (faults.size() <= kMaxFaults) return;
  std::map<std::pair<bool, core::ErrorKind>, std::pair<core::Error, std::size_t>> merged;
  for (core::Fault& fault : faults) {
    const std::pair kind(fault.no_value, fault.error.kind);
    ++merged.try_emplace(kind, std::move(fault.error), 0).first->second.second;
  }
  faults.clear();
  for (auto& [kind, first] : merged) {
    auto& [error, count] = first;
    if (count > 1)
      error.message = fmt::format("{} groups or topics could not be read; the first: {}", count, error.message);
    faults.push_back({std::move(error), core::Labels{{"cluster", cluster}}, kind.first});
  }
}

}  // namespace weir::kafka
