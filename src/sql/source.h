#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "sql/dialect.h"

namespace weir::sql {

/// NULL, a whole number (booleans are 0 and 1), a floating-point number, text, or a point in time
/// (dates are midnight UTC; a timestamp without a zone is taken as UTC).
using Value = std::variant<std::monostate, std::int64_t, double, std::string, core::Time>;
using Row = std::vector<Value>;

struct Table {
  std::vector<std::string> columns;
  std::vector<Row> rows;
};

/// Bounds of one query; the sooner of `timeout` and `deadline` counts.
struct QueryLimits {
  std::size_t rows = 10'000;                        // a longer result is an error (limit), not cut short
  core::Duration timeout = std::chrono::hours(24);  // besides the source's own statement timeout
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::stop_token stop = {};
  std::string tag = {};  // what the query is for, "dataset=orders check=row_count", as the server's logs show it
};

/// A database that is only read: one session, opened on first use and again after it broke. Used by one
/// thread at a time; nothing it does may change the database, whatever text it is given.
///
/// Errors: denied (credentials, privileges, an attempt to write), unavailable (cannot be reached),
/// timeout, not_found (no such table, column, schema or database, with its name), invalid (the server
/// refuses the statement), limit, cancelled. No text of an error holds a password.
class SqlSource {
 public:
  virtual ~SqlSource() = default;
  /// The configured name.
  virtual std::string_view name() const = 0;
  virtual const Dialect& dialect() const = 0;
  /// Opens the session where there is none: an error here concerns the whole source.
  virtual core::Result<void> connect(const QueryLimits& limits) = 0;
  /// Runs one statement in a read-only transaction. Parameters are written as the dialect's
  /// `parameter(1)` … and bound, never pasted.
  virtual core::Result<Table> query(const std::string& text, const std::vector<Value>& parameters,
                                    const QueryLimits& limits) = 0;
};

}  // namespace weir::sql
