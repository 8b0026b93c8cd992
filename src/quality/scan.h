#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "quality/check.h"
#include "quality/judge.h"
#include "quality/probe.h"
#include "quality/report.h"
#include "sql/source.h"

namespace weir::quality {

class ScanKeeper;

/// What one dataset's scan saw. `unreadable` holds the checks the database refuses to compute (a column that
/// does not exist, a type without an average), with its reason.
struct Scan {
  Observation observation;
  std::map<const Check*, core::Error> unreadable;
  std::vector<Column> columns;                      // of the catalog; empty unless a probe asked for them
  std::vector<std::vector<std::string>> unique;     // columns of the unique indexes; empty unless a statement asks
  std::optional<core::Time> reused = {};            // when it was measured, where nothing was written since
  std::optional<core::Error> not_incremental = {};  // why a dataset that should be was not measured incrementally
};

/// Runs statements over a session and notes each with the time it took.
class Session {
 public:
  Session(sql::SqlSource& source, const sql::QueryLimits& limits, std::string dataset,
          std::vector<StatementReport>& log)
      : source_(source), limits_(limits), dataset_(std::move(dataset)), log_(log) {}

  core::Result<sql::Table> query(const std::string& text, const std::vector<sql::Value>& parameters = {});
  /// The same with at most `rows` rows in the answer; more are an error.
  core::Result<sql::Table> query(const Statement& statement);
  /// The same dataset's turn over another session.
  Session to(sql::SqlSource& other) const { return {other, limits_, dataset_, log_}; }
  const sql::Dialect& dialect() const { return source_.dialect(); }
  std::string name() const { return std::string(source_.name()); }

 private:
  core::Result<sql::Table> timed(const std::string& text, const std::vector<sql::Value>& parameters,
                                 const sql::QueryLimits& limits);

  sql::SqlSource& source_;
  const sql::QueryLimits& limits_;
  std::string dataset_;
  std::vector<StatementReport>& log_;
};

/// Measures all of a dataset in one SELECT, or in few where the dialect's bounds ask for more or where it is cheaper:
/// a SELECT with a percentile is no parallel scan in PostgreSQL, so when there are both, EXPLAIN is asked for the cost
/// of all together and of the two apart, and apart must be cheaper by a tenth. When the database refuses it, each check
/// is tried without reading a row, and the rest is measured without those that fail, so that one bad column spoils
/// nothing but its own checks; what takes too long together is tried in ever smaller parts. Errors: the table itself
/// cannot be read (not_found, denied, invalid: a definite answer), or the source did not answer (unavailable, timeout,
/// cancelled …). With a keeper it reads no more than has to be.
core::Result<Scan> scan(const Dataset& dataset, Session& session, ScanKeeper* keeper = nullptr, core::Time now = {});

/// True for an answer about the thing asked, false for the lack of one.
bool is_definite(const core::Error& error);

}  // namespace weir::quality
