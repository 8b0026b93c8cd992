#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace weir::sql {

/// How far values lie from their mean: of all rows (pop), or as an estimate from a sample (samp, divides by n − 1 and
/// is NULL for a single value).
enum class Deviation { stddev_pop, stddev_samp, var_pop, var_samp };

/// SQL's PERCENTILE_CONT, which interpolates between two values, or PERCENTILE_DISC, which takes one of them.
enum class Percentile { continuous, discrete };

/// The bounds of one SELECT; a plan that needs more is split.
struct StatementBounds {
  std::size_t columns;  // of the result
  std::size_t bytes;    // of the text
};

/// How one engine writes SQL. Stateless; the base is standard SQL, an engine overrides what differs.
/// Arguments called `expression`, `condition` or `column` are SQL already; names and values are quoted here.
/// An answer of nothing says that the engine cannot do it.
///
/// A table's parts are its schema and name, or just its name; with a third part in front where the engine has
/// catalogs or projects. Catalog queries are a single SELECT each with the columns their comments give.
class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string_view name() const = 0;

  /// A name in quotes, whatever it holds.
  virtual std::string identifier(std::string_view name) const;
  /// `{"public", "orders"}` is `"public"."orders"`.
  std::string table(std::span<const std::string> parts) const;
  virtual std::string text_literal(std::string_view text) const;
  /// A finite number that reads back as the same double.
  virtual std::string number_literal(double number) const;
  /// A point in time, with milliseconds, of the type that knows its zone.
  virtual std::string timestamp_literal(core::Time time) const;
  /// The placeholder of the nth bound parameter, from 1; each is used once, in order.
  virtual std::string parameter(int n) const;

  // Aggregates. Those of numbers are NULL where there is no value; for a column of another type they are an error or
  // a value that is no number.

  /// How many rows satisfy the condition, 0 for an empty table.
  virtual std::string count_if(std::string_view condition) const;
  virtual std::string count_distinct(std::string_view expression) const;
  /// Within some percent of count_distinct and cheaper, where the engine has such; else count_distinct.
  virtual std::string approximate_count_distinct(std::string_view expression) const;
  virtual std::string sum(std::string_view column) const;
  virtual std::string average(std::string_view column) const;
  virtual std::string deviation(Deviation kind, std::string_view column) const;
  /// The p-quantile, 0 ≤ p ≤ 1, beside other aggregates of one SELECT; nothing where the engine has no such
  /// aggregate that is exact: then percentile_query.
  virtual std::optional<std::string> percentile(Percentile method, std::string_view column, double p) const;
  /// ⌈ln|x| / width⌉ of a number that is not 0, no aggregate: equal for numbers that are about the same share apart.
  virtual std::string log_bin(std::string_view expression, double width) const;
  /// The same as a SELECT of its own, one row of one value, exact in every engine. `from` is a quoted table,
  /// `condition` may be empty.
  std::string percentile_query(Percentile method, std::string_view column, double p, std::string_view from,
                               std::string_view condition) const;
  /// One count for each of `edges.size() + 1` bins of a column: below the first edge, from each edge to before
  /// the next (the last of these closed), above the last. Edges ascend; NULLs are in no bin.
  std::vector<std::string> histogram(std::string_view column, std::span<const double> edges) const;

  // Text.

  /// Length in characters.
  virtual std::string length(std::string_view expression) const;
  /// In SQLite of ASCII letters only.
  virtual std::string lower(std::string_view expression) const;
  virtual std::string upper(std::string_view expression) const;
  /// A condition: the pattern occurs somewhere in the text, case matters, NULL for NULL. The language is the engine's
  /// own: PostgreSQL's, PCRE (MariaDB), ICU (MySQL), Java's (Trino, Databricks), RE2 (SQLite, BigQuery,
  /// ClickHouse; no look-around, no back references, \d and \w are ASCII), POSIX (Snowflake, Redshift, Oracle).
  virtual std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const;
  /// A condition: LIKE, where `%` and `_` are wild and `!` before one of these (or itself) takes it as it is. The
  /// case of ASCII letters matters but in SQLite and, by their collations, MySQL, MariaDB and SQL Server.
  virtual std::string like(std::string_view expression, std::string_view pattern) const;
  /// Text that stands for itself within a pattern of `like`.
  static std::string like_literal(std::string_view text);

  // Casts.

  virtual std::string cast_text(std::string_view expression) const;
  /// To a double; an error, or NULL, where it cannot be read as one.
  virtual std::string cast_number(std::string_view expression) const;

  // Time. All in UTC.

  /// A point in time, of any type the engine keeps one in, as seconds since 1970.
  virtual std::string epoch_seconds(std::string_view expression) const = 0;
  /// A condition: the value is a date, without a time of day; false where the engine cannot say.
  virtual std::string is_date(std::string_view expression) const;
  /// `to − from` in seconds, of two points in time as epoch_seconds takes them.
  virtual std::string seconds_between(std::string_view from, std::string_view to) const;
  /// Seconds since 1970, whole, at which the expression's bucket of this many seconds begins.
  virtual std::string time_bucket(std::string_view expression, std::int64_t seconds) const;
  /// Conditions on a time column, written so that an index or partition on it is used where the engine can.
  virtual std::string at_or_after(std::string_view column, core::Time time) const;
  virtual std::string before(std::string_view column, core::Time time) const;

  // Statements.

  virtual StatementBounds bounds() const;
  /// The same SELECT, checked by the engine but with no row read.
  virtual std::string without_rows(std::string_view select) const;
  /// The first rows of a SELECT (one that begins with SELECT or WITH and has no limit yet).
  virtual std::string limited(std::string_view select, std::size_t rows) const;

  /// A statement that tells how the engine would run the SELECT and what it expects that to cost, without running it.
  virtual std::optional<std::string> explain(std::string_view select) const;

  // Catalog.

  /// Every table and view that is not the system's: schema, name, kind as `kind_of` has it, 1 when its name alone
  /// finds it (it is in the session's search path or database). Partitions of a table are not listed.
  virtual std::string tables() const = 0;
  /// A table's columns: name, type; in order; empty when there is no such table.
  virtual std::string columns_of(std::span<const std::string> table_parts) const = 0;
  /// table, view (materialized or not), foreign (another engine's data) or other; no row when there is none.
  virtual std::string kind_of(std::span<const std::string> table_parts) const = 0;
  /// The unique indexes that hold for all rows at every moment (valid, without predicate or expression, not deferred):
  /// index, column, position from 1, 1 when the column is declared NOT NULL; by index and position. NULLs may be
  /// there more than once.
  virtual std::optional<std::string> unique_indexes_of(std::span<const std::string> table_parts) const;
  /// One number, how many rows the engine believes the table to have; NULL or no row when it does not know.
  virtual std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const;
  /// One row of values that are all as before only if nothing was written to the table since; no row when the
  /// engine does not count. Read it before the scan whose results it is kept with, on the same source. PostgreSQL
  /// counts a commit some seconds late (up to 10 s; before version 15 an idle session holds its counts longer), so
  /// reused results may be that much old.
  virtual std::optional<std::string> change_counters(std::span<const std::string> table_parts) const;
  /// Whether change_counters can be believed. One row: the server's clock as seconds since 1970; then the latest
  /// moment, in the same clock, at which a session may have committed what the counters do not show yet, NULL for
  /// none; then text that changes when the counters were lost. No row when they cannot be believed at all. Nothing
  /// for an engine whose counters are never late. Read it before the counters that it is about.
  virtual std::optional<std::string> counter_delay() const { return std::nullopt; }

 protected:
  /// The schema and name of a table's parts; the schema is empty when there is just a name.
  struct Location {
    std::string schema;
    std::string table;
  };
  static Location locate(std::span<const std::string> table_parts);
};

/// The dialects, for planners and tests; they live as long as the program.
const Dialect& postgres_dialect();
/// With the parameters of ODBC.
const Dialect& odbc_postgres_dialect();
/// Of sessions that Weir opened itself: they have Weir's functions (see sqlite_functions.h).
const Dialect& sqlite_dialect();
/// Of sessions without Weir's functions: no regex, percentiles as queries, deviations from sums of squares.
const Dialect& plain_sqlite_dialect();
/// MariaDB's too.
const Dialect& mysql_dialect();
const Dialect& bigquery_dialect();
const Dialect& clickhouse_dialect();
const Dialect& databricks_dialect();
const Dialect& oracle_dialect();
const Dialect& redshift_dialect();
const Dialect& snowflake_dialect();
const Dialect& sqlserver_dialect();
const Dialect& trino_dialect();

/// What is written for an engine that is reached through ODBC.
struct OdbcDialect {
  std::string_view name;  // as `dialect:` of a source
  const Dialect* dialect;
};
std::span<const OdbcDialect> odbc_dialects();

}  // namespace weir::sql
