#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

class PostgresDialect final : public Dialect {
 public:
  std::string_view name() const override { return "postgres"; }

  std::string text_literal(std::string_view text) const override {
    // The E form reads the same whatever standard_conforming_strings says.
    if (text.find('\\') == std::string_view::npos) return Dialect::text_literal(text);
    std::string escaped;
    for (const char c : text) escaped += c == '\\' ? std::string("\\\\") : std::string(1, c);
    return "E" + Dialect::text_literal(escaped);
  }

  std::string parameter(int n) const override { return fmt::format("${}", n); }

  std::string count_if(std::string_view condition) const override {
    return fmt::format("count(*) FILTER (WHERE {})", condition);
  }

  /// The cast takes date, timestamp (as the session's zone, UTC), timestamptz and ISO text alike.
  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("extract(epoch FROM ({})::timestamptz)::float8", expression);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass({}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        text_literal(table(table_parts)));
  }
};

}  // namespace

const Dialect& postgres_dialect() {
  static const PostgresDialect dialect;
  return dialect;
}

}  // namespace weir::sql
