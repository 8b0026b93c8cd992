#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "quality/report.h"

namespace weir::quality {

/// Files that other programs leave behind with results of checks.
enum class ResultFormat {
  dbt,          // run_results.json (v4 to v6): tests and unit tests; of other nodes that they were built
  dbt_sources,  // sources.json (v3): how fresh sources are
  gx,           // a validation result or a checkpoint's, of Great Expectations 0.18 and 1.x
};
std::string_view to_string(ResultFormat format);
std::optional<ResultFormat> parse_result_format(std::string_view word);

struct ImportLimits {
  std::size_t bytes = 64U << 20U;
  std::size_t depth = 100;
  std::size_t results = 100'000;
};

struct ImportSettings {
  std::string source;                       // the label, "dbt"
  std::string file = {};                    // for positions where the results name none
  std::string manifest = {};                // dbt's manifest.json, "" without: then tests have no table and no line
  std::optional<ResultFormat> format = {};  // told from the content unless given
  std::string warehouse = {};               // of dbt: the source that its relations are tables of, "" without
  std::vector<std::string> tables = {};     // names that the warehouse's tables are known by
  ImportLimits limits = {};
};

/// Reads a file of results. The report's start is when they were made (the file says so; a file that does not is an
/// error, since its age must be known). Statuses:
///
///     dbt           pass and success: pass; warn: warn; fail: fail; error, runtime error, skipped: error
///     dbt sources   pass; warn; error (older than error_after): fail; runtime error: error
///     gx            success: pass; else fail, of a severity warning or info: warn; an exception: error
///
/// Errors: invalid (no JSON, cut off in the middle, of another kind), limit (too large, too deep, too many).
core::Result<RunReport> import_results(const std::string& text, const ImportSettings& settings);

}  // namespace weir::quality
