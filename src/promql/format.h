#pragma once

#include <string>

namespace weir::promql {

/// A sample's value as Prometheus prints it: shortest form that reads back the same, with an
/// exponent below 1e-6 and from 1e21; "NaN", "+Inf", "-Inf".
std::string format_value(double value);

/// The same, without an exponent whatever the size.
std::string format_plain(double value);

}  // namespace weir::promql
