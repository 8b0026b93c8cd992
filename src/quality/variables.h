#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/node.h"

namespace weir::quality {

using Variables = std::map<std::string, std::string>;

/// The tree with `${name}` (spaces within allowed) replaced in every text, keys included; `$${` is a literal `${`. An
/// unknown name, one that is not closed and a text of over 1 MiB are errors at their place. The environment is not
/// looked at: a check file must not read secrets.
config::Node with_variables(const config::Node& node, const Variables& variables, config::Diagnostics& diagnostics);

/// Reads `variables:`: names to texts, or to `default: text` as in Soda.
Variables read_variables(const config::Node& node, const std::string& what, config::Diagnostics& diagnostics);

/// What is wrong with a variable's name, "" when nothing is.
std::string variable_mistake(std::string_view name, std::string_view value);

}  // namespace weir::quality
