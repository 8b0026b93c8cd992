#include "rules/sample_source.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "rules/matching.h"

namespace weir::rules {

core::Result<void> SampleSource::append(const core::Labels& labels, core::Time time, double value) {
  const auto [known, fresh] = known_.try_emplace(labels, series_.size());
  if (fresh) {
    all_.push_back(series_.size());
    by_name_[std::string(labels.name())].push_back(series_.size());
    series_.push_back({labels, {}});
  }
  std::vector<core::Point>& points = series_[known->second].points;
  if (!points.empty() && points.back().time >= time) {
    if (points.back().time > time)
      return core::fail(core::ErrorKind::invalid, fmt::format("out of order sample of {}", labels.to_string()));
    if (std::bit_cast<std::uint64_t>(points.back().value) == std::bit_cast<std::uint64_t>(value)) return {};
    return core::fail(core::ErrorKind::invalid, fmt::format("duplicate sample for timestamp of {}: {} after {}",
                                                            labels.to_string(), value, points.back().value));
  }
  points.push_back({time, value});
  return {};
}

core::Result<std::vector<core::SeriesView>> SampleSource::select(const core::Selection& selection) const {
  const auto matchers = MatcherSet::compile(selection.matchers);
  if (!matchers) return std::unexpected(matchers.error());
  static const std::vector<std::size_t> kNone;
  const std::vector<std::size_t>* candidates = &all_;
  for (const core::Matcher& matcher : selection.matchers) {
    if (matcher.name != core::kMetricName || matcher.op != core::MatchOp::equal) continue;
    const auto named = by_name_.find(matcher.value);
    candidates = named == by_name_.end() ? &kNone : &named->second;
  }
  std::vector<core::SeriesView> found;
  for (const std::size_t index : *candidates) {
    const core::SeriesView& series = series_[index];
    if (!matchers->holds(series.labels)) continue;
    auto begin = std::ranges::lower_bound(series.points, selection.from, {}, &core::Point::time);
    const auto end = std::ranges::upper_bound(series.points, selection.to, {}, &core::Point::time);
    if (begin >= end) continue;
    if (selection.newest_only) begin = end - 1;
    found.push_back({series.labels, {begin, end}});
  }
  return found;
}

}  // namespace weir::rules
