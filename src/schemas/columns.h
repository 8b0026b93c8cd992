#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/columns.h"

#include "schemas/model.h"

namespace weir::schemas {

/// What of a table's columns does not fit the fields of a schema's root type, a phrase each: "field amount has no
/// column", "column note has no field", "field id is a long and its column a varchar". Names are compared without case
/// and underscores (orderId is order_id); `ignored` columns, and types that neither side tells the meaning of, are
/// passed over. Pure.
std::vector<std::string> column_differences(const Model& model, std::span<const core::Column> columns,
                                            const std::set<std::string>& ignored);

}  // namespace weir::schemas
