#pragma once

#include <string>

namespace weir::promql {

/// A sample's value as Prometheus prints it: shortest form that reads back the same, without exponent
/// below 1e21; "NaN", "+Inf", "-Inf".
std::string format_value(double value);

}  // namespace weir::promql
