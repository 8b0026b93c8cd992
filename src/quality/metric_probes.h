#pragma once

#include "quality/registry.h"

namespace weir::quality {

/// The parsers of checks about one number that a pass over the table gives; each in probe_<name>.cpp.
ProbePtr parse_row_count(ProbeContext& context);
ProbePtr parse_freshness(ProbeContext& context);
ProbePtr parse_validity(ProbeContext& context);
ProbePtr parse_duplicates(ProbeContext& context);
ProbePtr parse_number(ProbeContext& context);
ProbePtr parse_late(ProbeContext& context);
ProbePtr parse_distribution(ProbeContext& context);

/// The one column a metric is about; null with an error for none or several.
const Argument* one_column(const ProbeContext& context);

}  // namespace weir::quality
