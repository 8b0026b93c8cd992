#pragma once

#include "quality/registry.h"

namespace weir::quality {

/// The kind of check `failed rows`, with `fail condition` (counted in the dataset's one scan, within its filter) or
/// `fail query` (counted by the database; the dataset's filter does not apply, as in Soda 3). Without warn: or fail:
/// any row fails.
bool is_failed_rows(const config::Node& line, const config::Node& settings);
ProbePtr parse_failed_rows(ProbeContext& context);

}  // namespace weir::quality
