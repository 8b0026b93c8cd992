#include <fmt/format.h>

#include "sql/dialect_parts.h"

namespace weir::sql {
namespace {

/// A table's parts are project, dataset and table, or fewer where the connection has a default project and dataset.
class BigQueryDialect final : public InformationSchemaDialect {
 public:
  std::string_view name() const override { return "bigquery"; }

  std::string identifier(std::string_view name) const override { return backslash_quoted(name, '`'); }

  std::string text_literal(std::string_view text) const override { return backslash_quoted(text, '\''); }

  std::string timestamp_literal(core::Time time) const override {
    return fmt::format("TIMESTAMP '{}'", core::format_rfc3339(time));
  }

  std::string count_if(std::string_view condition) const override { return fmt::format("countif({})", condition); }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("approx_count_distinct({})", expression);
  }

  /// PERCENTILE_CONT is a window function only.
  std::optional<std::string> percentile(Percentile, std::string_view, double) const override { return std::nullopt; }

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("regexp_contains({}, {})", expression, text_literal(pattern));
  }

  std::string like(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("{} LIKE {}", expression, text_literal(backslash_pattern(pattern)));
  }

  std::string cast_text(std::string_view expression) const override {
    return fmt::format("CAST({} AS string)", expression);
  }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("CAST({} AS float64)", expression);
  }

  /// timestamp() takes dates, datetimes, timestamps and texts.
  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("unix_micros(timestamp({})) / 1e6", expression);
  }

  std::string time_bucket(std::string_view expression, std::int64_t seconds) const override {
    return fmt::format("CAST(floor({0} / {1}) * {1} AS int64)", epoch_seconds(expression), seconds);
  }

  /// A datetime and a timestamp cannot be compared.
  std::string at_or_after(std::string_view column, core::Time time) const override {
    return Dialect::at_or_after(fmt::format("timestamp({})", column), time);
  }

  std::string before(std::string_view column, core::Time time) const override {
    return Dialect::before(fmt::format("timestamp({})", column), time);
  }

  StatementBounds bounds() const override { return {.columns = 5000, .bytes = 900'000}; }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT column_name, data_type FROM {}COLUMNS WHERE {} ORDER BY ordinal_position",
                       catalog(table_parts), named(table_parts));
  }

  std::string kind_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT {} FROM {}TABLES WHERE {}", kKind, catalog(table_parts), named(table_parts));
  }

  /// Of the default dataset.
  std::string tables() const override {
    return fmt::format("SELECT table_schema, table_name, {}, 1 FROM INFORMATION_SCHEMA.TABLES ORDER BY table_name",
                       kKind);
  }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT CAST(row_count AS float64) FROM {}__TABLES__ WHERE table_id = {} AND type = 1",
                       dataset(table_parts), text_literal(locate(table_parts).table));
  }

 protected:
  std::string catalog(std::span<const std::string> table_parts) const override {
    return dataset(table_parts) + "INFORMATION_SCHEMA.";
  }

 private:
  static constexpr std::string_view kKind =
      "CASE WHEN table_type LIKE '%VIEW%' THEN 'view' WHEN table_type = 'EXTERNAL' THEN 'foreign' "
      "WHEN table_type IN ('BASE TABLE', 'CLONE', 'SNAPSHOT') THEN 'table' ELSE 'other' END";

  /// What is before the table, with the dot.
  std::string dataset(std::span<const std::string> table_parts) const {
    if (table_parts.size() < 2) return "";
    return table(table_parts.first(table_parts.size() - 1)) + ".";
  }

  std::string named(std::span<const std::string> table_parts) const {
    return fmt::format("table_name = {}", text_literal(locate(table_parts).table));
  }
};

}  // namespace

const Dialect& bigquery_dialect() {
  static const BigQueryDialect dialect;
  return dialect;
}

}  // namespace weir::sql
