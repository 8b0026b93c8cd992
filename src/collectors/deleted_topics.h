#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/consumer_groups.h"
#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// What deleted_topics() keeps from cycle to cycle.
struct DeletedTopicMemory {
  struct Reader {
    std::string group;
    core::Labels labels;
  };
  struct Missing {
    core::Time since;  // the first cycle without it
    int cycles = 0;
    bool told = false;
    std::int64_t unread = 0;      // messages, of all of them
    std::vector<Reader> readers;  // that were reading it, or had messages unread
  };
  std::vector<std::string> names;  // of the last cycle, ascending
  std::map<std::string, Missing, std::less<>> missing;
  bool recalled = false;
};

/// Appends kafka_consumergroup_deleted_topic_seconds and the events topic_deleted and topic_recreated, of topics that
/// vanish from a cluster's metadata while consumer groups read them: groups with members, or with messages unread.
/// Brokers forget a topic's commits with it, so that a group's lag there would just be seen no more. A topic is deleted
/// once it is missing in three cycles; its series last until it is back or the group is gone, a day at most, and go on
/// after a restart by `cycle.past`. `groups` as of the cycle before. Pure apart from `memory`.
void deleted_topics(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, const GroupMemory& groups,
                    DeletedTopicMemory& memory, core::Batch& batch);

std::span<const core::MetricInfo> deleted_topics_metrics();

}  // namespace weir::collectors
