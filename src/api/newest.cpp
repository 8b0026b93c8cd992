#include "api/newest.h"

#include <algorithm>

namespace weir::api {
namespace {

constexpr core::Duration kFresh = std::chrono::minutes(5);
constexpr core::Duration kTrend = std::chrono::minutes(15);
constexpr std::size_t kTrendPoints = 60;

std::vector<std::string> key(const core::Labels& labels, const std::vector<std::string_view>& by) {
  std::vector<std::string> values;
  for (const std::string_view name : by) values.emplace_back(labels.get(name));
  return values;
}

/// Every n-th point so that at most kTrendPoints remain, the newest always among them.
std::vector<core::Point> thin(const std::vector<core::Point>& points) {
  const std::size_t stride = (points.size() + kTrendPoints - 1) / kTrendPoints;
  if (stride <= 1) return points;
  std::vector<core::Point> kept;
  for (std::size_t i = (points.size() - 1) % stride; i < points.size(); i += stride) kept.push_back(points[i]);
  return kept;
}

}  // namespace

std::vector<core::SeriesView> Newest::select(std::string_view metric, core::Duration span, bool newest_only) const {
  const core::Selection selection{
      .matchers = {{std::string(core::kMetricName), core::MatchOp::equal, std::string(metric)}},
      .from = now_ - span + core::Duration(1),
      .to = now_,
      .newest_only = newest_only};
  auto found = source_.select(selection);
  if (found) return std::move(*found);
  if (error_.empty()) error_ = found.error().describe();
  return {};
}

std::vector<NewestSample> Newest::of(std::string_view metric) const {
  std::vector<NewestSample> found;
  for (const core::SeriesView& view : select(metric, kFresh, true)) {
    const double value = view.points.back().value;
    if (!core::is_stale_marker(value)) found.push_back({view.labels, value});
  }
  return found;
}

std::map<std::vector<std::string>, double> Newest::sums(std::string_view metric,
                                                        const std::vector<std::string_view>& by) const {
  std::map<std::vector<std::string>, double> result;
  for (const NewestSample& sample : of(metric)) result[key(sample.labels, by)] += sample.value;
  return result;
}

std::map<std::vector<std::string>, std::vector<core::Point>> Newest::trends(
    std::string_view metric, const std::vector<std::string_view>& by) const {
  std::map<std::vector<std::string>, std::vector<core::Point>> result;
  for (core::SeriesView& view : select(metric, kTrend, false)) {
    std::erase_if(view.points, [](const core::Point& point) { return core::is_stale_marker(point.value); });
    result[key(view.labels, by)] = thin(view.points);
  }
  return result;
}

}  // namespace weir::api
