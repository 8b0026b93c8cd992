#include "collectors/progress_recall.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

namespace weir::collectors {
namespace {

constexpr int kPointsPerWindow = 10;
constexpr std::string_view kLag = "kafka_consumergroup_lag";
constexpr std::string_view kCommitted = "kafka_consumergroup_current_offset";

core::Selection last_windows(const KafkaCycle& cycle, std::string_view metric) {
  return {.matchers = {{"__name__", core::MatchOp::equal, std::string(metric)},
                       {"cluster", core::MatchOp::equal, std::string(cycle.cluster)}},
          .from = cycle.now - 2 * cycle.status.window,
          .to = cycle.now - core::Duration(1)};
}

/// Some of the points, the newest among them.
std::vector<core::Point> thinned(std::span<const core::Point> points, core::Duration step) {
  std::vector<core::Point> kept;
  for (const core::Point& point : points) {
    if (!std::isfinite(point.value) || point.value < 0) continue;
    const bool replaces = kept.size() >= 2 && point.time - kept[kept.size() - 2].time < step;
    if (replaces) kept.pop_back();
    kept.push_back(point);
  }
  return kept;
}

PartitionProgress joined(const std::vector<core::Point>& lags, std::span<const core::Point> commits,
                         const kafka::StatusSettings& settings) {
  PartitionProgress progress;
  for (const core::Point& lag : lags) {
    const auto commit = std::ranges::lower_bound(commits, lag.time, {}, &core::Point::time);
    if (commit == commits.end() || commit->time != lag.time || !std::isfinite(commit->value)) continue;
    const auto committed = static_cast<std::int64_t>(commit->value);
    const auto behind = static_cast<std::int64_t>(lag.value);
    progress.add({committed, behind, committed + behind, lag.time}, settings);
  }
  return progress;
}

}  // namespace

void ProgressRecall::recall_last(const KafkaCycle& cycle, std::string_view metric) {
  core::Selection selection = last_windows(cycle, metric);
  selection.from = cycle.now - std::chrono::hours(24);
  (void)cycle.past->visit(selection, [&](const core::Labels& labels, std::span<const core::Point> points) {
    // One that ended ends with a stale marker.
    if (!points.empty() && std::isfinite(points.back().value)) last_[labels.without("status")] = points.back().value;
    return core::Result<void>();
  });
}

std::optional<double> ProgressRecall::last(const core::Labels& time_lag) const {
  const auto found = last_.find(time_lag);
  return found == last_.end() ? std::nullopt : std::optional(found->second);
}

bool ProgressRecall::was_in_trouble(const core::Labels& without_status) const { return last_.contains(without_status); }

ProgressRecall::ProgressRecall(const KafkaCycle& cycle) {
  for (const std::string_view metric :
       {"kafka_consumergroup_lag_seconds", "kafka_consumergroup_lag_seconds_max",
        "kafka_consumergroup_group_lag_seconds", "kafka_consumergroup_status_partitions"}) {
    recall_last(cycle, metric);
  }
  const core::Duration step = cycle.status.window / kPointsPerWindow;
  std::unordered_map<core::Labels, std::vector<core::Point>> lags;
  (void)cycle.past->visit(last_windows(cycle, kLag),
                          [&](const core::Labels& labels, std::span<const core::Point> points) {
                            lags.emplace(labels, thinned(points, step));
                            return core::Result<void>();
                          });
  (void)cycle.past->visit(last_windows(cycle, kCommitted),
                          [&](const core::Labels& labels, std::span<const core::Point> points) {
                            const auto lag = lags.find(labels.with(core::kMetricName, kLag));
                            if (lag == lags.end()) return core::Result<void>();
                            const PartitionProgress progress = joined(lag->second, points, cycle.status);
                            if (progress.known()) known_.emplace(lag->first, progress);
                            lags.erase(lag);
                            return core::Result<void>();
                          });
}

std::optional<PartitionProgress> ProgressRecall::of(const core::Labels& lag) const {
  const auto found = known_.find(lag);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace weir::collectors
