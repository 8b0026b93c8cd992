#pragma once

#include <optional>
#include <string_view>

#include "config/diagnostics.h"
#include "config/node.h"
#include "quality/check.h"

namespace weir::quality {

/// Reads one item of a "checks for …" list: the check itself, or a mapping of it to its settings (name, warn,
/// fail, and for a distribution its reference file, which is loaded from beside the check file). Whatever
/// Weir does not know is an error with a hint; the check is then absent.
std::optional<Check> parse_check(const config::Node& item, config::Diagnostics& diagnostics);

/// The place `offset` bytes into a scalar.
config::Position position_in(const config::Node& scalar, std::size_t offset);

}  // namespace weir::quality
