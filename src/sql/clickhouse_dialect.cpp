#include <array>
#include <fmt/format.h>

#include "sql/dialect_parts.h"

namespace weir::sql {
namespace {

/// Its aggregates give 0 or NaN of nothing unless told otherwise; the session's setting
/// aggregate_functions_null_for_empty does so for those that are written elsewhere.
class ClickHouseDialect final : public Dialect {
 public:
  std::string_view name() const override { return "clickhouse"; }

  std::string identifier(std::string_view name) const override { return backslash_quoted(name, '`'); }

  std::string text_literal(std::string_view text) const override { return backslash_quoted(text, '\''); }

  std::string timestamp_literal(core::Time time) const override {
    std::string text = core::format_rfc3339(time);
    text.replace(10, 1, " ");
    text.pop_back();
    return fmt::format("toDateTime64('{}', 3, 'UTC')", text);
  }

  std::string count_if(std::string_view condition) const override { return fmt::format("countIf({})", condition); }

  std::string count_distinct(std::string_view expression) const override {
    return fmt::format("uniqExact({})", expression);
  }

  std::string approximate_count_distinct(std::string_view expression) const override {
    return fmt::format("uniq({})", expression);
  }

  std::string sum(std::string_view column) const override { return fmt::format("sumOrNull({})", column); }

  std::string average(std::string_view column) const override { return fmt::format("avgOrNull({})", column); }

  std::string deviation(Deviation kind, std::string_view column) const override {
    constexpr std::array<std::string_view, 4> kNames = {"stddevPop", "stddevSamp", "varPop", "varSamp"};
    const bool sample = kind == Deviation::stddev_samp || kind == Deviation::var_samp;
    const std::string aggregate = fmt::format("{}StableOrNull({})", kNames.at(static_cast<std::size_t>(kind)), column);
    return sample ? fmt::format("if(count({}) > 1, {}, NULL)", column, aggregate) : aggregate;
  }

  std::optional<std::string> percentile(Percentile method, std::string_view column, double p) const override {
    if (method == Percentile::discrete) return std::nullopt;
    return fmt::format("quantileExactInclusiveOrNull({})({})", number_literal(p), column);
  }

  std::string length(std::string_view expression) const override { return fmt::format("lengthUTF8({})", expression); }

  std::string lower(std::string_view expression) const override { return fmt::format("lowerUTF8({})", expression); }

  std::string upper(std::string_view expression) const override { return fmt::format("upperUTF8({})", expression); }

  std::optional<std::string> matches(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("match({}, {})", expression, text_literal(pattern));
  }

  std::string like(std::string_view expression, std::string_view pattern) const override {
    return fmt::format("{} LIKE {}", expression, text_literal(backslash_pattern(pattern)));
  }

  std::string cast_text(std::string_view expression) const override { return fmt::format("toString({})", expression); }

  std::string cast_number(std::string_view expression) const override {
    return fmt::format("toFloat64({})", expression);
  }

  std::string epoch_seconds(std::string_view expression) const override {
    return fmt::format("toUnixTimestamp64Micro(toDateTime64({}, 6, 'UTC')) / 1e6", expression);
  }

  std::string time_bucket(std::string_view expression, std::int64_t seconds) const override {
    return fmt::format("toInt64(floor({0} / {1}) * {1})", epoch_seconds(expression), seconds);
  }

  /// max_query_size is 256 KiB unless set.
  StatementBounds bounds() const override { return {.columns = 1000, .bytes = 200'000}; }

  std::optional<std::string> explain(std::string_view select) const override {
    return fmt::format("EXPLAIN ESTIMATE {}", select);
  }

  std::string tables() const override {
    return fmt::format(
        "SELECT database, name, {}, CASE WHEN database = currentDatabase() THEN 1 ELSE 0 END FROM system.tables "
        "WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') AND NOT is_temporary "
        "ORDER BY database, name",
        kKind);
  }

  std::string columns_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT name, type FROM system.columns WHERE database = {} AND table = {} ORDER BY position",
                       schema_of(table_parts), text_literal(locate(table_parts).table));
  }

  std::string kind_of(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT {} FROM system.tables WHERE {}", kKind, at(table_parts));
  }

  std::optional<std::string> row_estimate(std::span<const std::string> table_parts) const override {
    return fmt::format("SELECT toFloat64(total_rows) FROM system.tables WHERE {}", at(table_parts));
  }

  /// A part's name has the numbers of its blocks and mutations: no write leaves the names as they were.
  std::optional<std::string> change_counters(std::span<const std::string> table_parts) const override {
    return fmt::format(
        "SELECT toString(uuid), (SELECT count() FROM system.parts WHERE active AND database = {0} AND table = {1}), "
        "(SELECT toString(groupBitXor(cityHash64(name))) FROM system.parts WHERE active AND database = {0} "
        "AND table = {1}) FROM system.tables WHERE {2} AND engine LIKE '%MergeTree'",
        schema_of(table_parts), text_literal(locate(table_parts).table), at(table_parts));
  }

 private:
  static constexpr std::string_view kKind =
      "CASE WHEN engine LIKE '%View' THEN 'view' WHEN engine LIKE '%MergeTree' OR engine IN ('Log', 'TinyLog', "
      "'StripeLog', 'Memory', 'Null', 'Buffer', 'Distributed', 'Dictionary', 'Join', 'Set') THEN 'table' "
      "ELSE 'foreign' END";

  std::string schema_of(std::span<const std::string> table_parts) const {
    const Location location = locate(table_parts);
    return location.schema.empty() ? "currentDatabase()" : text_literal(location.schema);
  }

  std::string at(std::span<const std::string> table_parts) const {
    return fmt::format("database = {} AND name = {}", schema_of(table_parts), text_literal(locate(table_parts).table));
  }
};

}  // namespace

const Dialect& clickhouse_dialect() {
  static const ClickHouseDialect dialect;
  return dialect;
}

}  // namespace weir::sql
