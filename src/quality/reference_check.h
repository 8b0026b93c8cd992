#pragma once

#include "quality/registry.h"

namespace weir::quality {

/// The kind of check `values in (a, b) must [not] exist in other (c, d)`, as Soda 3 counts it: NULLs refer to
/// nothing and pass (of several columns all must be NULL), and with `must not exist` a row counts once for each row
/// of the other table that it matches.
bool is_reference_check(const config::Node& line, const config::Node& settings);
ProbePtr parse_reference_check(ProbeContext& context);

}  // namespace weir::quality
