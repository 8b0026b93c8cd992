#include "collectors/time_lag.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

namespace weir::collectors {
namespace {

constexpr std::int64_t kFarthest = std::numeric_limits<std::uint32_t>::max();
/// After thinning, so that it is done seldom.
constexpr std::size_t kThinned = OffsetHistory::kMaxPoints - OffsetHistory::kMaxPoints / 8;
constexpr core::Duration kPaceSpan = std::chrono::hours(24);
/// The history of a topic that nobody reads is kept that long.
constexpr core::Duration kKeptUnread = std::chrono::hours(1);
constexpr core::Duration kKeptHidden = std::chrono::hours(24);
/// Brokers that have just started do not know all topics at once.
constexpr int kForgetAfter = 4;

/// The partition that a series is of, by the snapshot's positions; null when the topic has it no more.
LogMemory::Partition* partition_of(const core::Labels& labels, const kafka::Topic& topic, LogMemory::Topic& known) {
  const std::string_view text = labels.get("partition");
  std::int32_t id = -1;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  const kafka::Partition* found = read.ec == std::errc() ? topic.find(id) : nullptr;
  return found == nullptr ? nullptr : &known.partitions[static_cast<std::size_t>(found - topic.partitions.data())];
}

/// What cannot be read of the past is missing in the history, which then knows lower bounds.
template <class Add>
void recall(const KafkaCycle& cycle, const kafka::Topic& topic, std::string_view metric, LogMemory::Topic& known,
            const Add& add) {
  const core::Selection selection{.matchers = {{"__name__", core::MatchOp::equal, std::string(metric)},
                                               {"cluster", core::MatchOp::equal, std::string(cycle.cluster)},
                                               {"topic", core::MatchOp::equal, topic.name}},
                                  .from = cycle.now - 2 * kPaceSpan,
                                  .to = cycle.now - core::Duration(1)};
  (void)cycle.past->visit(selection, [&](const core::Labels& labels, std::span<const core::Point> points) {
    LogMemory::Partition* partition = partition_of(labels, topic, known);
    if (partition == nullptr) return core::Result<void>();
    for (const core::Point& point : points) {
      if (std::isfinite(point.value) && point.value >= 0) {
        add(*partition, static_cast<std::int64_t>(point.value), point.time);
      }
    }
    return core::Result<void>();
  });
}

void recall(const KafkaCycle& cycle, const kafka::Topic& topic, LogMemory::Topic& known) {
  known.partitions.resize(topic.partitions.size());
  recall(cycle, topic, "kafka_topic_partition_current_offset", known,
         [](LogMemory::Partition& partition, std::int64_t end, core::Time time) { partition.ends.add(end, time); });
  recall(cycle, topic, "kafka_topic_partition_oldest_offset", known,
         [](LogMemory::Partition& partition, std::int64_t start, core::Time time) {
           partition.deletions.add(start, time);
         });
}

void observe(const kafka::Topic& topic, const KafkaCycle& cycle, LogMemory::Topic& known) {
  if (topic.failed) return;
  if (cycle.past != nullptr && known.partitions.empty()) recall(cycle, topic, known);
  known.partitions.resize(topic.partitions.size());
  for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
    if (!topic.partitions[p].offsets_known()) continue;
    known.partitions[p].ends.add(topic.partitions[p].end, cycle.now);
    known.partitions[p].deletions.add(topic.partitions[p].start, cycle.now);
  }
}

void forget(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, LogMemory& memory) {
  const auto gone = [&](const std::string& name, LogMemory::Topic& topic) {
    if (topic.read_at == cycle.now) return false;
    if (hidden(snapshot, {{"cluster", cycle.cluster}, {"topic", name}})) {
      return cycle.now - topic.read_at >= kKeptHidden;
    }
    const auto found = std::ranges::lower_bound(snapshot.topics, name, {}, &kafka::Topic::name);
    const bool exists = found != snapshot.topics.end() && found->name == name;
    topic.missed = exists ? 0 : topic.missed + 1;
    return exists ? !found->failed && cycle.now - topic.read_at >= kKeptUnread : topic.missed >= kForgetAfter;
  };
  for (auto entry = memory.topics.begin(); entry != memory.topics.end();) {
    entry = gone(entry->first, entry->second) ? memory.topics.erase(entry) : std::next(entry);
  }
}

}  // namespace

bool hidden(const kafka::Snapshot& snapshot, const core::Labels& thing) {
  return std::ranges::any_of(snapshot.faults, [&](const core::Fault& fault) { return thing.includes(fault.scope); });
}

std::string_view to_string(LagMethod method) {
  switch (method) {
    case LagMethod::caught_up: return "caught_up";
    case LagMethod::interpolated: return "interpolated";
    case LagMethod::at_least: return "at_least";
  }
  return "at_least";
}

void OffsetHistory::begin(std::int64_t end, core::Time now) {
  points_.clear();
  base_offset_ = end;
  base_time_ = now;
  points_.push_back({0, 0});
}

bool OffsetHistory::fits(std::int64_t end, core::Time now) const {
  return end - base_offset_ <= kFarthest && (now - base_time_).count() <= kFarthest;
}

void OffsetHistory::rebase() {
  const Point first = points_.front();
  base_offset_ += first.offset;
  base_time_ += core::Duration(first.time);
  for (Point& point : points_) point = {point.offset - first.offset, point.time - first.time};
}

void OffsetHistory::add(std::int64_t end, core::Time now) {
  if (points_.empty() || end < offset(points_.back()) || now < time(points_.back())) return begin(end, now);
  if (now == time(points_.back())) return;
  while (!fits(end, now)) {
    points_.erase(points_.begin());
    if (points_.empty()) return begin(end, now);
    rebase();
  }
  const Point point{static_cast<std::uint32_t>(end - base_offset_),
                    static_cast<std::uint32_t>((now - base_time_).count())};
  const bool stands = points_.size() >= 2 && points_.back().offset == point.offset &&
                      points_[points_.size() - 2].offset == point.offset;
  if (stands) {
    points_.back().time = point.time;
    return;
  }
  if (points_.size() == points_.capacity()) points_.reserve(std::clamp<std::size_t>(points_.size() * 2, 8, kMaxPoints));
  points_.push_back(point);
  if (points_.size() >= kMaxPoints) thin();
}

void OffsetHistory::thin() {
  const std::uint32_t now = points_.back().time;
  std::size_t kept = points_.size() - 1;  // from here on
  for (std::size_t i = points_.size() - 1; i-- > 1;) {
    const std::uint64_t age = now - points_[kept].time;
    const std::uint64_t bracket = points_[kept].time - points_[i - 1].time;
    if (bracket * kAgeShare > age) points_[--kept] = points_[i];
  }
  points_[--kept] = points_[0];
  kept = std::max(kept, points_.size() - kThinned);
  points_.erase(points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(kept));
  rebase();
}

std::optional<TimeLag> OffsetHistory::lag(std::int64_t position, core::Time now) const {
  if (points_.empty()) return std::nullopt;
  if (position >= offset(points_.back())) return TimeLag{};
  if (position < offset(points_.front())) return TimeLag{now - oldest(), core::Duration{0}, LagMethod::at_least};
  const auto wanted = static_cast<std::uint32_t>(position - base_offset_);
  const auto after = std::ranges::upper_bound(points_, wanted, {}, &Point::offset);
  const auto before = after - 1;
  const double share = (static_cast<double>(wanted - before->offset) + 0.5) / (after->offset - before->offset);
  const auto since = core::Duration(static_cast<std::int64_t>(share * (after->time - before->time)));
  const core::Duration error = std::max(since, time(*after) - time(*before) - since);
  return TimeLag{now - (time(*before) + since), error, LagMethod::interpolated};
}

void DeletionPace::add(std::int64_t start, core::Time now) {
  if (start < start_) *this = {};
  if (start_ != kafka::kUnknownOffset && start > start_) {
    last_ = {now, start};
    if (first_.start == kafka::kUnknownOffset) first_ = middle_ = last_;
    if (last_.time - middle_.time >= kPaceSpan) {
      first_ = middle_;
      middle_ = last_;
    }
  }
  start_ = start;
}

std::optional<double> DeletionPace::per_second(core::Time now) const {
  if (last_.start == first_.start || now < last_.time) return std::nullopt;
  // Where deletion has come to a halt since, it is slower than it was.
  const core::Duration span = std::max(last_.time - first_.time, now - last_.time);
  if (span <= core::Duration{0}) return std::nullopt;
  return static_cast<double>(last_.start - first_.start) / core::to_seconds(span);
}

std::vector<LogMemory::Topic*> observe_logs(const kafka::Snapshot& snapshot, const KafkaCycle& cycle,
                                            LogMemory& memory) {
  std::vector<LogMemory::Topic*> logs(snapshot.topics.size());
  for (const kafka::Group& group : snapshot.groups) {
    for (const kafka::GroupPartition& each : group.partitions) {
      if (logs[each.topic] != nullptr || each.committed.is_none()) continue;
      logs[each.topic] = &memory.topics[snapshot.topics[each.topic].name];
      logs[each.topic]->read_at = cycle.now;
    }
  }
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const kafka::Topic& topic = snapshot.topics[i];
    if (logs[i] != nullptr) {
      observe(topic, cycle, *logs[i]);
    } else if (const auto known = memory.topics.find(topic.name); known != memory.topics.end()) {
      observe(topic, cycle, known->second);
    }
  }
  forget(snapshot, cycle, memory);
  return logs;
}

}  // namespace weir::collectors
