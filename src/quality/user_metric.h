#pragma once

#include "quality/registry.h"

namespace weir::quality {

/// A metric of the user's own, `avg_surface between 10 and 20`, with its SQL under it: `avg_surface expression` (an
/// aggregate, part of the dataset's one scan), `avg_surface query` or `avg_surface sql_file` (a query of its own, whose
/// value is the last column of the first row that is not NULL, as in Soda 3).
bool is_user_metric(const config::Node& line, const config::Node& settings);
ProbePtr parse_user_metric(ProbeContext& context);

}  // namespace weir::quality
