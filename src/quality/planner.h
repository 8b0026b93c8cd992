#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quality/check.h"
#include "sql/dialect.h"

namespace weir::quality {

/// How an aggregate of all rows comes from those of two parts of them; none: it has to see all rows at once.
enum class Merge { none, count, sum, least, greatest, mean, stddev_pop, stddev_samp, var_pop, var_samp, sketch };

/// One aggregate of a scan, in the order of the result's columns.
struct Aggregate {
  std::string sql;
  std::string column = {};   // what it reads, "" for the row count
  bool user_sql = false;     // an expression of a check file: tried with care, for it may be anything
  bool ordered_set = false;  // sorts its values, which keeps PostgreSQL from scanning in parallel
  bool moves = false;        // it may be another one for the same rows at another time: a filter with now()
  Merge merge = Merge::none;
  std::string of = {};  // of means, deviations and sketches: what of
  double fraction = 0;  // of sketches: which quantile
  bool number = false;  // of sketches: whatever the type of the column, this is a number
  bool alone = false;   // `sql` is a SELECT of one value, not an aggregate that stands beside others
};

/// Everything a dataset's checks need of the table, in one SELECT: each aggregate once, the row count first. What
/// stands alone is among the aggregates and not in the SELECT.
struct ScanPlan {
  std::string sql;
  std::vector<Aggregate> aggregates;
};

/// The scan of a dataset for some of its checks. Names and values come quoted; the only text of a check file
/// that is taken as SQL is a filter's condition.
ScanPlan plan(const Dataset& dataset, std::span<const Check* const> checks, const sql::Dialect& dialect);

/// The same in as many SELECTs as the dialect's bounds ask for, and with `ordered_apart` one more for what sorts its
/// values: PostgreSQL plans no parallel scan for a SELECT with an ordered-set aggregate (percentile), so where the
/// table is large it is worth a scan of its own. Each has the row count first, but those of aggregates that stand
/// alone.
std::vector<ScanPlan> plan_scans(const Dataset& dataset, std::span<const Check* const> checks,
                                 const sql::Dialect& dialect, bool ordered_apart = false);

/// A SELECT of just this aggregate over the dataset.
std::string select(const Dataset& dataset, std::string_view aggregates, const sql::Dialect& dialect);

}  // namespace weir::quality
