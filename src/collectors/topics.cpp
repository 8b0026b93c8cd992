#include "collectors/topics.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "collectors/topic_recall.h"

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
    {"kafka_topic_replication_factor", MetricType::gauge, "Smallest number of replicas of the topic's partitions."},
    {"kafka_topic_under_min_isr_partitions", MetricType::gauge,
     "Partitions of the topic with fewer replicas in sync than min.insync.replicas: they take no writes with "
     "acks=all."},
    {"kafka_topic_leader_not_preferred_partitions", MetricType::gauge,
     "Partitions of the topic that are led by another broker than the first of their replicas."},
    {"kafka_topic_partition_open_transaction_messages", MetricType::gauge,
     "Messages from the first open transaction on, which read_committed consumers do not get: high watermark - last "
     "stable offset."},
    {"kafka_topic_open_transaction_seconds", MetricType::gauge,
     "For how long the last stable offset of a partition of the topic has stood still before the high watermark; the "
     "largest."},
    {"kafka_topic_newest_record_age_seconds", MetricType::gauge,
     "Time since a record was last appended to the topic; absent until that was seen."},
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
  topic.replication = label("kafka_topic_replication_factor");
  topic.under_min_in_sync = label("kafka_topic_under_min_isr_partitions");
  topic.not_preferred = label("kafka_topic_leader_not_preferred_partitions");
  topic.open_transaction = label("kafka_topic_open_transaction_seconds");
  topic.newest_age = label("kafka_topic_newest_record_age_seconds");
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
  partition.open_transaction = label("kafka_topic_partition_open_transaction_messages");
}

void drop_labels(TopicMemory::Partition& partition) {
  partition.current = partition.oldest = partition.leader = partition.under_replicated =
      partition.open_transaction = {};
}

/// Adds up one topic, while its partitions are walked over.
struct Sum {
  std::int64_t messages = 0;
  bool messages_known = false;
  double per_second = 0;
  bool rate_known = false;
  bool grew = false;
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
    grew = grew || now.end > last.end;
    if (now.end >= last.end) {
      per_second += static_cast<double>(now.end - last.end) / core::to_seconds(time - last.time);
    } else if (went_back == nullptr) {
      went_back = &now;
      before = last.end;
    }
  }
};

/// Counts what is amiss with the replicas of one topic.
struct Replicas {
  int under_replicated = 0;
  int offline = 0;
  int under_min_in_sync = 0;
  int not_preferred = 0;
  std::int32_t factor = std::numeric_limits<std::int32_t>::max();

  void add(const kafka::Partition& partition, std::int32_t min_in_sync) {
    under_replicated += partition.in_sync < partition.replicas ? 1 : 0;
    offline += partition.leader < 0 ? 1 : 0;
    under_min_in_sync += partition.in_sync < min_in_sync ? 1 : 0;
    not_preferred += partition.leader >= 0 && !partition.preferred_leader ? 1 : 0;
    factor = std::min(factor, partition.replicas);
  }
};

/// The longest time that a last stable offset has stood still before its high watermark.
struct OpenTransactions {
  core::Duration longest{0};
  bool known = false;

  void add(const kafka::Partition& now, core::Time time, TopicMemory::Partition& last) {
    if (now.stable == kafka::kUnknownOffset || now.end == kafka::kUnknownOffset) return;
    known = true;
    if (now.stable != last.stable || now.stable >= now.end) last.stable_since = time;
    last.stable = now.stable;
    longest = std::max(longest, time - last.stable_since);
  }
};

class TopicSamples {
 public:
  TopicSamples(const KafkaCycle& cycle, core::Batch& batch) : cycle_(cycle), batch_(batch) {}

  void add(const Labels& labels, double value) { batch_.samples.push_back({labels, cycle_.now, value}); }

  TopicTotals topic(const kafka::Topic& topic, TopicMemory::Topic& memory) {
    if (memory.partition_count.empty()) {
      build_topic_labels(cycle_.cluster, topic.name, memory);
      memory.per_partition = cycle_.metrics.partition_topics.admits(topic.name);
    }
    memory.partitions.resize(topic.partitions.size());
    const bool min_known = topic.config != nullptr && topic.config->min_in_sync_replicas;
    const std::int32_t min_in_sync = min_known ? *topic.config->min_in_sync_replicas : 0;
    Replicas replicas;
    OpenTransactions transactions;
    Sum sum;
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const kafka::Partition& partition = topic.partitions[i];
      if (memory.per_partition) this->partition(topic.name, partition, memory.partitions[i]);
      replicas.add(partition, min_in_sync);
      transactions.add(partition, cycle_.now, memory.partitions[i]);
      sum.add(partition, cycle_.now, memory.partitions[i]);
    }
    add(memory.partition_count, static_cast<double>(topic.partitions.size()));
    show(replicas, min_known, memory);
    if (transactions.known) add(memory.open_transaction, core::to_seconds(transactions.longest));
    TopicTotals totals;
    if (sum.messages_known) totals.messages = sum.messages;
    if (sum.rate_known && !sum.rate_spoiled) totals.records_per_second = sum.per_second;
    if (totals.messages) add(memory.messages, static_cast<double>(*totals.messages));
    if (totals.records_per_second) add(memory.rate, *totals.records_per_second);
    if (sum.went_back != nullptr) memory.grew_at.reset();  // that was another log
    if (sum.grew) memory.grew_at = cycle_.now;
    newest(topic, memory);
    if (sum.went_back != nullptr) recreated(topic.name, sum);
    return totals;
  }

 private:
  void partition(const std::string& name, const kafka::Partition& partition, TopicMemory::Partition& memory) {
    if (cycle_.budget != nullptr && cycle_.budget->leaves_out(-1, memory.kept, 4)) {
      drop_labels(memory);
      return;
    }
    if (memory.current.empty()) build_partition_labels(cycle_.cluster, name, partition.id, memory);
    const std::size_t first = batch_.samples.size();
    if (partition.end != kafka::kUnknownOffset) add(memory.current, static_cast<double>(partition.end));
    if (partition.start != kafka::kUnknownOffset) add(memory.oldest, static_cast<double>(partition.start));
    add(memory.leader, partition.leader);
    add(memory.under_replicated, partition.in_sync < partition.replicas ? 1 : 0);
    if (partition.stable != kafka::kUnknownOffset && partition.end != kafka::kUnknownOffset) {
      add(memory.open_transaction, static_cast<double>(std::max<std::int64_t>(0, partition.end - partition.stable)));
    }
    if (cycle_.budget != nullptr) cycle_.budget->note(first, batch_, -1, memory.kept);
  }

  void show(const Replicas& replicas, bool min_known, const TopicMemory::Topic& memory) {
    add(memory.under_replicated, replicas.under_replicated);
    add(memory.offline, replicas.offline);
    add(memory.not_preferred, replicas.not_preferred);
    if (min_known) add(memory.under_min_in_sync, replicas.under_min_in_sync);
    if (replicas.factor != std::numeric_limits<std::int32_t>::max()) add(memory.replication, replicas.factor);
  }

  void newest(const kafka::Topic& topic, const TopicMemory::Topic& memory) {
    const std::optional<core::Time> time = memory.grew_at ? memory.grew_at : topic.newest_message;
    if (time) add(memory.newest_age, core::to_seconds(std::max(core::Duration{0}, cycle_.now - *time)));
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
  if (!std::exchange(memory.recalled, true) && cycle.past != nullptr) recall_topics(snapshot, cycle, memory);
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
