#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/series_budget.h"
#include "core/batch.h"
#include "core/labels.h"
#include "core/series_source.h"
#include "core/time.h"
#include "kafka/metric_settings.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// What the pure functions of one Kafka cycle are told besides the snapshot.
struct KafkaCycle {
  std::string_view cluster;
  core::Time now;
  const kafka::StatusSettings& status = kafka::kDefaultStatus;
  const kafka::MetricSettings& metrics = kafka::kDefaultMetrics;
  SeriesBudget* budget = nullptr;            // where one is set
  const core::SeriesSource* past = nullptr;  // earlier cycles' samples, of before a restart too
};

/// What topics() keeps from cycle to cycle: labels, so that a steady cycle builds none, and the last known
/// end offsets. Entries of topics that are gone are dropped.
struct TopicMemory {
  struct Partition {
    core::Labels current;
    core::Labels oldest;
    core::Labels leader;
    core::Labels under_replicated;
    core::Labels open_transaction;
    std::int64_t stable = kafka::kUnknownOffset;  // last known
    core::Time stable_since;                      // of `stable`
    bool kept = true;                             // by the series budget, in the last cycle
    std::int64_t start = kafka::kUnknownOffset;   // last known
    std::int64_t end = kafka::kUnknownOffset;     // last known
    core::Time time;                              // of `end`
  };
  struct Topic {
    core::Labels partition_count;
    core::Labels under_replicated;
    core::Labels offline;
    core::Labels messages;
    core::Labels rate;
    core::Labels replication;
    core::Labels under_min_in_sync;
    core::Labels not_preferred;
    core::Labels open_transaction;
    core::Labels newest_age;
    std::optional<core::Time> grew_at;  // a log end was last seen to go forward
    bool per_partition = true;          // has series for each
    std::vector<Partition> partitions;  // by position in the snapshot's topic
    bool seen = false;
  };
  std::map<std::string, Topic, std::less<>> topics;
  bool recalled = false;  // what was known before a restart
};

/// Drops the entries that this cycle did not mark as seen, and unmarks the others.
template <class Map>
void forget_unseen(Map& map) {
  for (auto entry = map.begin(); entry != map.end();) {
    entry = std::exchange(entry->second.seen, false) ? std::next(entry) : map.erase(entry);
  }
}

/// What the topics' own logs add up to, by index as Snapshot::topics.
struct TopicTotals {
  std::optional<std::int64_t> messages;      // absent where nothing of it was ever read
  std::optional<double> records_per_second;  // absent where a topic is first seen, and where ends could not be read
};

/// Appends the metrics of all topics and the event topic_recreated (a log end offset went back: the topic was
/// created anew or lost records).
///
/// The rate is the growth of the log end offsets since the previous cycle. A partition whose end went back
/// counts as not growing, so it is never negative; one without a leader as not growing either, since nothing
/// can be written to it. In the sum of messages a partition that could not be read counts as it was last
/// known: leaving it out would look like messages deleted. The age of the newest record is the time since a log end
/// was seen to go forward, which is at most a cycle too small; before that is seen it is only known where the snapshot
/// has it. The first cycle goes on from what `cycle.past` holds of the topics. Pure apart from `memory`.
std::vector<TopicTotals> topics(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, TopicMemory& memory,
                                core::Batch& batch);

std::span<const core::MetricInfo> topics_metrics();

}  // namespace weir::collectors
