#pragma once

#include "collectors/topic_config.h"
#include "collectors/topics.h"

namespace weir::collectors {

/// Fills the memory of the snapshot's topics with what `cycle.past` holds of them from before a restart: the last known
/// offsets of their partitions, and when a log end was last seen to go forward. That is not known of a topic that has
/// no series by partition: what came while Weir was away could not be told.
void recall_topics(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, TopicMemory& memory);

/// Topics' settings are read on a slow lane. Until those of a topic were, and for 10 minutes after the start at most,
/// it gets those that `cycle.past` holds: what is judged by them goes on over a restart, and a setting that was changed
/// meanwhile is seen to have changed.
void recall_topic_configs(const KafkaCycle& cycle, TopicConfigMemory& memory, kafka::Snapshot& snapshot);

}  // namespace weir::collectors
