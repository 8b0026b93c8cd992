#include "collectors/compat.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;
using kafka::CompatSettings;

constexpr MetricInfo kMetrics[] = {
    {"burrow_kafka_consumer_lag_total", MetricType::gauge, "The sum of all partition current lag values for the group"},
    {"burrow_kafka_consumer_status", MetricType::gauge,
     "The status of the consumer group: 1 OK, 2 WARN, 3 ERR (STOP, STALL, REWIND)"},
    {"burrow_kafka_topic_partition_status", MetricType::gauge,
     "The status of the group's partition: 1 OK, 2 WARN, 4 STOP, 5 STALL, 6 REWIND"},
    {"burrow_kafka_consumer_current_offset", MetricType::gauge, "Latest offset committed for this partition"},
    {"burrow_kafka_consumer_partition_lag", MetricType::gauge,
     "Number of messages the consumer group is behind by for a partition"},
    {"burrow_kafka_topic_partition_offset", MetricType::gauge, "Latest offset of the topic for this partition"},
    {"kafka_consumergroup_current_offset_sum", MetricType::gauge,
     "Offsets the consumer group has committed, summed over the topic's partitions"},
    {"kafka_topic_partition_replicas", MetricType::gauge, "Replicas of the partition"},
    {"kafka_topic_partition_in_sync_replica", MetricType::gauge, "Replicas of the partition that are in sync"},
    {"kafka_topic_partition_leader_is_preferred", MetricType::gauge,
     "1 when the partition is led by the first of its replicas"},
    {"kafka_consumergroup_group_offset", MetricType::gauge, "Offset of the last commit for this partition"},
    {"kafka_consumergroup_group_topic_sum_lag", MetricType::gauge, "Lag of the group summed over the topic"},
    {"kafka_consumergroup_group_sum_lag", MetricType::gauge, "Lag of the group summed over all its partitions"},
    {"kafka_consumergroup_group_max_lag", MetricType::gauge, "Largest lag of the group on a partition"},
    {"kafka_consumergroup_group_max_lag_seconds", MetricType::gauge, "Largest lag of the group in seconds"},
    {"kafka_partition_latest_offset", MetricType::gauge, "Log end offset of the partition"},
    {"kafka_partition_earliest_offset", MetricType::gauge, "Log start offset of the partition"},
    {"kminion_kafka_topic_info", MetricType::gauge, "Info labels for a given topic"},
    {"kminion_kafka_topic_partition_low_water_mark", MetricType::gauge, "Partition Low Water Mark"},
    {"kminion_kafka_topic_low_water_mark_sum", MetricType::gauge, "Sum of all the topic's partition low water marks"},
    {"kminion_kafka_topic_partition_high_water_mark", MetricType::gauge, "Partition High Water Mark"},
    {"kminion_kafka_topic_high_water_mark_sum", MetricType::gauge, "Sum of all the topic's partition high water marks"},
    {"kminion_kafka_consumer_group_info", MetricType::gauge, "1 if the group is in the stable state, otherwise 0"},
    {"kminion_kafka_consumer_group_members", MetricType::gauge, "Members of the consumer group"},
    {"kminion_kafka_consumer_group_topic_offset_sum", MetricType::gauge,
     "Committed group offsets summed over all partitions of a topic"},
    {"kminion_kafka_consumer_group_topic_partition_lag", MetricType::gauge,
     "Messages the consumer group is behind the end of the partition"},
    {"kminion_kafka_consumer_group_topic_lag", MetricType::gauge,
     "Messages the consumer group is behind, over all partitions of the topic"},
};

/// The labels of one program, where they are not Weir's.
struct Names {
  bool CompatSettings::*set;
  std::string_view cluster = "cluster";
  std::string_view group = "consumergroup";
  std::string_view topic = "topic";
  std::string_view partition = "partition";
};
constexpr Names kBurrow{.set = &CompatSettings::burrow, .group = "consumer_group"};
constexpr Names kLagExporter{.set = &CompatSettings::kafka_lag_exporter, .cluster = "cluster_name", .group = "group"};
constexpr Names kKminion{
    .set = &CompatSettings::kminion, .group = "group_id", .topic = "topic_name", .partition = "partition_id"};

constexpr std::string_view kLeader = "kafka_topic_partition_leader";

struct Rename {
  std::string_view from;
  std::string_view to;
  const Names& names;
};
constexpr std::array kRenames = {
    Rename{"kafka_consumergroup_lag", "burrow_kafka_consumer_partition_lag", kBurrow},
    Rename{"kafka_consumergroup_lag", "kafka_consumergroup_group_lag", kLagExporter},
    Rename{"kafka_consumergroup_lag", "kminion_kafka_consumer_group_topic_partition_lag", kKminion},
    Rename{"kafka_consumergroup_current_offset", "burrow_kafka_consumer_current_offset", kBurrow},
    Rename{"kafka_consumergroup_current_offset", "kafka_consumergroup_group_offset", kLagExporter},
    Rename{"kafka_consumergroup_lag_seconds", "kafka_consumergroup_group_lag_seconds", kLagExporter},
    Rename{"kafka_consumergroup_lag_sum", "kafka_consumergroup_group_topic_sum_lag", kLagExporter},
    Rename{"kafka_consumergroup_lag_sum", "kminion_kafka_consumer_group_topic_lag", kKminion},
    Rename{"kafka_consumergroup_group_lag", "burrow_kafka_consumer_lag_total", kBurrow},
    Rename{"kafka_consumergroup_group_lag", "kafka_consumergroup_group_sum_lag", kLagExporter},
    Rename{"kafka_consumergroup_group_lag_seconds", "kafka_consumergroup_group_max_lag_seconds", kLagExporter},
    Rename{"kafka_consumergroup_members", "kminion_kafka_consumer_group_members", kKminion},
    Rename{"kafka_topic_partition_current_offset", "burrow_kafka_topic_partition_offset", kBurrow},
    Rename{"kafka_topic_partition_current_offset", "kafka_partition_latest_offset", kLagExporter},
    Rename{"kafka_topic_partition_current_offset", "kminion_kafka_topic_partition_high_water_mark", kKminion},
    Rename{"kafka_topic_partition_oldest_offset", "kafka_partition_earliest_offset", kLagExporter},
    Rename{"kafka_topic_partition_oldest_offset", "kminion_kafka_topic_partition_low_water_mark", kKminion},
};

Labels renamed(const Labels& labels, const Rename& rename) {
  return Labels::metric(rename.to, {{rename.names.cluster, labels.get("cluster")},
                                    {rename.names.group, labels.get("consumergroup")},
                                    {rename.names.topic, labels.get("topic")},
                                    {rename.names.partition, labels.get("partition")}});
}

std::int32_t partition_number(const Labels& labels) {
  const std::string_view text = labels.get("partition");
  std::int32_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// kafka-lag-exporter's labels of who reads the partition; it calls them "unknown" where nobody does, and keeps the
/// slash that brokers put before a host.
Labels with_owner(const Labels& labels, const Labels& own, const CompatMemory::Owners* owners) {
  const std::pair where(std::string(own.get("topic")), partition_number(own));
  const kafka::Member* owner = nullptr;
  if (owners != nullptr && owners->members != nullptr) {
    const auto found = std::ranges::find_if(*owners->members, [&](const kafka::Member& member) {
      return std::ranges::binary_search(member.assignment, where);
    });
    if (found != owners->members->end()) owner = &*found;
  }
  return core::LabelsBuilder(labels)
      .set("member_host", owner == nullptr ? "unknown" : "/" + owner->host)
      .set("consumer_id", owner == nullptr ? "unknown" : owner->id)
      .set("client_id", owner == nullptr ? "unknown" : owner->client_id)
      .build();
}

/// Burrow's numbers, protocol.StatusConstant.
double burrow_number(GroupStatus status) {
  switch (status) {
    case GroupStatus::idle:
    case GroupStatus::ok:
    case GroupStatus::unknown: return 1;
    case GroupStatus::warn: return 2;
    case GroupStatus::rewind: return 6;
    case GroupStatus::stall: return 5;
    case GroupStatus::stop: return 4;
  }
  return 1;
}

class CompatSamples {
 public:
  CompatSamples(const KafkaCycle& cycle, CompatMemory& memory, core::Batch& batch)
      : cycle_(cycle), set_(cycle.metrics.compat), memory_(memory), batch_(batch) {}

  /// Labels of groups whose partitions went to other members are built anew.
  void note_owners(const kafka::Snapshot& snapshot) {
    if (!set_.kafka_lag_exporter) return;
    std::set<std::string_view> changed;
    for (const kafka::Group& group : snapshot.groups) {
      CompatMemory::Owners& known = memory_.owners[group.id];
      known.seen = memory_.cycle;
      if (known.members == group.member_list) continue;
      const bool same =
          known.members != nullptr && group.member_list != nullptr && *known.members == *group.member_list;
      known.members = group.member_list;
      if (!same) changed.insert(group.id);
    }
    if (changed.empty() || memory_.renamed.empty()) return;
    std::erase_if(memory_.renamed,
                  [&](const auto& entry) { return changed.contains(entry.first.get("consumergroup")); });
  }

  void rename_all() {
    if (set_.kafka_exporter) note_partitions();
    const std::size_t own = batch_.samples.size();
    for (std::size_t i = 0; i < own; ++i) {
      const Labels labels = batch_.samples[i].labels;
      const std::string_view name = labels.name();
      const bool wanted = std::ranges::any_of(
          kRenames, [&](const Rename& rename) { return set_.*(rename.names.set) && rename.from == name; });
      if (!wanted) continue;
      CompatMemory::Renamed& known = memory_.renamed[labels];
      if (known.labels.empty()) {
        for (const Rename& rename : kRenames) {
          if (set_.*(rename.names.set) && rename.from == name) known.labels.push_back(renamed_fully(labels, rename));
        }
      }
      known.seen = memory_.cycle;
      for (const Labels& other : known.labels) add(other, batch_.samples[i].value);
    }
  }

  void group(const kafka::Group& group, const GroupMemory::Group& judged) {
    CompatMemory::Group& known = memory_.groups[group.id];
    known.seen = memory_.cycle;
    if (set_.kminion) kminion_group(group, known);
    std::int64_t largest = -1;
    for (const GroupMemory::Topic& topic : judged.topics) {
      for (const GroupMemory::Partition& partition : topic.partitions) largest = std::max(largest, partition.lag_value);
      group_topic(group.id, topic, known);
    }
    if (set_.kafka_lag_exporter && largest >= 0) {
      if (known.lag_exporter_max.empty()) {
        known.lag_exporter_max = Labels::metric("kafka_consumergroup_group_max_lag",
                                                {{"cluster_name", cycle_.cluster}, {"group", group.id}});
      }
      add(known.lag_exporter_max, static_cast<double>(largest));
    }
    if (set_.burrow && judged.status) {
      if (known.burrow_status.empty()) {
        known.burrow_status =
            Labels::metric("burrow_kafka_consumer_status", {{"cluster", cycle_.cluster}, {"consumer_group", group.id}});
      }
      add(known.burrow_status, std::min(3.0, burrow_number(*judged.status)));
    }
  }

  void topic(const kafka::Topic& topic) {
    CompatMemory::Topic& known = memory_.topics[topic.name];
    known.seen = true;
    if (topic.failed) return;
    if (set_.kminion) kminion_topic(topic, known);
    if (set_.kafka_exporter && cycle_.metrics.partition_topics.admits(topic.name)) exporter_topic(topic, known);
  }

 private:
  void add(const Labels& labels, double value) { batch_.samples.push_back({labels, cycle_.now, value}); }

  /// Topics' partitions that the series budget kept.
  void note_partitions() {
    if (cycle_.budget == nullptr) return;
    for (const core::Sample& sample : batch_.samples) {
      if (sample.labels.name() != kLeader) continue;
      kept_.emplace(sample.labels.get("topic"), partition_number(sample.labels));
    }
  }
  bool is_kept(const std::string& topic, std::int32_t partition) const {
    return cycle_.budget == nullptr || kept_.contains({topic, partition});
  }

  Labels renamed_fully(const Labels& labels, const Rename& rename) const {
    Labels plain = renamed(labels, rename);
    if (&rename.names != &kLagExporter || !labels.has("consumergroup") || !labels.has("partition")) return plain;
    const auto owners = memory_.owners.find(std::string(labels.get("consumergroup")));
    return with_owner(plain, labels, owners == memory_.owners.end() ? nullptr : &owners->second);
  }

  void kminion_group(const kafka::Group& group, CompatMemory::Group& known) {
    if (known.kminion_info.empty() || known.state != group.state) {
      known.state = group.state;
      known.kminion_info = Labels::metric(
          "kminion_kafka_consumer_group_info",
          {{"cluster", cycle_.cluster}, {"group_id", group.id}, {"state", kafka::to_string(group.state)}});
    }
    add(known.kminion_info, group.state == kafka::GroupState::stable ? 1 : 0);
  }

  CompatMemory::GroupTopic& known_topic(const std::string& id, const std::string& name, CompatMemory::Group& group) {
    const auto found = std::ranges::find(group.topics, name, &CompatMemory::GroupTopic::name);
    if (found != group.topics.end()) return *found;
    CompatMemory::GroupTopic& topic = group.topics.emplace_back();
    topic.name = name;
    topic.kminion_offset_sum = Labels::metric("kminion_kafka_consumer_group_topic_offset_sum",
                                              {{"cluster", cycle_.cluster}, {"group_id", id}, {"topic_name", name}});
    topic.exporter_offset_sum = Labels::metric("kafka_consumergroup_current_offset_sum",
                                               {{"cluster", cycle_.cluster}, {"consumergroup", id}, {"topic", name}});
    return topic;
  }

  void group_topic(const std::string& id, const GroupMemory::Topic& judged, CompatMemory::Group& group) {
    if (!set_.burrow && !set_.kminion && !set_.kafka_exporter) return;
    CompatMemory::GroupTopic& known = known_topic(id, judged.name, group);
    known.burrow_status.resize(judged.partitions.size());
    std::int64_t committed = 0;
    bool any = false;
    for (std::size_t i = 0; i < judged.partitions.size(); ++i) {
      const GroupMemory::Partition& partition = judged.partitions[i];
      if (!partition.progress.known()) continue;
      committed += partition.progress.committed();
      any = true;
      if (set_.burrow && judged.per_partition && partition.kept) burrow_partition(id, judged, i, known);
    }
    if (any && set_.kminion) add(known.kminion_offset_sum, static_cast<double>(committed));
    if (any && set_.kafka_exporter) add(known.exporter_offset_sum, static_cast<double>(committed));
  }

  void burrow_partition(const std::string& id, const GroupMemory::Topic& judged, std::size_t number,
                        CompatMemory::GroupTopic& known) {
    if (known.burrow_status[number].empty()) {
      const std::string text = std::to_string(number);
      known.burrow_status[number] = Labels::metric(
          "burrow_kafka_topic_partition_status",
          {{"cluster", cycle_.cluster}, {"consumer_group", id}, {"topic", judged.name}, {"partition", text}});
    }
    add(known.burrow_status[number], burrow_number(judged.partitions[number].status));
  }

  void kminion_topic(const kafka::Topic& topic, CompatMemory::Topic& known) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    bool all = true;
    std::int32_t replication = 0;
    for (const kafka::Partition& partition : topic.partitions) {
      all = all && partition.offsets_known();
      low += partition.start;
      high += partition.end;
      replication = std::max(replication, partition.replicas);
    }
    const std::string_view policy =
        topic.config != nullptr ? topic.config->cleanup_policy : std::string_view(known.policy);
    if (known.kminion_info.empty() || known.partition_count != topic.partitions.size() ||
        known.replication != replication || known.policy != policy) {
      known.policy = std::string(policy);
      known.partition_count = topic.partitions.size();
      known.replication = replication;
      const std::string partitions = std::to_string(known.partition_count);
      const std::string factor = std::to_string(replication);
      known.kminion_info = Labels::metric("kminion_kafka_topic_info", {{"cluster", cycle_.cluster},
                                                                       {"topic_name", topic.name},
                                                                       {"partition_count", partitions},
                                                                       {"replication_factor", factor},
                                                                       {"cleanup_policy", known.policy}});
      known.kminion_low = Labels::metric("kminion_kafka_topic_low_water_mark_sum",
                                         {{"cluster", cycle_.cluster}, {"topic_name", topic.name}});
      known.kminion_high = Labels::metric("kminion_kafka_topic_high_water_mark_sum",
                                          {{"cluster", cycle_.cluster}, {"topic_name", topic.name}});
    }
    add(known.kminion_info, 1);
    if (!all) return;
    add(known.kminion_low, static_cast<double>(low));
    add(known.kminion_high, static_cast<double>(high));
  }

  void exporter_topic(const kafka::Topic& topic, CompatMemory::Topic& known) {
    known.partitions.resize(topic.partitions.size());
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const kafka::Partition& partition = topic.partitions[i];
      CompatMemory::TopicPartition& labels = known.partitions[i];
      if (!is_kept(topic.name, partition.id)) {
        labels = {};
        continue;
      }
      if (labels.replicas.empty()) {
        const std::string number = std::to_string(partition.id);
        const auto label = [&](std::string_view metric) {
          return Labels::metric(metric, {{"cluster", cycle_.cluster}, {"topic", topic.name}, {"partition", number}});
        };
        labels.replicas = label("kafka_topic_partition_replicas");
        labels.in_sync = label("kafka_topic_partition_in_sync_replica");
        labels.preferred = label("kafka_topic_partition_leader_is_preferred");
      }
      add(labels.replicas, partition.replicas);
      add(labels.in_sync, partition.in_sync);
      add(labels.preferred, partition.leader >= 0 && partition.preferred_leader ? 1 : 0);
    }
  }

  const KafkaCycle& cycle_;
  const CompatSettings& set_;
  CompatMemory& memory_;
  core::Batch& batch_;
  std::set<std::pair<std::string, std::int32_t>> kept_;
};

}  // namespace

void compat(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, const GroupMemory& groups, CompatMemory& memory,
            core::Batch& batch) {
  if (!cycle.metrics.compat.any()) return;
  ++memory.cycle;
  CompatSamples samples(cycle, memory, batch);
  samples.note_owners(snapshot);
  samples.rename_all();
  for (const kafka::Group& group : snapshot.groups) {
    const auto judged = groups.groups.find(group.id);
    if (judged != groups.groups.end()) samples.group(group, judged->second);
  }
  for (const kafka::Topic& topic : snapshot.topics) samples.topic(topic);
  const auto gone = [&](const auto& entry) { return entry.second.seen != memory.cycle; };
  std::erase_if(memory.renamed, gone);
  std::erase_if(memory.groups, gone);
  std::erase_if(memory.owners, gone);
  forget_unseen(memory.topics);
}

std::size_t compat_copies(const Labels& labels, const CompatSettings& settings) {
  if (!settings.any()) return 1;
  const std::string_view name = labels.name();
  const auto renames = static_cast<std::size_t>(std::ranges::count_if(
      kRenames, [&](const Rename& rename) { return settings.*(rename.names.set) && rename.from == name; }));
  const std::size_t of_commit = settings.burrow && name == "kafka_consumergroup_current_offset" ? 1 : 0;
  const std::size_t of_topic = settings.kafka_exporter && name == kLeader ? 3 : 0;
  return 1 + renames + of_commit + of_topic;
}

std::size_t compat_sums(const kafka::Snapshot& snapshot, const GroupMemory& groups,
                        const kafka::CompatSettings& settings) {
  if (!settings.any()) return 0;
  const auto count = [](bool set) { return set ? std::size_t{1} : std::size_t{0}; };
  const std::size_t of_group = count(settings.kminion) + count(settings.kafka_lag_exporter) + count(settings.burrow);
  const std::size_t of_group_topic = count(settings.kminion) + count(settings.kafka_exporter);
  std::size_t sums = 0;
  for (const kafka::Group& group : snapshot.groups) {
    const auto judged = groups.groups.find(group.id);
    if (judged != groups.groups.end()) sums += of_group + judged->second.topics.size() * of_group_topic;
  }
  return sums + 3 * count(settings.kminion) * snapshot.topics.size();
}

std::span<const MetricInfo> compat_metrics() { return kMetrics; }

}  // namespace weir::collectors
