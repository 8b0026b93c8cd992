#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sql {

/// How one engine writes SQL. Stateless; the base is standard SQL, an engine overrides what differs.
/// Arguments called `expression`, `condition` or `column` are SQL already; names and values are quoted here.
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
  /// The placeholder of the nth bound parameter, from 1.
  virtual std::string parameter(int n) const = 0;

  /// How many rows satisfy the condition, 0 for an empty table.
  virtual std::string count_if(std::string_view condition) const;
  /// The mean of a numeric column; for a column of another type an error or a value that is no number.
  virtual std::string average(std::string_view column) const;
  /// A point in time, of any type the engine keeps one in, as seconds since 1970.
  virtual std::string epoch_seconds(std::string_view expression) const = 0;
  /// One count for each of `edges.size() + 1` bins of a column: below the first edge, from each edge to before
  /// the next (the last of these closed), above the last. Edges ascend; NULLs are in no bin.
  std::vector<std::string> histogram(std::string_view column, std::span<const double> edges) const;

  /// The same SELECT, checked by the engine but with no row read.
  virtual std::string without_rows(std::string_view select) const;
  /// A query of a table's columns: name, type; in order; empty when there is no such table.
  virtual std::string columns_of(std::span<const std::string> table_parts) const = 0;
};

/// The dialects, for planners and tests; they live as long as the program.
const Dialect& postgres_dialect();
const Dialect& sqlite_dialect();

}  // namespace weir::sql
