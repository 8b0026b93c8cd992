#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/lineage.h"
#include "core/time.h"
#include "quality/import_results.h"

namespace weir::quality {

/// How one node of dbt fared in its last run.
struct DbtNodeRun {
  std::string id;              // "model.shop.orders"
  std::string kind;            // "model", "test", "seed", "snapshot" …
  std::string table;           // that it makes, as dbt_edges names it; "" where the manifest does not say
  double seconds = 0;          // execution_time
  std::optional<double> rows;  // adapter_response.rows_affected
  std::optional<core::Time> completed;
};

/// The nodes of run_results.json, and how long the whole took. Errors: as import_results().
struct DbtRuns {
  std::vector<DbtNodeRun> nodes;
  double seconds = 0;
};
core::Result<DbtRuns> dbt_runs(const std::string& text, const ImportSettings& settings);

/// Ways of data by a manifest.json (settings.manifest) of the versions 7 to 12: models, seeds, snapshots and sources
/// are tables of the warehouse (of `settings.source` where none is named), ephemeral models have no table and are of
/// the kind "model", exposures of the kind "exposure". Errors: invalid (no manifest, or of a version that is not known,
/// which is named), limit.
core::Result<std::vector<core::Edge>> dbt_edges(const ImportSettings& settings);

}  // namespace weir::quality
