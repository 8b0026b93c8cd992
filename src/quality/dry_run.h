#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "quality/check.h"
#include "quality/run.h"
#include "sql/source.h"

namespace weir::quality {

/// A statement that a run would run.
struct PlannedStatement {
  std::string source;
  std::string dataset;
  std::string sql;
  bool catalog = false;           // asks the catalog, so it was run to see what comes after it
  std::optional<double> cost;     // in the engine's own unit, where it says one
  std::optional<double> rows;     // that it expects to read or return, where it says so
  std::vector<std::string> plan;  // how it would read the tables: "Seq Scan on orders"
  std::string problem;            // why the engine refuses it, "" when it does not
};

/// What CheckRun would ask of the database, found by a run over a session that answers every SELECT with one row of
/// NULLs: statements are checked by the engine and explained, and none reads a row. What depends on values (samples of
/// failing rows) does not show. Errors: the source cannot be reached.
core::Result<std::vector<PlannedStatement>> dry_run(std::span<const Dataset> datasets, const std::string& source,
                                                    sql::SqlSource& session, const SourceByName& other, core::Time now,
                                                    const sql::QueryLimits& limits);

}  // namespace weir::quality
