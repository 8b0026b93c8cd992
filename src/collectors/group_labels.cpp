#include "collectors/group_labels.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

/// Clients of a group that have a series.
constexpr std::size_t kMostClients = 100;

constexpr MetricInfo kMetrics[] = {
    {"kafka_consumergroup_members", MetricType::gauge, "Members of the consumer group."},
    {"kafka_consumergroup_state", MetricType::gauge, "1 for the present state of the consumer group."},
    {"kafka_consumergroup_info", MetricType::gauge,
     "1 for the kind of the consumer group: classic, consumer (KIP-848), simple (assign-only), connect or streams."},
    {"kafka_consumergroup_member_partitions", MetricType::gauge,
     "Partitions assigned to the group's members with this client id on this host."},
    {"kafka_consumergroup_current_offset", MetricType::gauge, "Offset the consumer group has committed."},
    {"kafka_consumergroup_lag", MetricType::gauge,
     "Messages the consumer group has yet to read: log end - max(committed, log start)."},
    {"kafka_consumergroup_lag_sum", MetricType::gauge, "Lag of the consumer group summed over a topic's partitions."},
    {"kafka_consumergroup_group_lag", MetricType::gauge, "Lag of the consumer group summed over its topics."},
    {"kafka_consumergroup_lag_seconds", MetricType::gauge,
     "How long ago the next message that the consumer group will read was appended; 0 where it has read all."},
    {"kafka_consumergroup_lag_seconds_max", MetricType::gauge,
     "Largest lag in seconds of the consumer group on the topic's partitions."},
    {"kafka_consumergroup_group_lag_seconds", MetricType::gauge,
     "Largest lag in seconds of the consumer group on all its partitions."},
    {"kafka_consumergroup_group_lag_seconds_error", MetricType::gauge,
     "The truth is within that many seconds of kafka_consumergroup_group_lag_seconds; +Inf with method at_least: it is "
     "that or more."},
    {"kafka_consumergroup_status", MetricType::gauge,
     "1 for the worst status of the group's partitions: IDLE, OK, UNKNOWN, WARN, REWIND, STALL or STOP."},
    {"kafka_consumergroup_status_partitions", MetricType::gauge,
     "Partitions of the topic on which the group is WARN, REWIND, STALL or STOP; absent where there is none."},
    {"kafka_consumergroup_partition_status", MetricType::gauge,
     "1 for the group's status on a partition where it is WARN, REWIND, STALL or STOP."},
    {"kafka_consumergroup_catch_up_seconds", MetricType::gauge,
     "When the consumer group will have read all at its present pace and the producers'; absent when never."},
    {"kafka_consumergroup_records_per_second", MetricType::gauge,
     "Messages per second by which the group's commits on the topic went forward, over up to the status window."},
    {"kafka_consumergroup_messages_lost", MetricType::gauge,
     "Messages deleted by retention before the consumer group read them: log start - committed."},
    {"kafka_consumergroup_uncommitted_partitions", MetricType::gauge,
     "Partitions of the topic that hold messages and for which the consumer group has committed no offset."},
    {"kafka_consumergroup_rewinds_total", MetricType::counter,
     "Times that the consumer group's commit on a partition of the topic went back."},
    {"kafka_consumergroup_beyond_end_partitions", MetricType::gauge,
     "Partitions of the topic where the group's commit is beyond the log end: the topic was truncated or created "
     "anew."},
    {"kafka_consumergroup_retention_margin_messages", MetricType::gauge,
     "Smallest committed - log start of the topic's partitions that hold unread messages."},
    {"kafka_consumergroup_retention_margin_seconds", MetricType::gauge,
     "Predicted seconds until retention deletes the oldest unread message of the topic; absent where not known."},
};

}  // namespace

Labels GroupLabels::of_group(std::string_view metric, std::string_view id) const {
  return Labels::metric(metric, {{"cluster", cluster_}, {"consumergroup", id}});
}

Labels GroupLabels::of_topic(std::string_view metric, std::string_view id, std::string_view topic) const {
  return Labels::metric(metric, {{"cluster", cluster_}, {"consumergroup", id}, {"topic", topic}});
}

void GroupLabels::build(const std::string& id, GroupMemory::Group& group) const {
  group.members = of_group("kafka_consumergroup_members", id);
  group.lag = of_group("kafka_consumergroup_group_lag", id);
  group.lag_seconds = of_group("kafka_consumergroup_group_lag_seconds", id);
  group.catch_up = of_group("kafka_consumergroup_catch_up_seconds", id);
}

void GroupLabels::build(const std::string& id, const std::string& name, GroupMemory::Topic& topic) const {
  topic.name = name;
  topic.lag_sum = of_topic("kafka_consumergroup_lag_sum", id, name);
  topic.lag_seconds_max = of_topic("kafka_consumergroup_lag_seconds_max", id, name);
  topic.messages_lost = of_topic("kafka_consumergroup_messages_lost", id, name);
  topic.uncommitted = of_topic("kafka_consumergroup_uncommitted_partitions", id, name);
  topic.rewinds = of_topic("kafka_consumergroup_rewinds_total", id, name);
  topic.beyond_end = of_topic("kafka_consumergroup_beyond_end_partitions", id, name);
  topic.margin = of_topic("kafka_consumergroup_retention_margin_messages", id, name);
  topic.margin_seconds = of_topic("kafka_consumergroup_retention_margin_seconds", id, name);
  topic.rate = of_topic("kafka_consumergroup_records_per_second", id, name);
}

void GroupLabels::build(const std::string& id, const std::string& topic, std::int32_t number,
                        GroupMemory::Partition& partition) const {
  const std::string text = std::to_string(number);
  const auto label = [&](std::string_view metric) {
    return Labels::metric(metric,
                          {{"cluster", cluster_}, {"consumergroup", id}, {"topic", topic}, {"partition", text}});
  };
  partition.current = label("kafka_consumergroup_current_offset");
  partition.lag = label("kafka_consumergroup_lag");
}

Labels GroupLabels::trouble(std::string_view id, std::string_view topic, std::int32_t number,
                            GroupStatus status) const {
  const std::string text = std::to_string(number);
  return Labels::metric("kafka_consumergroup_partition_status", {{"cluster", cluster_},
                                                                 {"consumergroup", id},
                                                                 {"topic", topic},
                                                                 {"partition", text},
                                                                 {"status", to_string(status)}});
}

void GroupLabels::build_clients(const std::string& id, const std::vector<kafka::Member>& members,
                                GroupMemory::Group& group) const {
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> partitions;
  for (const kafka::Member& member : members) partitions[{member.client_id, member.host}] += member.assignment.size();
  group.clients.clear();
  for (const auto& [client, count] : partitions) {
    group.clients.push_back(
        {Labels::metric(
             "kafka_consumergroup_member_partitions",
             {{"cluster", cluster_}, {"consumergroup", id}, {"client_id", client.first}, {"host", client.second}}),
         count});
  }
  std::ranges::stable_sort(group.clients, std::greater<>(), &GroupMemory::Client::partitions);
  group.clients_left_out = group.clients.size() - std::min(group.clients.size(), kMostClients);
  group.clients.resize(group.clients.size() - group.clients_left_out);
}

std::span<const MetricInfo> consumer_groups_metrics() { return kMetrics; }

}  // namespace weir::collectors
