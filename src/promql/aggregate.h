#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "promql/ast.h"
#include "promql/frame.h"

namespace weir::promql {

/// Applies an aggregation at each step. `parameter` has one value a step: the first argument of topk, bottomk, limitk
/// or quantile; `label` is count_values'. Errors (invalid): a parameter that is no whole number's, a bad label name.
core::Result<Frame> aggregate(const Aggregate& node, Frame input, std::span<const double> parameter,
                              const std::string& label);

/// The phi-quantile of values by linear interpolation, as Prometheus: NaN of none, -Inf below 0, +Inf above 1.
double quantile(double phi, std::vector<double> values);

}  // namespace weir::promql
