#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

constexpr std::string_view kKind =
    "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' "
    "WHEN 'f' THEN 'foreign' ELSE 'other' END";

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

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("{} ~ {}", cast_text(expression), text_literal(pattern));
  }

  std::string length(std::string_view expression) const override {
    return fmt::format("char_length({})", cast_text(expression));
  }

  std::string like(std::string_view expression, std::string_view pattern) const override {
    return Dialect::like(cast_text(expression), pattern);
  }

  std::string cast_text(std::string_view expression) const override { return fmt::format("({})::text", expression); }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("({})::float8", expression);
  }

  std::string is_date(std::string_view expression) const override {
    return fmt::format("pg_typeof({}) = 'date'::regtype", expression);
  }

  /// The cast takes date, timestamp (as the session's zone, UTC), timestamptz and ISO text alike.
  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("extract(epoch FROM ({})::timestamptz)::float8", expression);
  }

  StatementBounds bounds() const override { return {.columns = 1664, .bytes = 1'000'000}; }

  std::string tables() const override {
    return fmt::format(
        "SELECT n.nspname, c.relname, {}, CASE WHEN pg_table_is_visible(c.oid) THEN 1 ELSE 0 END FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' "
        "ORDER BY 1, 2",
        kKind);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = {} AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        oid(table_parts));
  }

  std::string kind_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT {} FROM pg_class c WHERE c.oid = {}", kKind, oid(table_parts));
  }

  /// A parent of inheriting tables is left out: its indexes do not cover its children.
  std::optional<std::string> unique_indexes_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT x.relname, a.attname, k.place, CASE WHEN a.attnotnull THEN 1 ELSE 0 END FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid "
        "CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
        "WHERE i.indrelid = {} AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate "
        "AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts "
        "AND (c.relkind = 'p' OR NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhparent = c.oid)) ORDER BY 1, 3",
        oid(table_parts));
  }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "{} SELECT CASE WHEN min(c.reltuples) >= 0 THEN sum(c.reltuples::float8) END FROM tree "
        "JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind IN ('r', 'm', 'f')",
        tree(table_parts));
  }

  /// TRUNCATE and rewrites change the relfilenode, other ALTERs the catalog row's xmin; a standby does not count.
  std::optional<std::string> change_counters(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "{} SELECT count(*), sum(pg_stat_get_tuples_inserted(c.oid))::text, "
        "sum(pg_stat_get_tuples_updated(c.oid))::text, sum(pg_stat_get_tuples_deleted(c.oid))::text, "
        "sum(pg_relation_size(c.oid))::text, "
        "md5(string_agg(concat_ws(':', c.oid, c.relfilenode, c.xmin), ',' ORDER BY c.oid)), "
        "pg_postmaster_start_time()::text, (SELECT d.stats_reset::text FROM pg_stat_database d "
        "WHERE d.datname = current_database()) FROM tree JOIN pg_class c ON c.oid = tree.oid "
        "WHERE current_setting('track_counts') = 'on' AND NOT pg_is_in_recovery() "
        "HAVING bool_and(c.relkind IN ('r', 'p', 'm'))",
        tree(table_parts));
  }

 private:
  std::string oid(std::span<const std::string> table_parts) const {
    return fmt::format("to_regclass({})", text_literal(table(table_parts)));
  }

  /// The table with its partitions or inheriting tables.
  std::string tree(std::span<const std::string> table_parts) const {
    return fmt::format(
        "WITH RECURSIVE tree(oid) AS (SELECT {}::oid UNION "
        "SELECT h.inhrelid FROM pg_inherits h JOIN tree t ON h.inhparent = t.oid)",
        oid(table_parts));
  }
};

}  // namespace

const Dialect& postgres_dialect() {
  static const PostgresDialect dialect;
  return dialect;
}

}  // namespace weir::sql
