#pragma once

#include <cstdint>
#include <optional>

#include "collectors/time_lag.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// How far retention is behind a group on a topic: the smallest of its partitions that hold unread messages.
struct RetentionMargin {
  std::optional<std::int64_t> messages;  // committed - log start; negative when retention has overtaken the group
  std::optional<double> seconds;         // until the oldest unread message is deleted, if the group reads no more

  /// The earlier of two predictions: messages / pace of deletion; and retention.ms - age of the message, where the
  /// topic is not only compacted. Kafka deletes whole segments, so it may come later, not earlier.
  void add(std::int64_t margin, std::optional<double> deleted_per_second, const kafka::TopicConfig* config,
           const std::optional<TimeLag>& age);
};

}  // namespace weir::collectors
