#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/time.h"

namespace weir::collectors {

/// One sample line: the series as it is written, `name{a="b"}`, its value and the time that is given with it.
struct ExposedSample {
  std::string_view series;  // in the parsed text
  double value = 0;
  std::optional<core::Time> time = {};
};

enum class ExpositionFormat {
  text,         // https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4
  openmetrics,  // https://prometheus.io/docs/specs/om/open_metrics_spec, 1.0: must end with "# EOF"
};

/// By the Content-Type of an answer; a missing one is text. Errors (protocol): another kind, as a web page.
core::Result<ExpositionFormat> exposition_format(std::string_view content_type);

/// The samples of a page, in order; comments and exemplars are passed over. Times are milliseconds since 1970 in the
/// text format, seconds in OpenMetrics. One line that cannot be read makes the whole page an error, as for Prometheus:
/// half of one would look like series that ended. Errors (protocol): with the line's number; (limit): more than `most`
/// samples.
core::Result<std::vector<ExposedSample>> parse_exposition(std::string_view page, ExpositionFormat format,
                                                          std::size_t most);

/// The beginning of a series or a line, in printable characters.
std::string shown_series(std::string_view line);

/// The labels of a series as it is written, the name among them; names in quotes (`{"http.requests"}`) too. Errors
/// (protocol): no name, a label twice, over `most_labels`.
core::Result<core::Labels> parse_exposed_series(std::string_view series, std::size_t most_labels);

}  // namespace weir::collectors
