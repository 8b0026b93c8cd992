#pragma once

#include <string_view>

#include "sql/source.h"

namespace weir::sql {

/// A decimal's text as a value: a whole number where it is one without places and fits (a sum of whole numbers is a
/// decimal for most engines), else the nearest double; text that is no number stays text.
Value decimal_value(std::string_view text);

}  // namespace weir::sql
