#pragma once

#include <vector>

#include "promql/functions.h"

namespace weir::promql {

/// The rows of the function table, one file a group: over range vectors, over instant vectors and
/// scalars, of dates, over labels, of classic histograms.
std::vector<Function> range_functions();
std::vector<Function> instant_functions();
std::vector<Function> date_functions();
std::vector<Function> label_functions();
std::vector<Function> histogram_functions();

}  // namespace weir::promql
