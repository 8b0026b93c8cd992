#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

class SqliteDialect final : public Dialect {
 public:
  std::string_view name() const override { return "sqlite"; }

  std::string parameter(int n) const override { return fmt::format("?{}", n); }

  std::string count_if(std::string_view condition) const override {
    return fmt::format("count(*) FILTER (WHERE {})", condition);
  }

  /// SQLite's avg() counts text as 0; such a column must not look like a measured one.
  std::string average(std::string_view column) const override {
    return fmt::format("CASE WHEN total(typeof({0}) IN ('text', 'blob')) > 0 THEN 'text' ELSE avg({0}) END", column);
  }

  /// SQLite keeps times as ISO text or as seconds since 1970; 2440587.5 is 1970-01-01 as a Julian day.
  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format(
        "CASE WHEN typeof({0}) IN ('integer', 'real') THEN {0} ELSE (julianday({0}) - 2440587.5) * 86400.0 END",
        expression);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    const std::string table = table_parts.empty() ? std::string() : table_parts.back();
    const std::string schema = table_parts.size() > 1 ? ", " + text_literal(table_parts.front()) : std::string();
    return fmt::format("SELECT name, type FROM pragma_table_xinfo({}{})", text_literal(table), schema);
  }
};

}  // namespace

const Dialect& sqlite_dialect() {
  static const SqliteDialect dialect;
  return dialect;
}

}  // namespace weir::sql
