#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// Why messages are dead letters, as told from each other.
struct DeadLetterReasonKey {
  std::string origin;
  std::string exception;
  std::string component;
  auto operator<=>(const DeadLetterReasonKey&) const = default;
};

/// Labels of dead-letter topics and the newest letters that were looked at, kept from cycle to cycle.
struct DeadLetterMemory {
  struct Letter {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    core::Time time;
    DeadLetterReasonKey reason;
    std::string message;
    std::string preview;
  };
  struct Reason {
    core::Labels labels;
    std::size_t letters = 0;  // of the window
  };
  struct Topic {
    core::Labels messages;
    core::Labels rate;
    core::Labels newest_age;
    core::Labels oldest_age;
    core::Labels others;        // letters whose reasons have no series of their own
    std::deque<Letter> window;  // the newest that are still in the topic, ascending by time
    std::map<DeadLetterReasonKey, Reason> reasons;
    std::size_t other_letters = 0;
    std::deque<core::Time> named;  // when reasons got a series, in the last hour
    bool seen = false;
  };
  std::map<std::string, Topic, std::less<>> topics;
};

/// Appends depth, arrival rate, the newest and oldest message's age of each dead-letter topic, and what the newest 50
/// letters that were looked at are there for; `totals` is what topics() returned. Ages are absent while the topic is
/// empty; a message from the future is 0 s old.
///
/// Letters are told apart by origin topic, exception class and component. At most 10 reasons of a topic have a series,
/// and at most 30 new ones an hour; the letters of others are summed as "other". A new reason is the event
/// dead_letter_reason, whose sentence quotes the exception's message (and the letter, where a preview is wanted)
/// masked. Pure apart from `memory`.
void dead_letter(const kafka::Snapshot& snapshot, std::span<const TopicTotals> totals, const KafkaCycle& cycle,
                 DeadLetterMemory& memory, core::Batch& batch);

std::span<const core::MetricInfo> dead_letter_metrics();

}  // namespace weir::collectors
