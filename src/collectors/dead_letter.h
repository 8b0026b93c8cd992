#pragma once

#include <map>
#include <span>
#include <string>

#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// Labels of dead-letter topics, kept from cycle to cycle.
struct DeadLetterMemory {
  struct Topic {
    core::Labels messages;
    core::Labels rate;
    core::Labels age;
    bool seen = false;
  };
  std::map<std::string, Topic, std::less<>> topics;
};

/// Appends depth, arrival rate and the newest message's age of each dead-letter topic; `totals` is what
/// topics() returned. The age is absent while the topic is empty; a message from the future is 0 s old.
/// Pure apart from `memory`.
void dead_letter(const kafka::Snapshot& snapshot, std::span<const TopicTotals> totals, const KafkaCycle& cycle,
                 DeadLetterMemory& memory, core::Batch& batch);

std::span<const core::MetricInfo> dead_letter_metrics();

}  // namespace weir::collectors
