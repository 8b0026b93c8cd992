#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "quality/check.h"
#include "quality/registry.h"

namespace weir::quality {

/// What makes the probe of a metric check whose words are not those of registry.h.
using MakeProbe = std::function<ProbePtr(ProbeContext& context)>;

/// Reads one item of a table's "checks for …" list: the check itself, or a mapping of it to its settings (name,
/// identity, attributes, warn, fail, and what is its kind's own). The kinds are those of registry.h, or `make` has the
/// say. An item may hold several checks ("group by"). Whatever Weir does not know is an error with a hint; there are
/// then no checks.
std::vector<Check> parse_check(const config::Node& item, const std::vector<std::string>& table,
                               const Surroundings& around, config::Diagnostics& diagnostics,
                               const MakeProbe& make = {});

/// `attributes:`, of a check or of all checks of a section that follow: names to texts, numbers or lists of them.
std::map<std::string, std::string> parse_attributes(const config::Node& node, const std::string& what,
                                                    config::Diagnostics& diagnostics);

/// The place `offset` bytes into a scalar.
config::Position position_in(const config::Node& scalar, std::size_t offset);

}  // namespace weir::quality
