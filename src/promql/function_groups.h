#pragma once

#include <vector>

#include "promql/functions.h"

namespace weir::promql {

/// The rows of the function table, one file a group: over range vectors, over instant vectors and
/// scalars, over labels.
std::vector<Function> range_functions();
std::vector<Function> instant_functions();
std::vector<Function> label_functions();

}  // namespace weir::promql
