#pragma once

#include "core/error.h"
#include "promql/ast.h"
#include "promql/value.h"

namespace weir::promql {

/// Applies an aggregation to an evaluated vector. `parameter` is the value of topk's, bottomk's,
/// quantile's or count_values' first argument.
core::Result<Vector> aggregate(const Aggregate& node, const Vector& input, const Value& parameter, core::Time at);

/// The phi-quantile of values by linear interpolation, as Prometheus: NaN of none, -Inf below 0, +Inf above 1.
double quantile(double phi, std::vector<double> values);

/// The labels that a vector is grouped or matched by: those named, or all but those named and the name.
core::Labels grouping_labels(const core::Labels& labels, const std::vector<std::string>& names, bool only_named);

}  // namespace weir::promql
