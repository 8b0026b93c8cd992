#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

/// What SQLite writes alike with and without Weir's functions.
class SqliteBase : public Dialect {
 public:
  std::string_view name() const override { return "sqlite"; }

  std::string timestamp_literal(core::Time time) const override { return text_literal(core::format_rfc3339(time)); }

  std::string count_if(std::string_view condition) const override {
    return fmt::format("count(*) FILTER (WHERE {})", condition);
  }

  std::string average(std::string_view column) const override {
    return unless_text(column, fmt::format("avg({})", column));
  }

  /// A column may hold text among its numbers, which is above all of them and has no bin.
  std::string log_bin(std::string_view expression, double width) const override {
    return fmt::format("CASE WHEN typeof({}) IN ('integer', 'real') THEN {} END", expression,
                       Dialect::log_bin(expression, width));
  }

  std::string length(std::string_view expression) const override { return fmt::format("length({})", expression); }

  std::string cast_text(std::string_view expression) const override {
    return fmt::format("CAST({} AS text)", expression);
  }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("CAST({} AS real)", expression);
  }

  std::string is_date(std::string_view expression) const override {
    return fmt::format("typeof({0}) = 'text' AND length({0}) = 10", expression);
  }

  /// SQLite keeps times as ISO text or as seconds since 1970; 2440587.5 is 1970-01-01 as a Julian day.
  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format(
        "CASE WHEN typeof({0}) IN ('integer', 'real') THEN {0} ELSE (julianday({0}) - 2440587.5) * 86400.0 END",
        expression);
  }

  std::string seconds_between(std::string_view from, std::string_view to) const override {
    return fmt::format("(({}) - ({}))", epoch_seconds(to), epoch_seconds(from));
  }

  /// A cast cuts towards zero; a Julian day's error (a fraction of a millisecond) must not move a time back over
  /// its bucket's edge.
  std::string time_bucket(std::string_view expression, std::int64_t seconds) const override {
    const std::string whole = fmt::format("round(({}) * 1000.0)", epoch_seconds(expression));
    return fmt::format("(CAST({0} / {1} AS integer) - ({0} < CAST({0} / {1} AS integer) * {1})) * {2}", whole,
                       fmt::format("{}.0", seconds * 1000), seconds);
  }

  /// A column holds its times as text of several shapes or as numbers, so it is the moment that is compared.
  std::string at_or_after(std::string_view column, core::Time time) const override {
    return fmt::format("({}) >= {}", rounded(column), number_literal(core::to_seconds(time)));
  }

  std::string before(std::string_view column, core::Time time) const override {
    return fmt::format("({}) < {}", rounded(column), number_literal(core::to_seconds(time)));
  }

  StatementBounds bounds() const override { return {.columns = 2000, .bytes = 900'000}; }

  std::string tables() const override {
    return fmt::format(
        "SELECT 'main', name, {}, 1 FROM sqlite_schema WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
        kKind);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT name, type FROM pragma_table_xinfo({})", named(table_parts));
  }

  std::string kind_of(std::span<const std::string> table_parts) const override {
    const Location location = locate(table_parts);
    const std::string schema = location.schema.empty() ? std::string() : identifier(location.schema) + ".";
    return fmt::format("SELECT {} FROM {}sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower({})",
                       kKind, schema, text_literal(location.table));
  }

  /// A table's INTEGER PRIMARY KEY is its row's own number and has no index.
  std::optional<std::string> unique_indexes_of(std::span<const std::string> table_parts) const override {
    const std::string table = named(table_parts);
    return fmt::format(
        "SELECT il.name, ii.name, ii.seqno + 1, max(ti.\"notnull\") FROM pragma_index_list({0}) il "
        "JOIN pragma_index_info(il.name) ii JOIN pragma_table_xinfo({0}) ti ON ti.cid = ii.cid "
        "WHERE il.\"unique\" = 1 AND il.partial = 0 "
        "AND NOT EXISTS (SELECT 1 FROM pragma_index_info(il.name) e WHERE e.cid < 0) GROUP BY 1, 2, 3 UNION ALL "
        "SELECT 'rowid', name, 1, 1 FROM pragma_table_xinfo({0}) WHERE pk = 1 AND upper(type) = 'INTEGER' "
        "AND (SELECT count(*) FROM pragma_table_xinfo({0}) WHERE pk > 0) = 1 "
        "AND NOT EXISTS (SELECT 1 FROM pragma_index_list({0}) WHERE origin = 'pk') ORDER BY 1, 3",
        table);
  }

 protected:
  /// SQLite's aggregates count text as 0; such a column must not look like a measured one.
  static std::string unless_text(std::string_view column, std::string_view aggregate) {
    return fmt::format("CASE WHEN total(typeof({}) IN ('text', 'blob')) > 0 THEN 'text' ELSE {} END", column,
                       aggregate);
  }

 private:
  static constexpr std::string_view kKind =
      "CASE WHEN type = 'view' THEN 'view' WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'foreign' ELSE 'table' END";

  std::string rounded(std::string_view column) const {
    return fmt::format("round(({}) * 1000.0) / 1000.0", epoch_seconds(column));
  }

  std::string named(std::span<const std::string> table_parts) const {
    const Location location = locate(table_parts);
    const std::string schema = location.schema.empty() ? std::string() : ", " + text_literal(location.schema);
    return text_literal(location.table) + schema;
  }
};

class SqliteDialect final : public SqliteBase {
 public:
  std::string parameter(int n) const override { return fmt::format("?{}", n); }

  std::string sum(std::string_view column) const override { return fmt::format("weir_sum({})", column); }

  std::string deviation(Deviation kind, std::string_view column) const override {
    return "weir_" + Dialect::deviation(kind, column);
  }

  std::optional<std::string> percentile(Percentile method, std::string_view column, double p) const override {
    return fmt::format("weir_percentile_{}({}, {})", method == Percentile::continuous ? "cont" : "disc", column,
                       number_literal(p));
  }

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("weir_matches({}, {})", expression, text_literal(pattern));
  }

  /// The whole file's counter, which is this session's own.
  std::optional<std::string> change_counters(std::span<const std::string>) const override {
    return "SELECT data_version, weir_session() FROM pragma_data_version";
  }
};

class PlainSqliteDialect final : public SqliteBase {
 public:
  /// The ODBC driver damages what is not ASCII within a statement.
  std::string text_literal(std::string_view text) const override {
    if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
      return SqliteBase::text_literal(text);
    }
    std::string digits;
    for (const char c : text) digits += fmt::format("{:02X}", static_cast<unsigned char>(c));
    return fmt::format("CAST(X'{}' AS text)", digits);
  }

  /// total() cannot overflow, and is 0.0 where there is nothing to add.
  std::string sum(std::string_view column) const override {
    return unless_text(column, fmt::format("CASE WHEN count({0}) > 0 THEN total({0}) END", column));
  }

  std::string deviation(Deviation kind, std::string_view column) const override {
    const bool sample = kind == Deviation::stddev_samp || kind == Deviation::var_samp;
    const bool root = kind == Deviation::stddev_pop || kind == Deviation::stddev_samp;
    // Rounding may leave a tiny negative variance.
    const std::string variance = fmt::format(
        "CASE WHEN count({0}) > {1} THEN max(0.0, (total(1.0 * ({0}) * ({0})) - total({0}) * total({0}) / count({0})) "
        "/ (count({0}) - {1})) END",
        column, sample ? 1 : 0);
    return unless_text(column, root ? fmt::format("sqrt({})", variance) : variance);
  }

  std::optional<std::string> percentile(Percentile, std::string_view, double) const override { return std::nullopt; }
};

}  // namespace

const Dialect& sqlite_dialect() {
  static const SqliteDialect dialect;
  return dialect;
}

const Dialect& plain_sqlite_dialect() {
  static const PlainSqliteDialect dialect;
  return dialect;
}

}  // namespace weir::sql
