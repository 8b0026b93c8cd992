#pragma once

#include "config/diagnostics.h"
#include "config/node.h"

namespace weir::quality {

/// A check file (SodaCL) as a data contract of the Open Data Contract Standard 3.1, whose checks are the same again
/// (contract_to_checks gives the file's, but for their order): counts as library rules, freshness as a service level
/// or, where it has settings of its own, with whatever else has no equal as rules of the engine soda. Errors, by
/// place: what is no section of a table.
config::Node checks_to_contract(const config::Node& root, config::Diagnostics& diagnostics);

}  // namespace weir::quality
