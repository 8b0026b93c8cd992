#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "core/time.h"
#include "quality/check.h"
#include "quality/planner.h"
#include "quality/sketch.h"
#include "sql/source.h"

/// Incremental measuring of a table that grows by a time column. Rows older than a frontier, `now − lateness` rounded
/// down to a step, are summed up once, in a base; a scan reads those from the frontier on (and those without a time)
/// and the two are merged. When the frontier moves on, what lies between is told apart in the same scan, and becomes
/// part of the base. So the state is one row of numbers however large the table is.
///
/// A base is wrong once an old row is changed, deleted or added: a guard looks for that, and a full scan now and then
/// puts right what no guard can see.
namespace weir::quality {

/// The mean of n numbers and the sum of their squared distances from it: what of a column merges without losing
/// digits, as sums of squares would (Chan, Golub, LeVeque 1979).
struct Moments {
  double n = 0;
  double mean = 0;
  double m2 = 0;
};
Moments merged(const Moments& a, const Moments& b);

/// What one aggregate has come to over some of the rows.
struct Partial {
  sql::Value value;    // of counts, sums, least and greatest; NULL for no value
  Moments moments;     // of means and deviations
  Sketch sketch = {};  // of percentiles
};

/// Null when the two cannot be merged: text, whose order is the database's own matter.
std::optional<Partial> merged(const Aggregate& aggregate, const Partial& a, const Partial& b);
/// The aggregate's value of the rows that a partial is about. Of a sketch NULL also when it does not tell.
sql::Value value_of(const Aggregate& aggregate, const Partial& partial);

struct IncrementalState {
  std::string plan;            // of which aggregates: another plan begins anew
  std::int64_t frontier = 0;   // seconds since 1970
  std::vector<Partial> base;   // rows before the frontier, an entry for each aggregate
  sql::Row counters;           // of the table, when it was last scanned; empty where there are none
  double surplus = 0;          // rows counted less rows inserted by the counters, at the last full scan
  core::Time reconciled = {};  // when the last full scan was
};

/// `incremental: {column: loaded_at, lateness: 2h, reconcile: 24h, percentiles: approximate}` under "configurations for
/// <table>".
IncrementalSettings read_incremental(const config::Node& node, const std::string& what,
                                     config::Diagnostics& diagnostics);

/// Where the frontier is at a moment.
std::int64_t frontier_at(core::Time now, const IncrementalSettings& settings);

/// 0 for a row before `to`, 1 for others and for those without a time.
std::string half_of(const Dataset& dataset, std::int64_t to, const sql::Dialect& dialect);
/// A condition in parentheses: from `from` on, or without a time.
std::string from_on(const Dataset& dataset, std::int64_t from, const sql::Dialect& dialect);

/// A SELECT of two rows at most: 0 and what lies before `to`, 1 and the rest; of the rows from `from` on and those
/// without a time, or of all without `from`. After the first column come the parts of each aggregate in turn;
/// sketches have none and are queries of their own.
std::string incremental_query(const Dataset& dataset, std::span<const Aggregate> aggregates,
                              std::optional<std::int64_t> from, std::int64_t to, const sql::Dialect& dialect);

/// The two rows read: what lies before the frontier and what from it on, empty partials for a row that is absent.
/// Nothing for an answer of another shape.
struct Halves {
  std::vector<Partial> before;
  std::vector<Partial> after;
};
std::optional<Halves> read_halves(const sql::Table& answer, std::span<const Aggregate> aggregates);

/// Why a base does not hold any more, "" while it does. `now` are the counters read before the scan that found
/// `rows` in all: what was updated or deleted, or a table that began anew, and rows that were inserted and not found,
/// since they came with an old time.
std::string broken_by(const IncrementalState& state, const sql::Table& now, double rows);

/// Inserted by the counters; nothing where they do not tell.
std::optional<double> inserted(const sql::Table& counters);

/// The state as text that can be kept, and back; nothing for text of another form.
std::string state_to_text(const IncrementalState& state);
std::optional<IncrementalState> state_from_text(std::string_view text);

}  // namespace weir::quality
