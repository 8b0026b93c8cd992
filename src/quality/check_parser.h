#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "quality/check.h"
#include "quality/registry.h"

namespace weir::quality {

/// Reads one item of a table's "checks for …" list: the check itself, or a mapping of it to its settings (name, warn,
/// fail, and what is its kind's own). The kinds are those of registry.h. Whatever Weir does not know is an error with
/// a hint; the check is then absent.
std::optional<Check> parse_check(const config::Node& item, const std::vector<std::string>& table,
                                 config::Diagnostics& diagnostics, const FilterLookup& filter = {});

/// The place `offset` bytes into a scalar.
config::Position position_in(const config::Node& scalar, std::size_t offset);

}  // namespace weir::quality
