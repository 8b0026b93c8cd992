#pragma once

#include "quality/registry.h"

namespace weir::quality {

/// The kind of check `row_count same as other [filter] in other_source`: its value is how many rows more this dataset
/// has, and only 0 passes. Both tables are counted, each in its own source.
bool is_cross_check(const config::Node& line, const config::Node& settings);
ProbePtr parse_cross_check(ProbeContext& context);

}  // namespace weir::quality
