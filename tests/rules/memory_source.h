#pragma once

#include <algorithm>
#include <map>
#include <regex>
#include <vector>

#include "core/batch.h"
#include "core/series_source.h"

namespace weir::test {

/// A series source of points put in by hand. `broken` makes every select fail.
class MemorySource : public core::SeriesSource {
 public:
  bool broken = false;

  void add(const core::Labels& labels, core::Time time, double value) { series_[labels].push_back({time, value}); }
  void end(const core::Labels& labels, core::Time time) { add(labels, time, core::stale_marker()); }
  /// Takes samples as a store would: in order of time, a second one for the same time dropped.
  void take(const std::vector<core::Sample>& samples) {
    for (const core::Sample& sample : samples) {
      std::vector<core::Point>& points = series_[sample.labels];
      if (points.empty() || points.back().time < sample.time) points.push_back({sample.time, sample.value});
    }
  }
  const std::vector<core::Point>& points(const core::Labels& labels) { return series_[labels]; }

  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override {
    if (broken) return core::fail(core::ErrorKind::limit, "too many series");
    std::vector<core::SeriesView> found;
    for (const auto& [labels, points] : series_) {
      if (!std::ranges::all_of(selection.matchers, [&](const core::Matcher& m) { return holds(m, labels); })) continue;
      core::SeriesView view{labels, {}};
      for (const core::Point& point : points) {
        if (point.time >= selection.from && point.time <= selection.to) view.points.push_back(point);
      }
      if (view.points.empty()) continue;
      if (selection.newest_only) view.points = {view.points.back()};
      found.push_back(std::move(view));
    }
    return found;
  }

 private:
  static bool holds(const core::Matcher& matcher, const core::Labels& labels) {
    const std::string value(labels.get(matcher.name));
    switch (matcher.op) {
      case core::MatchOp::equal: return value == matcher.value;
      case core::MatchOp::not_equal: return value != matcher.value;
      case core::MatchOp::regex: return std::regex_match(value, std::regex(matcher.value));
      case core::MatchOp::not_regex: return !std::regex_match(value, std::regex(matcher.value));
    }
    return false;
  }

  std::map<core::Labels, std::vector<core::Point>> series_;
};

/// Seconds after a fixed moment.
inline core::Time at(double seconds) { return core::time_from_seconds(1'700'000'000 + seconds); }

}  // namespace weir::test
