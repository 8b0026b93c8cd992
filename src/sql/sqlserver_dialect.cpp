#include <array>
#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

/// SQL Server 2019 and later, Azure SQL.
class SqlServerDialect final : public Dialect {
 public:
  std::string_view name() const override { return "sqlserver"; }

  std::string identifier(std::string_view name) const override {
    std::string out = "[";
    for (const char c : name) out += c == ']' ? std::string("]]") : std::string(1, c);
    return out + "]";
  }

  std::string text_literal(std::string_view text) const override { return "N" + Dialect::text_literal(text); }

  std::string timestamp_literal(core::Time time) const override {
    return fmt::format("CAST('{}' AS datetimeoffset(3))", core::format_rfc3339(time));
  }

  std::string count_if(std::string_view condition) const override {
    return fmt::format("count_big(CASE WHEN {} THEN 1 END)", condition);
  }

  std::string count_distinct(std::string_view expression) const override {
    return fmt::format("count_big(DISTINCT {})", expression);
  }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("approx_count_distinct({})", expression);
  }

  /// Sums of int overflow, and their means are cut to whole numbers.
  std::string sum(std::string_view column) const override { return fmt::format("sum({})", cast_number(column)); }

  std::string average(std::string_view column) const override { return fmt::format("avg({})", cast_number(column)); }

  std::string deviation(Deviation kind, std::string_view column) const override {
    constexpr std::array<std::string_view, 4> kNames = {"stdevp", "stdev", "varp", "var"};
    return fmt::format("{}({})", kNames.at(static_cast<std::size_t>(kind)), cast_number(column));
  }

  std::optional<std::string> percentile(Percentile, std::string_view, double) const override { return std::nullopt; }

  std::string log_bin(std::string_view expression, double width) const override {
    return fmt::format("ceiling(log(abs({})) / {})", cast_number(expression), number_literal(width));
  }

  /// len() does not count blanks at the end.
  std::string length(std::string_view expression) const override {
    return fmt::format("(len({} + N'.') - 1)", cast_text(expression));
  }

  /// A bracket would begin a set of letters.
  std::string like(std::string_view expression, std::string_view pattern) const override {
    std::string escaped;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] == '!' && i + 1 < pattern.size())
        escaped += pattern[i++];
      else if (pattern[i] == '[')
        escaped += '!';
      escaped += pattern[i];
    }
    return Dialect::like(expression, escaped);
  }

  std::string cast_text(std::string_view expression) const override {
    return fmt::format("CAST({} AS nvarchar(max))", expression);
  }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("CAST({} AS float)", expression);
  }

  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("datediff_big(microsecond, CAST('1970-01-01T00:00:00Z' AS datetimeoffset(3)), {}) / 1e6",
                       expression);
  }

  std::string seconds_between(std::string_view from, std::string_view to) const override {
    return fmt::format("datediff_big(microsecond, {}, {}) / 1e6", from, to);
  }

  StatementBounds bounds() const override { return {.columns = 4096, .bytes = 1'000'000}; }

  /// A SELECT's own TOP cannot be told from a column's name here, so one with a limit must not be given.
  std::string limited(std::string_view select, std::size_t rows) const override {
    for (const std::string_view beginning : {"SELECT DISTINCT ", "SELECT "}) {
      if (!select.starts_with(beginning)) continue;
      return fmt::format("{}TOP ({}) {}", beginning, rows, select.substr(beginning.size()));
    }
    if (rows == 0) return fmt::format("{} ORDER BY 1 OFFSET 9000000000000000000 ROWS", select);
    return fmt::format("{} ORDER BY 1 OFFSET 0 ROWS FETCH NEXT {} ROWS ONLY", select, rows);
  }

  std::string tables() const override {
    return fmt::format(
        "SELECT s.name, o.name, {}, CASE WHEN s.name = schema_name() THEN 1 ELSE 0 END FROM sys.objects o "
        "JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 "
        "ORDER BY s.name, o.name",
        kKind);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT c.name, type_name(c.user_type_id) FROM sys.columns c WHERE c.object_id = {} ORDER BY c.column_id",
        object(table_parts));
  }

  std::string kind_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT {} FROM sys.objects o WHERE o.object_id = {}", kKind, object(table_parts));
  }

  std::optional<std::string> unique_indexes_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT i.name, c.name, k.key_ordinal, CASE WHEN c.is_nullable = 1 THEN 0 ELSE 1 END FROM sys.indexes i "
        "JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id "
        "JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id "
        "WHERE i.object_id = {} AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 "
        "AND k.is_included_column = 0 AND k.key_ordinal > 0 ORDER BY i.name, k.key_ordinal",
        object(table_parts));
  }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT CAST(sum(p.rows) AS float) FROM sys.partitions p WHERE p.object_id = {} AND p.index_id IN (0, 1)",
        object(table_parts));
  }

 private:
  static constexpr std::string_view kKind =
      "CASE WHEN o.type = 'V' THEN 'view' WHEN o.type <> 'U' THEN 'other' "
      "WHEN objectproperty(o.object_id, 'TableIsExternal') = 1 THEN 'foreign' ELSE 'table' END";

  std::string object(std::span<const std::string> table_parts) const {
    return fmt::format("object_id({})", text_literal(table(table_parts)));
  }
};

}  // namespace

const Dialect& sqlserver_dialect() {
  static const SqlServerDialect dialect;
  return dialect;
}

}  // namespace weir::sql
