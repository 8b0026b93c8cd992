#include "sql/dialect.h"

#include <array>
#include <fmt/format.h>

namespace weir::sql {
namespace {

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

}  // namespace

std::string Dialect::identifier(std::string_view name) const { return doubled(name, '"'); }

std::string Dialect::table(std::span<const std::string> parts) const {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ".") + identifier(part);
  return out;
}

std::string Dialect::text_literal(std::string_view text) const { return doubled(text, '\''); }

std::string Dialect::number_literal(double number) const { return fmt::format("{}", number); }

std::string Dialect::timestamp_literal(core::Time time) const {
  std::string text = core::format_rfc3339(time);  // 2026-01-02T03:04:05.678Z
  text.replace(10, 1, " ");
  text.replace(text.size() - 1, 1, "+00:00");
  return fmt::format("TIMESTAMP WITH TIME ZONE '{}'", text);
}

std::string Dialect::parameter(int) const { return "?"; }

std::string Dialect::count_if(std::string_view condition) const {
  return fmt::format("count(CASE WHEN {} THEN 1 END)", condition);
}

std::string Dialect::count_distinct(std::string_view expression) const {
  return fmt::format("count(DISTINCT {})", expression);
}

std::string Dialect::approximate_count_distinct(std::string_view expression) const {
  return count_distinct(expression);
}

std::string Dialect::sum(std::string_view column) const { return fmt::format("sum({})", column); }

std::string Dialect::average(std::string_view column) const { return fmt::format("avg({})", column); }

std::string Dialect::deviation(Deviation kind, std::string_view column) const {
  constexpr std::array<std::string_view, 4> kNames = {"stddev_pop", "stddev_samp", "var_pop", "var_samp"};
  return fmt::format("{}({})", kNames.at(static_cast<std::size_t>(kind)), column);
}

std::optional<std::string> Dialect::percentile(Percentile method, std::string_view column, double p) const {
  return fmt::format("{}({}) WITHIN GROUP (ORDER BY {})",
                     method == Percentile::continuous ? "percentile_cont" : "percentile_disc", number_literal(p),
                     column);
}

std::string Dialect::log_bin(std::string_view expression, double width) const {
  return fmt::format("ceil(ln(abs({})) / {})", cast_number(expression), number_literal(width));
}

std::string Dialect::percentile_query(Percentile method, std::string_view column, double p, std::string_view from,
                                      std::string_view condition) const {
  const std::string ordered = fmt::format(
      "WITH ordered AS (SELECT {0} AS v, row_number() OVER (ORDER BY {0}) AS r, count(*) OVER () AS n FROM {1} "
      "WHERE {2} IS NOT NULL{3})",
      cast_number(column), from, column, condition.empty() ? std::string() : fmt::format(" AND ({})", condition));
  const std::string fraction = number_literal(p);
  if (method == Percentile::discrete) {
    return fmt::format("{} SELECT min(v) AS percentile FROM ordered WHERE r >= {} * n", ordered, fraction);
  }
  // The quantile's place among the rows, from 0, is p (n − 1): its neighbours weigh by their nearness.
  const std::string distance = fmt::format("abs(r - 1 - {} * (n - 1))", fraction);
  return fmt::format("{0} SELECT sum(v * (1 - {1})) AS percentile FROM ordered WHERE {1} < 1", ordered, distance);
}

std::vector<std::string> Dialect::histogram(std::string_view column, std::span<const double> edges) const {
  std::vector<std::string> counts;
  if (edges.empty()) return counts;
  counts.push_back(count_if(fmt::format("{} < {}", column, number_literal(edges.front()))));
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    const std::string_view below = i + 2 == edges.size() ? "<=" : "<";
    counts.push_back(count_if(fmt::format("{0} >= {1} AND {0} {2} {3}", column, number_literal(edges[i]), below,
                                          number_literal(edges[i + 1]))));
  }
  counts.push_back(count_if(fmt::format("{} > {}", column, number_literal(edges.back()))));
  return counts;
}

std::string Dialect::length(std::string_view expression) const { return fmt::format("char_length({})", expression); }

std::string Dialect::lower(std::string_view expression) const { return fmt::format("lower({})", expression); }

std::string Dialect::upper(std::string_view expression) const { return fmt::format("upper({})", expression); }

std::optional<std::string> Dialect::matches(std::string_view, std::string_view) const { return std::nullopt; }

std::string Dialect::like(std::string_view expression, std::string_view pattern) const {
  return fmt::format("{} LIKE {} ESCAPE '!'", expression, text_literal(pattern));
}

std::string Dialect::like_literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out;
}

std::string Dialect::cast_text(std::string_view expression) const {
  return fmt::format("CAST({} AS varchar)", expression);
}

std::string Dialect::cast_number(std::string_view expression) const {
  return fmt::format("CAST({} AS double precision)", expression);
}

std::string Dialect::is_date(std::string_view) const { return "1 = 0"; }

std::string Dialect::seconds_between(std::string_view from, std::string_view to) const {
  return fmt::format("({} - {})", epoch_seconds(to), epoch_seconds(from));
}

std::string Dialect::time_bucket(std::string_view expression, std::int64_t seconds) const {
  return fmt::format("CAST(floor({0} / {1}) * {1} AS bigint)", epoch_seconds(expression), seconds);
}

std::string Dialect::at_or_after(std::string_view column, core::Time time) const {
  return fmt::format("{} >= {}", column, timestamp_literal(time));
}

std::string Dialect::before(std::string_view column, core::Time time) const {
  return fmt::format("{} < {}", column, timestamp_literal(time));
}

StatementBounds Dialect::bounds() const { return {.columns = 1000, .bytes = 200'000}; }

std::string Dialect::without_rows(std::string_view select) const { return limited(select, 0); }

std::string Dialect::limited(std::string_view select, std::size_t rows) const {
  return fmt::format("{} LIMIT {}", select, rows);
}

std::optional<std::string> Dialect::explain(std::string_view) const { return std::nullopt; }

std::optional<std::string> Dialect::unique_indexes_of(std::span<const std::string>) const { return std::nullopt; }

std::optional<std::string> Dialect::row_estimate(std::span<const std::string>) const { return std::nullopt; }

std::optional<std::string> Dialect::change_counters(std::span<const std::string>) const { return std::nullopt; }

Dialect::Location Dialect::locate(std::span<const std::string> table_parts) {
  Location location;
  if (!table_parts.empty()) location.table = table_parts.back();
  if (table_parts.size() > 1) location.schema = table_parts[table_parts.size() - 2];
  return location;
}

}  // namespace weir::sql
