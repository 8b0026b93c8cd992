#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "quality/judge.h"
#include "quality/planner.h"
#include "sql/source.h"

namespace weir::quality {

/// A statement of a check's own, besides the SELECT it shares with the other checks of its dataset.
struct Statement {
  std::string sql;
  std::vector<sql::Value> parameters;
  std::string source;    // an entry of `sources:`; "" is the dataset's own
  std::size_t rows = 1;  // of the answer, at most
};

/// What a probe asks of the database.
struct Needs {
  std::vector<Aggregate> aggregates;  // of the dataset's one SELECT
  std::vector<Statement> statements;  // each a query of its own
  bool columns = false;               // names and types from the catalog
};

/// A column of a table as the catalog has it.
struct Column {
  std::string name;
  std::string type;  // as the engine writes it: "character varying(20)"
};

/// What came back for a probe's needs. Lives for one call.
struct Findings {
  const Observation& scan;
  std::span<const core::Result<sql::Table>> answers;  // of the statements, in their order
  std::span<const Column> columns;                    // in order; empty unless asked for
  const sql::Dialect& dialect;
  core::Time now;
};

/// What one check looks at and how it is seen: a kind of check is one file with a class of these and its parser,
/// and one line of the table in registry.cpp. Pure: it writes SQL and reads answers, and touches no database.
class Probe {
 public:
  virtual ~Probe() = default;
  /// The canonical text, "missing_count(customer_id)": the same for two that measure the same.
  virtual std::string text() const = 0;
  virtual Needs needs(const Dataset& dataset, const sql::Dialect& dialect) const = 0;
  /// The number that thresholds, changes and anomaly detection are about, or why there is none.
  virtual Measured measure(const Findings& findings) const = 0;
  /// What a check finds that is no matter of one number (a schema's violations); by default the number is held
  /// against the check's thresholds.
  virtual Verdict verdict(const Check& check, const Findings& findings) const;
};

}  // namespace weir::quality
