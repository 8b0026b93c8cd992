#pragma once

#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "quality/check.h"
#include "quality/variables.h"

namespace weir::quality {

/// Reads one check file: the sections `checks for <table> [filter]`, `filter <table> [name]`, `configurations for
/// <table>`, `for each dataset <name>` and `variables`. Anything else is an error with its place. Distribution
/// references are loaded from the files it names. `variables` go before those of the file.
std::vector<Dataset> parse_check_file(const config::Node& root, config::Diagnostics& diagnostics,
                                      const Variables& variables = {});

/// Puts the checks of one table and filter together, from however many files, in order. The same filter name
/// with another condition, or one check name twice in a dataset, is an error.
std::vector<Dataset> merge_datasets(std::vector<Dataset> datasets, config::Diagnostics& diagnostics);

/// What is wrong with a filter's SQL condition as text, "" when nothing is: it must be one expression, with
/// balanced parentheses and quotes, and without comments or semicolons. A guard against slips and pasted
/// statements; what keeps the database safe is the read-only session.
std::string condition_mistake(std::string_view sql);

}  // namespace weir::quality
