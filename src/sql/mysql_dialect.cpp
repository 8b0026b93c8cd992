#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

/// MariaDB and MySQL 8, in any sql_mode. Times are the session's zone, which Weir sets to UTC.
class MysqlDialect final : public Dialect {
 public:
  std::string_view name() const override { return "mysql"; }

  std::string identifier(std::string_view name) const override {
    std::string out = "`";
    for (const char c : name) out += c == '`' ? std::string("``") : std::string(1, c);
    return out + "`";
  }

  /// Whether a backslash escapes depends on sql_mode, and hexadecimal digits do not.
  std::string text_literal(std::string_view text) const override {
    if (text.find('\\') == std::string_view::npos) return Dialect::text_literal(text);
    std::string digits;
    for (const char c : text) digits += fmt::format("{:02X}", static_cast<unsigned char>(c));
    return fmt::format("CONVERT(X'{}' USING utf8mb4)", digits);
  }

  std::string timestamp_literal(core::Time time) const override {
    std::string text = core::format_rfc3339(time);
    text.replace(10, 1, " ");
    text.pop_back();
    return fmt::format("TIMESTAMP '{}'", text);
  }

  std::string sum(std::string_view column) const override { return unless_text(column, Dialect::sum(column)); }

  std::string average(std::string_view column) const override { return unless_text(column, Dialect::average(column)); }

  std::string deviation(Deviation kind, std::string_view column) const override {
    return unless_text(column, Dialect::deviation(kind, column));
  }

  std::optional<std::string> percentile(Percentile, std::string_view, double) const override { return std::nullopt; }

  /// A column's collation would ignore case.
  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("CONVERT({} USING utf8mb4) COLLATE utf8mb4_bin REGEXP {}", expression, text_literal(pattern));
  }

  std::string cast_text(std::string_view expression) const override {
    return fmt::format("CAST({} AS char)", expression);
  }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("CAST({} AS double)", expression);
  }

  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("timestampdiff(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', {}) / 1e6", expression);
  }

  std::string seconds_between(std::string_view from, std::string_view to) const override {
    return fmt::format("timestampdiff(MICROSECOND, {}, {}) / 1e6", from, to);
  }

  std::string time_bucket(std::string_view expression, std::int64_t seconds) const override {
    return fmt::format("CAST(floor(({0}) / {1}) * {1} AS signed)", epoch_seconds(expression), seconds);
  }

  StatementBounds bounds() const override { return {.columns = 4096, .bytes = 1'000'000}; }

  std::string tables() const override {
    return fmt::format(
        "SELECT table_schema, table_name, {}, CASE WHEN table_schema = database() THEN 1 ELSE 0 END "
        "FROM information_schema.tables "
        "WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY 1, 2",
        kKind);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT column_name, column_type FROM information_schema.columns WHERE {} ORDER BY ordinal_position",
        at(table_parts));
  }

  std::string kind_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT {} FROM information_schema.tables WHERE {}", kKind, at(table_parts));
  }

  /// An index on an expression has no column name in MySQL, and one on the beginning of a column a sub_part.
  std::optional<std::string> unique_indexes_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT s.index_name, s.column_name, s.seq_in_index, CASE WHEN s.nullable = 'YES' THEN 0 ELSE 1 END "
        "FROM information_schema.statistics s WHERE {0} AND s.non_unique = 0 AND NOT EXISTS "
        "(SELECT 1 FROM information_schema.statistics x WHERE x.table_schema = s.table_schema "
        "AND x.table_name = s.table_name AND x.index_name = s.index_name "
        "AND (x.column_name IS NULL OR x.sub_part IS NOT NULL)) ORDER BY 1, 3",
        at(table_parts, "s."));
  }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT CAST(table_rows AS double) FROM information_schema.tables WHERE {}", at(table_parts));
  }

  std::optional<std::string> explain(std::string_view select) const override {
    return fmt::format("EXPLAIN FORMAT=JSON {}", select);
  }

 private:
  static constexpr std::string_view kKind =
      "CASE WHEN table_type LIKE '%VIEW' THEN 'view' WHEN table_type <> 'BASE TABLE' THEN 'other' "
      "WHEN engine IN ('FEDERATED', 'CONNECT', 'SPIDER', 'S3', 'SPHINX') THEN 'foreign' ELSE 'table' END";

  /// The sum of a text column would be that of the numbers its texts begin with. A column's type shows in any one of
  /// its values; a subquery of two rows is an error, and one that is only met by a text column.
  static std::string unless_text(std::string_view column, std::string_view aggregate) {
    return fmt::format(
        "CASE WHEN json_type(json_extract(json_array(min({})), '$[0]')) = 'STRING' "
        "THEN (SELECT 1 UNION ALL SELECT 2) ELSE {} END",
        column, aggregate);
  }

  std::string at(std::span<const std::string> table_parts, std::string_view prefix = "") const {
    const Location location = locate(table_parts);
    return fmt::format("{0}table_schema = {1} AND {0}table_name = {2}", prefix,
                       location.schema.empty() ? std::string("database()") : text_literal(location.schema),
                       text_literal(location.table));
  }
};

}  // namespace

const Dialect& mysql_dialect() {
  static const MysqlDialect dialect;
  return dialect;
}

}  // namespace weir::sql
