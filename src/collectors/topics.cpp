#include "collectors/topics.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

constexpr MetricInfo kMetrics[] = {
    {"kafka_topic_partitions", MetricType::gauge, "Number of partitions of the topic."},
    {"kafka_topic_partition_current_offset", MetricType::gauge, "Log end offset (high watermark) of the partition."},
    {"kafka_topic_partition_oldest_offset", MetricType::gauge, "Log start offset of the partition."},
    {"kafka_topic_partition_leader", MetricType::gauge, "Broker id of the partition's leader, -1 while it is offline."},
    {"kafka_topic_partition_under_replicated_partition", MetricType::gauge,
     "1 when fewer replicas of the partition are in sync than it has."},
    {"kafka_topic_under_replicated_partitions", MetricType::gauge,
     "Partitions of the topic with fewer replicas in sync than they have."},
    {"kafka_topic_offline_partitions", MetricType::gauge, "Partitions of the topic without a leader."},
    {"kafka_topic_messages", MetricType::gauge, "Offsets between log start and log end, summed over partitions."},
    {"kafka_topic_records_per_second", MetricType::gauge,
     "Growth of the log end offsets per second since the previous cycle, summed over partitions."},
};

void build_topic_labels(std::string_view cluster, const std::string& name, TopicMemory::Topic& topic) {
  const auto label = [&](std::string_view metric) {
    return Labels::metric(metric, {{"cluster", cluster}, {"topic", name}});
  };
  topic.partition_count = label("kafka_topic_partitions");
  topic.under_replicated = label("kafka_topic_under_replicated_partitions");
  topic.offline = label("kafka_topic_offline_partitions");
  topic.messages = label("kafka_topic_messages");
  topic.rate = label("kafka_topic_records_per_second");
}

void build_partition_labels(std::string_view cluster, const std::string& name, std::int32_t id,
                            TopicMemory::Partition& partition) {
  const std::string number = std::to_string(id);
  const auto label = [&](std::string_view metric) {
    return Labels::metric(metric, {{"cluster", cluster}, {"topic", name}, {"partition", number}});
  };
  partition.current = label("kafka_topic_partition_current_offset");
  partition.oldest = label("kafka_topic_partition_oldest_offset");
  partition.leader = label("kafka_topic_partition_leader");
  partition.under_replicated = label("kafka_topic_partition_under_replicated_partition");
}

/// Adds up one topic, while its partitions are walked over.
struct Sum {
  std::int64_t messages = 0;
  bool messages_known = false;
  double per_second = 0;
  bool rate_known = false;
  bool rate_spoiled = false;  // by a partition that may have grown unseen
  const kafka::Partition* went_back = nullptr;
  std::int64_t before = 0;  // its end in the previous cycle

  void add(const kafka::Partition& now, core::Time time, TopicMemory::Partition& last) {
    if (now.offsets_known()) {
      grow(now, time, last);
      last.start = now.start;
      last.end = now.end;
      last.time = time;
    } else if (now.leader >= 0) {
      rate_spoiled = true;
    }
    if (last.end == kafka::kUnknownOffset) return;
    messages += std::max<std::int64_t>(0, last.end - last.start);
    messages_known = true;
  }

  void grow(const kafka::Partition& now, core::Time time, const TopicMemory::Partition& last) {
    if (last.end == kafka::kUnknownOffset || time <= last.time) return;
    rate_known = true;
    if (now.end >= last.end) {
      per_second += static_cast<double>(now.end - last.end) / core::to_seconds(time - last.time);
    } else if (went_back == nullptr) {
      went_back = &now;
      before = last.end;
    }
  }
};

class TopicSamples {
 public:
  TopicSamples(const KafkaCycle& cycle, core::Batch& batch) : cycle_(cycle), batch_(batch) {}

  void add(const Labels& labels, double value) { batch_.samples.push_back({labels, cycle_.now, value}); }

  TopicTotals topic(const kafka::Topic& topic, TopicMemory::Topic& memory) {
    if (memory.partition_count.empty()) build_topic_labels(cycle_.cluster, topic.name, memory);
    memory.partitions.resize(topic.partitions.size());
    int under_replicated = 0;
    int offline = 0;
    Sum sum;
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const kafka::Partition& partition = topic.partitions[i];
      this->partition(topic.name, partition, memory.partitions[i]);
      under_replicated += partition.in_sync < partition.replicas ? 1 : 0;
      offline += partition.leader < 0 ? 1 : 0;
      sum.add(partition, cycle_.now, memory.partitions[i]);
    }
    add(memory.partition_count, static_cast<double>(topic.partitions.size()));
    add(memory.under_replicated, under_replicated);
    add(memory.offline, offline);
    TopicTotals totals;
    if (sum.messages_known) totals.messages = sum.messages;
    if (sum.rate_known && !sum.rate_spoiled) totals.records_per_second = sum.per_second;
    if (totals.messages) add(memory.messages, static_cast<double>(*totals.messages));
    if (totals.records_per_second) add(memory.rate, *totals.records_per_second);
    if (sum.went_back != nullptr) recreated(topic.name, sum);
    return totals;
  }

 private:
  void partition(const std::string& name, const kafka::Partition& partition, TopicMemory::Partition& memory) {
    if (memory.current.empty()) build_partition_labels(cycle_.cluster, name, partition.id, memory);
    if (partition.end != kafka::kUnknownOffset) add(memory.current, static_cast<double>(partition.end));
    if (partition.start != kafka::kUnknownOffset) add(memory.oldest, static_cast<double>(partition.start));
    add(memory.leader, partition.leader);
    add(memory.under_replicated, partition.in_sync < partition.replicas ? 1 : 0);
  }

  void recreated(const std::string& name, const Sum& sum) {
    batch_.events.push_back(
        {cycle_.now, "topic_recreated", Labels{{"cluster", cycle_.cluster}, {"topic", name}},
         fmt::format("The log end offset of {} partition {} went back from {} to {}: the topic was deleted and created "
                     "anew, or lost records.",
                     name, sum.went_back->id, sum.before, sum.went_back->end)});
  }

  const KafkaCycle& cycle_;
  core::Batch& batch_;
};

}  // namespace

std::vector<TopicTotals> topics(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, TopicMemory& memory,
                                core::Batch& batch) {
  std::vector<TopicTotals> totals(snapshot.topics.size());
  TopicSamples samples(cycle, batch);
  for (std::size_t i = 0; i < snapshot.topics.size(); ++i) {
    const kafka::Topic& topic = snapshot.topics[i];
    TopicMemory::Topic& known = memory.topics[topic.name];
    known.seen = true;
    if (!topic.failed) totals[i] = samples.topic(topic, known);
  }
  forget_unseen(memory.topics);
  return totals;
}

std::span<const core::MetricInfo> topics_metrics() { return kMetrics; }

}  // namespace weir::collectors
