#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

constexpr std::string_view kKind =
    "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' "
    "WHEN 'f' THEN 'foreign' ELSE 'other' END";

class PostgresDialect final : public Dialect {
 public:
  explicit PostgresDialect(bool numbered_parameters) : numbered_parameters_(numbered_parameters) {}

  std::string_view name() const override { return "postgres"; }

  std::string text_literal(std::string_view text) const override {
    // The E form reads the same whatever standard_conforming_strings says.
    if (text.find('\\') == std::string_view::npos) return Dialect::text_literal(text);
    std::string escaped;
    for (const char c : text) escaped += c == '\\' ? std::string("\\\\") : std::string(1, c);
    return "E" + Dialect::text_literal(escaped);
  }

  std::string parameter(int n) const override {
    return numbered_parameters_ ? fmt::format("${}", n) : Dialect::parameter(n);
  }

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

  std::optional<std::string> explain(std::string_view select) const override {
    return fmt::format("EXPLAIN (FORMAT JSON) {}", select);
  }

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

  /// TRUNCATE and rewrites change the relfilenode, other ALTERs the xmin of the table's catalog row, or those of its
  /// columns alone (a name, a column less, a right); what this role may read changes with its memberships. A standby
  /// does not count.
  std::optional<std::string> change_counters(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "{} SELECT count(*) AS tables, sum(pg_stat_get_tuples_inserted(c.oid))::text AS inserted, "
        "sum(pg_stat_get_tuples_updated(c.oid))::text AS updated, "
        "sum(pg_stat_get_tuples_deleted(c.oid))::text AS deleted, sum(pg_relation_size(c.oid))::text AS bytes, "
        "md5(string_agg(concat_ws(':', c.oid, c.relfilenode, c.xmin), ',' ORDER BY c.oid)), "
        "(SELECT md5(string_agg(concat_ws(':', a.attnum, a.xmin, a.attname, has_column_privilege(a.attrelid, a.attnum, "
        "'SELECT')), ',' ORDER BY a.attnum)) FROM pg_attribute a WHERE a.attrelid = {} AND a.attnum > 0), "
        "pg_postmaster_start_time()::text, (SELECT d.stats_reset::text FROM pg_stat_database d "
        "WHERE d.datname = current_database()) FROM tree JOIN pg_class c ON c.oid = tree.oid "
        "WHERE current_setting('track_counts') = 'on' AND NOT pg_is_in_recovery() "
        "HAVING bool_and(c.relkind IN ('r', 'p', 'm') AND NOT c.relrowsecurity)",
        tree(table_parts), oid(table_parts));
  }

  /// A session adds its counts to the shared ones when it is idle: at once, or within 10 s, at most 60 s when it has to
  /// wait for a lock (pgstat.c, PGSTAT_IDLE_INTERVAL and PGSTAT_MAX_INTERVAL), and never within a transaction. So what
  /// it committed may be missing from when it last went idle, or from before it began its present transaction. Before
  /// version 15 counts went by UDP and could be lost. A session that this role may not see could have done anything.
  std::optional<std::string> counter_delay() const override {
    return "SELECT extract(epoch FROM clock_timestamp())::float8, max(extract(epoch FROM CASE "
           "WHEN backend_type IN ('autovacuum worker', 'parallel worker', 'walsender') "
           "THEN NULL "
           "WHEN backend_type IS DISTINCT FROM 'client backend' THEN clock_timestamp() "
           "WHEN state = 'idle' AND state_change < clock_timestamp() - interval '70 s' THEN NULL "
           "WHEN state = 'idle' THEN state_change "
           "WHEN state = 'disabled' THEN clock_timestamp() "
           "ELSE coalesce(xact_start, clock_timestamp()) END))::float8, "
           "(SELECT concat_ws(' ', pg_postmaster_start_time(), stats_reset) FROM pg_stat_archiver) "
           "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() "
           "HAVING current_setting('server_version_num')::int >= 150000";
  }

 private:
  const bool numbered_parameters_;

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
  static const PostgresDialect dialect(true);
  return dialect;
}

const Dialect& odbc_postgres_dialect() {
  static const PostgresDialect dialect(false);
  return dialect;
}

}  // namespace weir::sql
