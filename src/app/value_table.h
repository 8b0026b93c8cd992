#pragma once

#include <string>
#include <vector>

#include "promql/value.h"

namespace weir::app {

/// Rows of text as columns, two spaces apart; the first row is the head.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

/// A query's result for a terminal: a line a series, and below it a line a point when it has several.
std::string format_value_table(const promql::Value& value);

}  // namespace weir::app
