#include "collectors/cluster_totals.h"

#include <algorithm>
#include <string>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

/// An hour at a cycle of 15 s.
constexpr int kShownWithout = 240;

constexpr MetricInfo kMetrics[] = {
    {"kafka_brokers", MetricType::gauge, "Brokers of the cluster."},
    {"kafka_broker_leader_partitions", MetricType::gauge, "Partitions that the broker leads."},
    {"kafka_empty_topics", MetricType::gauge, "Topics of the cluster that hold no messages."},
    {"kafka_consumergroups_listed", MetricType::gauge, "Consumer groups of the cluster that the filter admits."},
    {"kafka_consumergroups_over_cap", MetricType::gauge,
     "Consumer groups that were listed and not read, because there are more than groups.max."},
    {"weir_kafka_series_truncated", MetricType::gauge,
     "Series left out of the last cycle by metrics.max_series, and clients beyond 100 of a group."},
};

void build_labels(std::string_view cluster, ClusterMemory& memory) {
  const auto label = [&](std::string_view metric) { return Labels::metric(metric, {{"cluster", cluster}}); };
  memory.brokers = label("kafka_brokers");
  memory.empty_topics = label("kafka_empty_topics");
  memory.groups_listed = label("kafka_consumergroups_listed");
  memory.groups_over_cap = label("kafka_consumergroups_over_cap");
  memory.truncated = label("weir_kafka_series_truncated");
}

void count_leaders(const kafka::Snapshot& snapshot, ClusterMemory& memory) {
  for (auto& [id, broker] : memory.leaders) broker.partitions = 0;
  for (const kafka::Topic& topic : snapshot.topics) {
    for (const kafka::Partition& partition : topic.partitions) {
      if (partition.leader >= 0) ++memory.leaders[partition.leader].partitions;
    }
  }
  for (auto& [id, broker] : memory.leaders) {
    broker.cycles_without = broker.partitions > 0 ? 0 : broker.cycles_without + 1;
  }
  std::erase_if(memory.leaders, [](const auto& entry) { return entry.second.cycles_without > kShownWithout; });
}

}  // namespace

void cluster_totals(const kafka::Snapshot& snapshot, const std::vector<TopicTotals>& totals, const KafkaCycle& cycle,
                    ClusterMemory& memory, core::Batch& batch) {
  if (memory.brokers.empty()) build_labels(cycle.cluster, memory);
  const auto add = [&](const Labels& labels, double value) { batch.samples.push_back({labels, cycle.now, value}); };
  add(memory.brokers, snapshot.brokers);
  add(memory.empty_topics,
      static_cast<double>(std::ranges::count_if(totals, [](const TopicTotals& topic) { return topic.messages == 0; })));
  add(memory.groups_listed, static_cast<double>(snapshot.groups_listed));
  add(memory.groups_over_cap, static_cast<double>(snapshot.groups_over_cap));
  count_leaders(snapshot, memory);
  for (auto& [id, broker] : memory.leaders) {
    if (broker.leads.empty()) {
      const std::string number = std::to_string(id);
      broker.leads = Labels::metric("kafka_broker_leader_partitions", {{"cluster", cycle.cluster}, {"broker", number}});
    }
    add(broker.leads, static_cast<double>(broker.partitions));
  }
}

std::span<const MetricInfo> cluster_totals_metrics() { return kMetrics; }

}  // namespace weir::collectors
