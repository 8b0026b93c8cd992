#include "collectors/consumer_groups.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;
using kafka::GroupPartition;

/// A group that one cycle could not read keeps its labels and last lags that long.
constexpr std::uint64_t kForgetAfter = 4;

/// Partition ids are indexes here; Kafka's clusters end well before this.
constexpr std::int32_t kMaxPartition = 1'000'000;

constexpr MetricInfo kMetrics[] = {
    {"kafka_consumergroup_members", MetricType::gauge, "Members of the consumer group."},
    {"kafka_consumergroup_state", MetricType::gauge, "1 for the present state of the consumer group."},
    {"kafka_consumergroup_current_offset", MetricType::gauge, "Offset the consumer group has committed."},
    {"kafka_consumergroup_lag", MetricType::gauge,
     "Messages the consumer group has yet to read: log end - max(committed, log start)."},
    {"kafka_consumergroup_lag_sum", MetricType::gauge, "Lag of the consumer group summed over a topic's partitions."},
    {"kafka_consumergroup_group_lag", MetricType::gauge, "Lag of the consumer group summed over its topics."},
    {"kafka_consumergroup_messages_lost", MetricType::gauge,
     "Messages deleted by retention before the consumer group read them: log start - committed."},
    {"kafka_consumergroup_uncommitted_partitions", MetricType::gauge,
     "Partitions of the topic that hold messages and for which the consumer group has committed no offset."},
};

/// Sums of one topic or group.
struct Sum {
  std::int64_t lag = 0;
  std::int64_t lost = 0;
  std::int64_t uncommitted = 0;
  bool uncommitted_known = true;  // no partition without a commit whose offsets could not be read
  bool known = false;             // some partition has a lag, now or before
};

class GroupSamples {
 public:
  GroupSamples(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, GroupMemory& memory, core::Batch& batch)
      : snapshot_(snapshot), cycle_(cycle), memory_(memory), batch_(batch) {}

  void group(const kafka::Group& group) {
    GroupMemory::Group& known = memory_.groups[group.id];
    const bool first = known.seen == 0;
    if (first) build_labels(group.id, known);
    if (group.members) add(known.members, *group.members);
    state(group, known, first);
    std::int64_t lag = 0;
    bool lag_known = false;
    for (std::size_t at = 0; at < group.partitions.size();) {
      std::size_t end = at + 1;
      while (end < group.partitions.size() && group.partitions[end].topic == group.partitions[at].topic) ++end;
      const Sum sum = topic(group, {group.partitions.data() + at, end - at}, known);
      lag += sum.lag;
      lag_known = lag_known || sum.known;
      at = end;
    }
    if (lag_known) add(known.lag, static_cast<double>(lag));
    known.seen = memory_.cycle;
    std::erase_if(known.topics, [&](const auto& topic) { return forgotten(topic.seen); });
  }

  bool forgotten(std::uint64_t seen) const { return memory_.cycle - seen >= kForgetAfter; }

 private:
  void add(const Labels& labels, double value) { batch_.samples.push_back({labels, cycle_.now, value}); }

  Labels label(std::string_view metric, std::string_view group) const {
    return Labels::metric(metric, {{"cluster", cycle_.cluster}, {"consumergroup", group}});
  }

  void build_labels(const std::string& id, GroupMemory::Group& known) const {
    known.members = label("kafka_consumergroup_members", id);
    known.lag = label("kafka_consumergroup_group_lag", id);
  }

  void state(const kafka::Group& group, GroupMemory::Group& known, bool first) {
    if (known.state_labels.empty() || known.state != group.state) {
      known.state_labels = label("kafka_consumergroup_state", group.id).with("state", kafka::to_string(group.state));
    }
    add(known.state_labels, 1);
    if (!first && known.state != group.state) {
      batch_.events.push_back({cycle_.now, "group_state_changed",
                               Labels{{"cluster", cycle_.cluster}, {"consumergroup", group.id}},
                               fmt::format("Consumer group {} went from {} to {}.", group.id,
                                           kafka::to_string(known.state), kafka::to_string(group.state))});
    }
    known.state = group.state;
  }

  GroupMemory::Topic& known_topic(const std::string& id, const std::string& name, GroupMemory::Group& known) const {
    const auto found = std::ranges::find(known.topics, name, &GroupMemory::Topic::name);
    if (found != known.topics.end()) return *found;
    const auto topic_label = [&](std::string_view metric) {
      return Labels::metric(metric, {{"cluster", cycle_.cluster}, {"consumergroup", id}, {"topic", name}});
    };
    GroupMemory::Topic& topic = known.topics.emplace_back();
    topic.name = name;
    topic.lag_sum = topic_label("kafka_consumergroup_lag_sum");
    topic.messages_lost = topic_label("kafka_consumergroup_messages_lost");
    topic.uncommitted = topic_label("kafka_consumergroup_uncommitted_partitions");
    return topic;
  }

  Sum topic(const kafka::Group& group, std::span<const GroupPartition> partitions, GroupMemory::Group& known) {
    const kafka::Topic& topic = snapshot_.topics[partitions.front().topic];
    GroupMemory::Topic& remembered = known_topic(group.id, topic.name, known);
    const auto highest = static_cast<std::size_t>(std::clamp(partitions.back().partition, 0, kMaxPartition));
    if (remembered.partitions.size() <= highest) remembered.partitions.resize(highest + 1);
    Sum sum;
    for (const GroupPartition& each : partitions) {
      if (each.partition < 0 || each.partition > kMaxPartition) continue;
      partition(group.id, topic, each, remembered.partitions[static_cast<std::size_t>(each.partition)], sum);
    }
    if (sum.known) {
      add(remembered.lag_sum, static_cast<double>(sum.lag));
      lost(group.id, sum.lost, remembered);
    }
    if (!topic.failed && sum.uncommitted_known) add(remembered.uncommitted, static_cast<double>(sum.uncommitted));
    remembered.seen = memory_.cycle;
    return sum;
  }

  void partition(const std::string& id, const kafka::Topic& topic, const GroupPartition& each,
                 GroupMemory::Partition& known, Sum& sum) {
    const kafka::Partition* log = topic.find(each.partition);
    if (each.committed.is_none()) {
      // Where nothing is to be read, nothing is to be committed.
      const bool offsets_known = log != nullptr && log->offsets_known();
      sum.uncommitted_known = sum.uncommitted_known && offsets_known;
      if (offsets_known && log->end > log->start) ++sum.uncommitted;
      known.lag_value = -1;
      return;
    }
    if (known.lag.empty()) build_labels(id, topic.name, each.partition, known);
    if (each.committed.is_offset()) add(known.current, static_cast<double>(each.committed.offset()));
    if (each.committed.is_offset() && log != nullptr && log->offsets_known()) {
      const std::int64_t committed = each.committed.offset();
      known.lag_value = std::max<std::int64_t>(0, log->end - std::max(committed, log->start));
      known.lost = std::max<std::int64_t>(0, log->start - committed);
      add(known.lag, static_cast<double>(known.lag_value));
    }
    if (known.lag_value < 0) return;
    sum.lag += known.lag_value;
    sum.lost += known.lost;
    sum.known = true;
  }

  void build_labels(const std::string& id, const std::string& topic, std::int32_t partition,
                    GroupMemory::Partition& known) const {
    const std::string number = std::to_string(partition);
    const auto partition_label = [&](std::string_view metric) {
      return Labels::metric(
          metric, {{"cluster", cycle_.cluster}, {"consumergroup", id}, {"topic", topic}, {"partition", number}});
    };
    known.current = partition_label("kafka_consumergroup_current_offset");
    known.lag = partition_label("kafka_consumergroup_lag");
  }

  /// The event marks when losing began, not each further message, nor what was lost before Weir came.
  void lost(const std::string& id, std::int64_t messages, GroupMemory::Topic& known) {
    add(known.messages_lost, static_cast<double>(messages));
    if (messages > 0 && known.last_lost == 0) {
      batch_.events.push_back({cycle_.now, "messages_lost",
                               Labels{{"cluster", cycle_.cluster}, {"consumergroup", id}, {"topic", known.name}},
                               fmt::format("Retention deleted {} messages of {} before consumer group {} read them.",
                                           messages, known.name, id)});
    }
    known.last_lost = messages;
  }

  const kafka::Snapshot& snapshot_;
  const KafkaCycle& cycle_;
  GroupMemory& memory_;
  core::Batch& batch_;
};

}  // namespace

void consumer_groups(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, GroupMemory& memory,
                     core::Batch& batch) {
  ++memory.cycle;
  GroupSamples samples(snapshot, cycle, memory, batch);
  for (const kafka::Group& group : snapshot.groups) samples.group(group);
  std::erase_if(memory.groups, [&](const auto& entry) { return samples.forgotten(entry.second.seen); });
}

std::span<const core::MetricInfo> consumer_groups_metrics() { return kMetrics; }

}  // namespace weir::collectors
