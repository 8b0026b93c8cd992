#pragma once

#include "quality/registry.h"

namespace weir::quality {

/// The kind of check `retention`: how many rows are older than they may be.
///
///     - retention:
///         column: created_at
///         max_age: 365d
bool is_retention(const config::Node& line, const config::Node& settings);
ProbePtr parse_retention(ProbeContext& context);

}  // namespace weir::quality
