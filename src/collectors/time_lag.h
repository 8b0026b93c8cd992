#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/topics.h"
#include "core/time.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// How a time lag was found. `at_least`: the offset is older than all that is known, so that the lag is no less.
enum class LagMethod : std::uint8_t { caught_up, interpolated, at_least };
std::string_view to_string(LagMethod method);

/// How long ago the next message that a group will read was appended. The truth is within `error` of `lag`, both
/// ways; with `at_least` it is `lag` or more.
struct TimeLag {
  core::Duration lag{0};
  core::Duration error{0};
  LagMethod method = LagMethod::caught_up;
};

/// When a partition's log end passed which offset: points of (log end offset, time), 8 bytes each.
///
/// The message at offset c was appended after the last time that the end was seen at or before c, and not after the
/// first time that it was seen beyond: time is interpolated between these two by the offset. That is right for idle
/// topics (a standing end moves the lower point along) and compacted ones (an end never goes back by compaction), and
/// the error is never more than the distance of the two. Points are thinned so that this distance is no more than the
/// gap between two observations, or an eighth of the age of the younger point: so the error is at most
/// max(gap, lag / 8). At a cycle of 15 s the points reach back over a day.
class OffsetHistory {
 public:
  static constexpr std::size_t kMaxPoints = 120;
  static constexpr int kAgeShare = 8;

  /// An end before the last one (a topic created anew, records lost) or a clock that went back begins a new history.
  void add(std::int64_t end, core::Time now);
  /// The time lag of who reads next at `position`; `now` is that of the newest point, or later. Absent while empty.
  std::optional<TimeLag> lag(std::int64_t position, core::Time now) const;

  std::size_t size() const { return points_.size(); }
  /// Only where size() > 0.
  core::Time oldest() const { return time(points_.front()); }

 private:
  struct Point {
    std::uint32_t offset;  // from base_offset_
    std::uint32_t time;    // milliseconds from base_time_
  };

  std::int64_t offset(const Point& point) const { return base_offset_ + point.offset; }
  core::Time time(const Point& point) const { return base_time_ + core::Duration(point.time); }
  void begin(std::int64_t end, core::Time now);
  bool fits(std::int64_t end, core::Time now) const;
  void rebase();
  void thin();

  std::int64_t base_offset_ = 0;
  core::Time base_time_;
  std::vector<Point> points_;  // ascending
};

/// How fast retention deletes from a partition, from when its log start moved. Deletion goes by whole segments, so the
/// pace is known from the second step on, and taken between steps.
class DeletionPace {
 public:
  void add(std::int64_t start, core::Time now);
  /// Messages per second over up to two days; absent until known.
  std::optional<double> per_second(core::Time now) const;

 private:
  struct Step {
    core::Time time;
    std::int64_t start = kafka::kUnknownOffset;
  };
  std::int64_t start_ = kafka::kUnknownOffset;
  Step first_;
  Step middle_;
  Step last_;
};

/// What is remembered of the logs that some group reads; shared by all groups.
struct LogMemory {
  struct Partition {
    OffsetHistory ends;
    DeletionPace deletions;
  };
  struct Topic {
    std::vector<Partition> partitions;  // by position in the snapshot's topic
    core::Time read_at;                 // some group was last seen to have committed for it
    int missed = 0;                     // cycles since that were whole and had no such topic
  };
  std::map<std::string, Topic, std::less<>> topics;
};

/// Whether a fault of the snapshot may be why something with these labels is not in it.
bool hidden(const kafka::Snapshot& snapshot, const core::Labels& thing);

/// Adds the snapshot's offsets to the histories of all topics that some group has committed for, and of those that had
/// one within the last hour: a group that cannot be seen for some cycles finds its topics' histories whole. A topic is
/// forgotten once some cycles that hide nothing had none. By index as Snapshot::topics, null where no group reads. A
/// history that begins (Weir was started, the topic's first group came) begins with what `cycle.past` holds of the
/// topic's offsets.
std::vector<LogMemory::Topic*> observe_logs(const kafka::Snapshot& snapshot, const KafkaCycle& cycle,
                                            LogMemory& memory);

}  // namespace weir::collectors
