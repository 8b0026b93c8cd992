#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quality/registry.h"
#include "sql/source.h"

namespace weir::quality {

/// Reads `samples limit` and `samples columns` of a check, for whatever kind has failing rows. Samples are off unless
/// the columns that may be shown are listed.
SampleSettings parse_samples(ProbeContext& context);

/// The SELECT of a few failing rows: the allowed columns and no others.
std::string sample_query(const FailingRows& rows, const SampleSettings& settings, const sql::Dialect& dialect);

/// Rows as a person may see them, `{id: 17, email: <email>}`: masked, each value and all of them bounded in bytes.
std::vector<std::string> show_sample(const sql::Table& table);

}  // namespace weir::quality
