#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// Labels and last known settings of topics, kept from cycle to cycle.
struct TopicConfigMemory {
  struct Topic {
    core::Labels retention_seconds;
    core::Labels retention_bytes;
    core::Labels min_in_sync;
    core::Labels policy;
    core::Labels changes;
    std::shared_ptr<const kafka::TopicConfig> config;  // last known
    std::uint64_t changed = 0;                         // settings, in all cycles
    bool seen = false;
  };
  std::map<std::string, Topic, std::less<>> topics;
  std::optional<core::Time> since;  // the first cycle
  /// From before a restart, by topic; kept for a while.
  std::map<std::string, std::shared_ptr<const kafka::TopicConfig>, std::less<>> recalled;
};

/// Appends the settings of each topic where they are known, and the event topic_config_changed where one is another
/// than it was. Settings are read seldom: the last known ones stand. Pure apart from `memory`.
void topic_config(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, TopicConfigMemory& memory,
                  core::Batch& batch);

std::span<const core::MetricInfo> topic_config_metrics();

}  // namespace weir::collectors
