#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"

namespace weir::rules {

/// One series of a unit test: a value an interval, none where `_` stands, staleness markers where `stale` does.
struct SeriesNotation {
  core::Labels labels;
  std::vector<std::optional<double>> values;
};

inline constexpr std::size_t kMostSeriesValues = 1'000'000;

/// Reads promtool's series notation, `metric{a="b"} 1 2 _ 5x3 0+10x4 _x2 stale`, as ParseSeriesDesc of Prometheus 3's
/// parser does: `5x3` is four values, `_x2` two, `010` octal and `0x2` three zeros; no space before the brace.
/// Errors: invalid, with `where` as "line:col"; limit, past `most_values`.
core::Result<SeriesNotation> parse_series(std::string_view text, std::size_t most_values = kMostSeriesValues);

struct MetricNotation {
  core::Labels labels;
  /// Labels that were given an empty value without a metric's name before them. Prometheus keeps those, so that what
  /// is expected with one equals nothing.
  std::vector<std::string> empty_labels = {};
};

/// A metric alone, `name{a="b"}`, as Prometheus's ParseMetric reads it. Errors: invalid.
core::Result<MetricNotation> parse_metric(std::string_view text);

/// A number as Go's strconv reads it with base 0 first: 1_000, 017 (octal), 1e3. Nothing when it is none.
std::optional<double> parse_go_number(std::string_view text);

}  // namespace weir::rules
