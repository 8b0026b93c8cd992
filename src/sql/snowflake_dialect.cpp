#include <fmt/format.h>

#include "sql/dialect_parts.h"

namespace weir::sql {
namespace {

/// Names are as the catalog has them, mostly in upper case. Its unique constraints are not enforced.
class SnowflakeDialect final : public InformationSchemaDialect {
 public:
  std::string_view name() const override { return "snowflake"; }

  /// Quotes are doubled, and backslashes escape.
  std::string text_literal(std::string_view text) const override {
    std::string escaped;
    for (const char c : text) escaped += c == '\\' ? std::string("\\\\") : std::string(1, c);
    return Dialect::text_literal(escaped);
  }

  std::string timestamp_literal(core::Time time) const override {
    std::string text = core::format_rfc3339(time);
    text.replace(10, 1, " ");
    text.replace(text.size() - 1, 1, " +00:00");
    return fmt::format("to_timestamp_tz('{}')", text);
  }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("approx_count_distinct({})", expression);
  }

  std::string length(std::string_view expression) const override { return fmt::format("length({})", expression); }

  /// REGEXP_LIKE would want the whole text to match.
  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("regexp_instr({}, {}) > 0", expression, text_literal(pattern));
  }

  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("date_part('epoch_microsecond', to_timestamp_tz({})) / 1e6", expression);
  }

  StatementBounds bounds() const override { return {.columns = 2000, .bytes = 900'000}; }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT row_count FROM {}tables WHERE {}", catalog(table_parts), at(table_parts));
  }

  /// last_altered moves with every DML and DDL statement, and with some of the engine's own work.
  std::optional<std::string> change_counters(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT CAST(last_altered AS varchar), CAST(created AS varchar), row_count, bytes FROM {}tables "
        "WHERE {} AND table_type = 'BASE TABLE'",
        catalog(table_parts), at(table_parts));
  }

  std::optional<std::string> explain(std::string_view select) const override {
    return fmt::format("EXPLAIN USING TEXT {}", select);
  }
};

}  // namespace

const Dialect& snowflake_dialect() {
  static const SnowflakeDialect dialect;
  return dialect;
}

}  // namespace weir::sql
