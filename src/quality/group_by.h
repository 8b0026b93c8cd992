#pragma once

#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "quality/registry.h"

namespace weir::quality {

/// SodaCL's `group by:`: a query with one row for each group, the columns that name a group, and checks about the
/// other columns. Each of these becomes a check with a value for each group.
///
///     - group by:
///         group_limit: 10          # more groups are an error; 1000 unless given
///         query: SELECT country, avg(amount) AS average FROM fct_orders GROUP BY country
///         fields: [country]
///         checks:
///           - average > 10:
///               name: orders are of some worth
std::vector<Check> parse_group_by(const config::Node& line, const config::Node& settings,
                                  const std::vector<std::string>& table, const Surroundings& around,
                                  config::Diagnostics& diagnostics);

}  // namespace weir::quality
