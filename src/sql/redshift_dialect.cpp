#include <fmt/format.h>

#include "sql/dialect_parts.h"

namespace weir::sql {
namespace {

/// A PostgreSQL 8 of old with a catalog of its own. Its unique constraints are not enforced.
class RedshiftDialect final : public InformationSchemaDialect {
 public:
  std::string_view name() const override { return "redshift"; }

  /// Quotes are doubled, and backslashes escape.
  std::string text_literal(std::string_view text) const override {
    std::string escaped;
    for (const char c : text) escaped += c == '\\' ? std::string("\\\\") : std::string(1, c);
    return Dialect::text_literal(escaped);
  }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("APPROXIMATE count(DISTINCT {})", expression);
  }

  /// Several ordered-set aggregates of one SELECT would have to share their order.
  std::optional<std::string> percentile(Percentile, std::string_view, double) const override { return std::nullopt; }

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("{} ~ {}", expression, text_literal(pattern));
  }

  std::string cast_text(std::string_view expression) const override {
    return fmt::format("CAST({} AS varchar(65535))", expression);
  }

  /// Of a timestamp without zone extract() gives whole seconds only.
  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("extract(epoch FROM CAST({} AS timestamptz))", expression);
  }

  StatementBounds bounds() const override { return {.columns = 1600, .bytes = 1'000'000}; }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    const Location location = locate(table_parts);
    return fmt::format(
        "SELECT CAST(tbl_rows AS double precision) FROM svv_table_info WHERE \"schema\" = {} AND \"table\" = {}",
        location.schema.empty() ? current_schema() : text_literal(location.schema), text_literal(location.table));
  }

  std::optional<std::string> explain(std::string_view select) const override {
    return fmt::format("EXPLAIN {}", select);
  }

 protected:
  /// svv_tables and svv_columns know external tables and shared ones too.
  std::string catalog(std::span<const std::string>) const override { return "svv_"; }
};

}  // namespace

const Dialect& redshift_dialect() {
  static const RedshiftDialect dialect;
  return dialect;
}

}  // namespace weir::sql
