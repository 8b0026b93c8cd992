#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include "core/series_source.h"

namespace weir::app {

/// Answers a query over samples as Prometheus's HTTP API does, errors included, in one line. `request` is JSON:
/// `{"query", "time"}` or `{"query", "start", "end", "step"}`, times in seconds since 1970.
std::string answer_query(std::string_view request, const core::SeriesSource& source);

/// One answer a line of `queries`, in order; each is flushed. A line past 1 MiB is answered with an error.
void answer_queries(std::istream& queries, const core::SeriesSource& source, std::ostream& out);

}  // namespace weir::app
