#include "collectors/topic_config.h"

#include <fmt/format.h>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;
using kafka::TopicConfig;

constexpr MetricInfo kMetrics[] = {
    {"kafka_topic_retention_seconds", MetricType::gauge, "The topic's retention.ms in seconds; +Inf without limit."},
    {"kafka_topic_retention_bytes", MetricType::gauge,
     "The topic's retention.bytes, for each partition; +Inf without limit."},
    {"kafka_topic_min_insync_replicas", MetricType::gauge, "The topic's min.insync.replicas."},
    {"kafka_topic_cleanup_policy", MetricType::gauge, "1 for the topic's cleanup.policy."},
    {"kafka_topic_config_changes_total", MetricType::counter,
     "Settings of the topic (retention, min.insync.replicas, cleanup.policy) that were seen to change."},
};

void build_labels(std::string_view cluster, const std::string& name, TopicConfigMemory::Topic& topic) {
  const auto label = [&](std::string_view metric) {
    return Labels::metric(metric, {{"cluster", cluster}, {"topic", name}});
  };
  topic.retention_seconds = label("kafka_topic_retention_seconds");
  topic.retention_bytes = label("kafka_topic_retention_bytes");
  topic.min_in_sync = label("kafka_topic_min_insync_replicas");
  topic.changes = label("kafka_topic_config_changes_total");
}

double limit(std::int64_t value, double unit) {
  return value < 0 ? std::numeric_limits<double>::infinity() : static_cast<double>(value) * unit;
}

std::string text(std::int64_t value) { return value < 0 ? "no limit" : std::to_string(value); }
std::string text(std::int32_t value) { return std::to_string(value); }

/// "retention.ms from 604800000 to 3600000"; only where both are known.
template <class Value>
void compare(std::string_view name, const std::optional<Value>& before, const std::optional<Value>& after,
             std::vector<std::string>& changes) {
  if (!before || !after || *before == *after) return;
  changes.push_back(fmt::format("{} from {} to {}", name, text(*before), text(*after)));
}

std::vector<std::string> differences(const TopicConfig& before, const TopicConfig& after) {
  std::vector<std::string> changes;
  if (!before.cleanup_policy.empty() && !after.cleanup_policy.empty() &&
      before.cleanup_policy != after.cleanup_policy) {
    changes.push_back(fmt::format("cleanup.policy from {} to {}", before.cleanup_policy, after.cleanup_policy));
  }
  compare("retention.ms", before.retention_ms, after.retention_ms, changes);
  compare("retention.bytes", before.retention_bytes, after.retention_bytes, changes);
  compare("min.insync.replicas", before.min_in_sync_replicas, after.min_in_sync_replicas, changes);
  return changes;
}

void note_changes(const std::string& name, const TopicConfig& now, const KafkaCycle& cycle,
                  TopicConfigMemory::Topic& known, core::Batch& batch) {
  const std::vector<std::string> changes = differences(*known.config, now);
  if (changes.empty()) return;
  known.changed += changes.size();
  std::string message = fmt::format("The settings of topic {} changed: ", name);
  for (std::size_t i = 0; i < changes.size(); ++i) message += (i == 0 ? "" : ", ") + changes[i];
  batch.events.push_back(
      {cycle.now, "topic_config_changed", Labels{{"cluster", cycle.cluster}, {"topic", name}}, message + "."});
}

}  // namespace

void topic_config(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, TopicConfigMemory& memory,
                  core::Batch& batch) {
  for (const kafka::Topic& topic : snapshot.topics) {
    TopicConfigMemory::Topic& known = memory.topics[topic.name];
    known.seen = true;
    if (topic.config != nullptr && topic.config != known.config) {
      if (known.retention_seconds.empty()) build_labels(cycle.cluster, topic.name, known);
      if (known.config != nullptr) note_changes(topic.name, *topic.config, cycle, known, batch);
      known.config = topic.config;
      known.policy =
          Labels::metric("kafka_topic_cleanup_policy",
                         {{"cluster", cycle.cluster}, {"topic", topic.name}, {"policy", known.config->cleanup_policy}});
    }
    if (known.config == nullptr) continue;
    const TopicConfig& config = *known.config;
    const auto add = [&](const Labels& labels, double value) { batch.samples.push_back({labels, cycle.now, value}); };
    if (config.retention_ms) add(known.retention_seconds, limit(*config.retention_ms, 0.001));
    if (config.retention_bytes) add(known.retention_bytes, limit(*config.retention_bytes, 1));
    if (config.min_in_sync_replicas) add(known.min_in_sync, *config.min_in_sync_replicas);
    if (!config.cleanup_policy.empty()) add(known.policy, 1);
    add(known.changes, static_cast<double>(known.changed));
  }
  forget_unseen(memory.topics);
}

std::span<const MetricInfo> topic_config_metrics() { return kMetrics; }

}  // namespace weir::collectors
