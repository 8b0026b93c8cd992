#include <fmt/format.h>

#include "sql/dialect.h"

namespace weir::sql {
namespace {

/// Oracle 12.2 and later. Names are as the catalog has them, mostly in upper case; an empty text is NULL.
class OracleDialect final : public Dialect {
 public:
  std::string_view name() const override { return "oracle"; }

  std::string timestamp_literal(core::Time time) const override {
    std::string text = core::format_rfc3339(time);
    text.replace(10, 1, " ");
    text.replace(text.size() - 1, 1, " +00:00");
    return fmt::format("TIMESTAMP '{}'", text);
  }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("approx_count_distinct({})", expression);
  }

  std::string length(std::string_view expression) const override { return fmt::format("length({})", expression); }

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("regexp_like({}, {})", expression, text_literal(pattern));
  }

  std::string cast_text(std::string_view expression) const override {
    return fmt::format("CAST({} AS varchar2(4000))", expression);
  }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("CAST({} AS binary_double)", expression);
  }

  std::string epoch_seconds(std::string_view expression) const override {
    return seconds_of(fmt::format("{} - TIMESTAMP '1970-01-01 00:00:00'", utc(expression)));
  }

  std::string seconds_between(std::string_view from, std::string_view to) const override {
    return seconds_of(fmt::format("{} - {}", utc(to), utc(from)));
  }

  std::string time_bucket(std::string_view expression, std::int64_t seconds) const override {
    return fmt::format("CAST(floor({0} / {1}) * {1} AS number(19))", epoch_seconds(expression), seconds);
  }

  std::string limited(std::string_view select, std::size_t rows) const override {
    return fmt::format("{} FETCH FIRST {} ROWS ONLY", select, rows);
  }

  std::string tables() const override {
    return fmt::format(
        "SELECT o.owner, o.object_name, {}, CASE WHEN o.owner = {} THEN 1 ELSE 0 END FROM all_objects o "
        "WHERE o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW') "
        "AND o.owner NOT IN (SELECT u.username FROM all_users u WHERE u.oracle_maintained = 'Y') "
        "ORDER BY o.owner, o.object_name",
        kKind, kCurrent);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT c.column_name, c.data_type FROM all_tab_columns c WHERE {} ORDER BY c.column_id",
                       at(table_parts, "c.table_name", "c.owner"));
  }

  std::string kind_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT {} FROM all_objects o WHERE {} AND o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW')", kKind,
        at(table_parts, "o.object_name", "o.owner"));
  }

  /// A constraint that may be deferred has an index that is not unique.
  std::optional<std::string> unique_indexes_of(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT i.index_name, k.column_name, k.column_position, CASE WHEN c.nullable = 'N' THEN 1 ELSE 0 END "
        "FROM all_indexes i JOIN all_ind_columns k ON k.index_owner = i.owner AND k.index_name = i.index_name "
        "JOIN all_tab_columns c ON c.owner = i.table_owner AND c.table_name = i.table_name "
        "AND c.column_name = k.column_name WHERE {} AND i.uniqueness = 'UNIQUE' AND i.status = 'VALID' "
        "AND i.index_type = 'NORMAL' ORDER BY i.index_name, k.column_position",
        at(table_parts, "i.table_name", "i.table_owner"));
  }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT t.num_rows FROM all_tables t WHERE {}", at(table_parts, "t.table_name", "t.owner"));
  }

 private:
  static constexpr std::string_view kKind = "CASE o.object_type WHEN 'TABLE' THEN 'table' ELSE 'view' END";
  static constexpr std::string_view kCurrent = "sys_context('USERENV', 'CURRENT_SCHEMA')";

  /// The cast takes dates, timestamps (as the session's zone, UTC) and timestamps with a zone alike.
  static std::string utc(std::string_view expression) {
    return fmt::format("sys_extract_utc(CAST({} AS timestamp with time zone))", expression);
  }

  /// An interval in seconds.
  static std::string seconds_of(std::string_view interval) {
    return fmt::format(
        "(extract(DAY FROM ({0})) * 86400 + extract(HOUR FROM ({0})) * 3600 + extract(MINUTE FROM ({0})) * 60 + "
        "extract(SECOND FROM ({0})))",
        interval);
  }

  std::string at(std::span<const std::string> table_parts, std::string_view name, std::string_view owner) const {
    const Location location = locate(table_parts);
    return fmt::format("{} = {} AND {} = {}", owner,
                       location.schema.empty() ? std::string(kCurrent) : text_literal(location.schema), name,
                       text_literal(location.table));
  }
};

}  // namespace

const Dialect& oracle_dialect() {
  static const OracleDialect dialect;
  return dialect;
}

}  // namespace weir::sql
