#pragma once

#include <algorithm>
#include <re2/re2.h>
#include <string>
#include <vector>

#include "core/series_source.h"

namespace weir::promql {

/// Series in a list, selected as core::SeriesSource says: the plainest thing that can be right.
class MemorySource : public core::SeriesSource {
 public:
  /// Values a step apart; `_` in a caller's list is written as NaN(stale) by passing core::stale_marker().
  void add(const core::Labels& labels, core::Time start, core::Duration step, const std::vector<double>& values) {
    core::SeriesView view{labels, {}};
    for (const double value : values) {
      view.points.push_back({start, value});
      start += step;
    }
    series_.push_back(std::move(view));
  }

  void push(core::SeriesView view) { series_.push_back(std::move(view)); }

  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override {
    std::vector<core::SeriesView> found;
    for (const core::SeriesView& series : series_) {
      if (!std::ranges::all_of(selection.matchers, [&](const core::Matcher& m) { return match(m, series.labels); }))
        continue;
      core::SeriesView view{series.labels, {}};
      for (const core::Point& point : series.points) {
        if (point.time >= selection.from && point.time <= selection.to) view.points.push_back(point);
      }
      if (selection.newest_only && view.points.size() > 1) view.points = {view.points.back()};
      if (!view.points.empty()) found.push_back(std::move(view));
    }
    return found;
  }

 private:
  static bool match(const core::Matcher& matcher, const core::Labels& labels) {
    const std::string value(labels.get(matcher.name));
    switch (matcher.op) {
      case core::MatchOp::equal: return value == matcher.value;
      case core::MatchOp::not_equal: return value != matcher.value;
      case core::MatchOp::regex: return RE2::FullMatch(value, "(?s:" + matcher.value + ")");
      case core::MatchOp::not_regex: return !RE2::FullMatch(value, "(?s:" + matcher.value + ")");
    }
    return false;
  }

  std::vector<core::SeriesView> series_;
};

}  // namespace weir::promql
