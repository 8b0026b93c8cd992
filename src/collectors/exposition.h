#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"

namespace weir::collectors {

/// One sample line: the series as it is written, `name{a="b"}`, and its value.
struct ExposedSample {
  std::string_view series;  // in the parsed text
  double value = 0;
};

enum class ExpositionFormat {
  text,         // https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4
  openmetrics,  // https://prometheus.io/docs/specs/om/open_metrics_spec, 1.0: must end with "# EOF"
};

/// By the Content-Type of an answer; a missing one is text. Errors (protocol): another kind, as a web page.
core::Result<ExpositionFormat> exposition_format(std::string_view content_type);

/// The samples of a page, in order; comments, times and exemplars are passed over. One line that cannot be read makes
/// the whole page an error, as for Prometheus: half of one would look like series that ended. Errors (protocol): with
/// the line's number; (limit): more than `most` samples.
core::Result<std::vector<ExposedSample>> parse_exposition(std::string_view page, ExpositionFormat format,
                                                          std::size_t most);

/// The labels of a series as it is written, the name among them; names in quotes (`{"http.requests"}`) too. Errors
/// (protocol): no name, a label twice, over `most_labels`.
core::Result<core::Labels> parse_exposed_series(std::string_view series, std::size_t most_labels);

}  // namespace weir::collectors
