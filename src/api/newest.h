#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/series_source.h"

namespace weir::api {

struct NewestSample {
  core::Labels labels;
  double value = 0;
};

/// Newest values and recent trends of a metric, for building pages: a series that ended or has had no sample for
/// 5 minutes is not there. What a source could not give reads as empty, and error() says why.
class Newest {
 public:
  Newest(const core::SeriesSource& source, core::Time now) : source_(source), now_(now) {}

  std::vector<NewestSample> of(std::string_view metric) const;
  /// The first error of the source, "" without one.
  const std::string& error() const { return error_; }
  /// Sums by the labels named.
  std::map<std::vector<std::string>, double> sums(std::string_view metric,
                                                  const std::vector<std::string_view>& by) const;
  /// Up to 60 points of the last 15 minutes of every series of the metric, by the labels named.
  std::map<std::vector<std::string>, std::vector<core::Point>> trends(std::string_view metric,
                                                                      const std::vector<std::string_view>& by) const;

 private:
  std::vector<core::SeriesView> select(std::string_view metric, core::Duration span, bool newest_only) const;

  const core::SeriesSource& source_;
  core::Time now_;
  mutable std::string error_;
};

}  // namespace weir::api
