#include "collectors/topic_recall.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "collectors/kafka_past.h"

namespace weir::collectors {
namespace {

constexpr core::Duration kSpan = std::chrono::hours(24);
/// By then the slow lane has been everywhere, twice.
constexpr core::Duration kSettingsKept = std::chrono::minutes(10);

/// The topic of the snapshot that a series is of, or nullptr.
const kafka::Topic* topic_of(const kafka::Snapshot& snapshot, const core::Labels& labels) {
  const std::string_view name = labels.get("topic");
  const auto found = std::ranges::lower_bound(snapshot.topics, name, {}, &kafka::Topic::name);
  return found != snapshot.topics.end() && found->name == name && !found->failed ? &*found : nullptr;
}

/// The partition that a series is of, by the snapshot's positions; null when the topic has it no more.
TopicMemory::Partition* partition_of(const kafka::Topic& topic, const core::Labels& labels, TopicMemory& memory) {
  const std::string_view text = labels.get("partition");
  std::int32_t id = -1;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  const kafka::Partition* found = read.ec == std::errc() ? topic.find(id) : nullptr;
  if (found == nullptr) return nullptr;
  auto& partitions = memory.topics[topic.name].partitions;
  partitions.resize(topic.partitions.size());
  return &partitions[static_cast<std::size_t>(found - topic.partitions.data())];
}

/// Calls `use(topic, labels, point)` with the newest point of each series of the snapshot's topics.
template <class Use>
void newest(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, std::string_view metric, const Use& use) {
  visit_newest(cycle, metric, kSpan, [&](const core::Labels& labels, const core::Point& point) {
    if (const kafka::Topic* topic = topic_of(snapshot, labels)) use(*topic, labels, point);
  });
}

/// Of what a store holds under this name, whoever wrote it.
std::int64_t to_whole(double value) { return std::llround(std::clamp(value, -1.0, 9e15)); }

/// In milliseconds or bytes; +Inf says that there is no limit.
std::int64_t to_limit(double value, double unit) { return std::isinf(value) ? -1 : to_whole(value * unit); }

auto read_configs(const kafka::Snapshot& snapshot, const KafkaCycle& cycle) {
  std::map<std::string, kafka::TopicConfig, std::less<>> configs;
  newest(snapshot, cycle, "kafka_topic_retention_seconds", [&](const auto& topic, const auto&, const auto& point) {
    configs[topic.name].retention_ms = to_limit(point.value, 1000);
  });
  newest(snapshot, cycle, "kafka_topic_retention_bytes", [&](const auto& topic, const auto&, const auto& point) {
    configs[topic.name].retention_bytes = to_limit(point.value, 1);
  });
  newest(snapshot, cycle, "kafka_topic_min_insync_replicas", [&](const auto& topic, const auto&, const auto& point) {
    configs[topic.name].min_in_sync_replicas =
        static_cast<std::int32_t>(std::min<std::int64_t>(to_whole(point.value), 1000));
  });
  newest(snapshot, cycle, "kafka_topic_cleanup_policy", [&](const auto& topic, const auto& labels, const auto&) {
    configs[topic.name].cleanup_policy = labels.get("policy");
  });
  return configs;
}

}  // namespace

void recall_topics(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, TopicMemory& memory) {
  newest(snapshot, cycle, "kafka_topic_partition_oldest_offset",
         [&](const kafka::Topic& topic, const core::Labels& labels, const core::Point& point) {
           if (auto* known = partition_of(topic, labels, memory)) known->start = to_whole(point.value);
         });
  newest(snapshot, cycle, "kafka_topic_partition_current_offset",
         [&](const kafka::Topic& topic, const core::Labels& labels, const core::Point& point) {
           auto* known = partition_of(topic, labels, memory);
           if (known == nullptr || known->start == kafka::kUnknownOffset) return;
           known->end = to_whole(point.value);
           known->time = point.time;
         });
  newest(snapshot, cycle, "kafka_topic_newest_record_age_seconds",
         [&](const kafka::Topic& topic, const core::Labels&, const core::Point& point) {
           const auto known = memory.topics.find(topic.name);
           const bool whole = known != memory.topics.end() &&
                              std::ranges::none_of(known->second.partitions,
                                                   [](const auto& each) { return each.end == kafka::kUnknownOffset; });
           if (!whole) return;
           const auto age = to_whole(point.value * 1000);
           known->second.grew_at = point.time - std::chrono::milliseconds(age);
         });
}

void recall_topic_configs(const KafkaCycle& cycle, TopicConfigMemory& memory, kafka::Snapshot& snapshot) {
  if (!memory.since) {
    memory.since = cycle.now;
    if (cycle.past == nullptr) return;
    for (auto& [topic, config] : read_configs(snapshot, cycle)) {
      memory.recalled[topic] = std::make_shared<const kafka::TopicConfig>(std::move(config));
    }
  }
  if (cycle.now - *memory.since >= kSettingsKept) memory.recalled.clear();
  if (memory.recalled.empty()) return;
  for (kafka::Topic& topic : snapshot.topics) {
    const auto known = memory.recalled.find(topic.name);
    if (known == memory.recalled.end()) continue;
    if (topic.config == nullptr) {
      topic.config = known->second;
      continue;
    }
    auto& last = memory.topics[topic.name].config;
    if (last == nullptr) last = known->second;  // to compare with
    memory.recalled.erase(known);
  }
}

}  // namespace weir::collectors
