#include "quality/planner.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::quality {

std::vector<Aggregate> aggregates_of(const Metric& metric, const sql::Dialect& dialect) {
  std::vector<Aggregate> aggregates = {{"count(*)", ""}};
  const std::string column = dialect.identifier(metric.column);
  const auto add = [&](std::string sql) { aggregates.push_back({std::move(sql), metric.column}); };
  switch (metric.kind) {
    case MetricKind::row_count: break;
    case MetricKind::freshness: add(dialect.epoch_seconds(fmt::format("max({})", column))); break;
    case MetricKind::missing_count:
    case MetricKind::missing_percent: add(fmt::format("count(*) - count({})", column)); break;
    case MetricKind::min: add(fmt::format("min({})", column)); break;
    case MetricKind::max: add(fmt::format("max({})", column)); break;
    case MetricKind::avg: add(dialect.average(column)); break;
    case MetricKind::distribution:
      for (std::string& bin : dialect.histogram(column, metric.reference->edges)) add(std::move(bin));
      break;
  }
  return aggregates;
}

ScanPlan plan(const Dataset& dataset, std::span<const Check* const> checks, const sql::Dialect& dialect) {
  ScanPlan result;
  result.aggregates.push_back({"count(*)", ""});
  for (const Check* check : checks) {
    for (Aggregate& aggregate : aggregates_of(check->metric, dialect)) {
      const auto same = std::ranges::find(result.aggregates, aggregate.sql, &Aggregate::sql);
      if (same == result.aggregates.end()) result.aggregates.push_back(std::move(aggregate));
    }
  }
  std::string list;
  for (const Aggregate& aggregate : result.aggregates) list += (list.empty() ? "" : ", ") + aggregate.sql;
  result.sql = select(dataset, list, dialect);
  return result;
}

std::string select(const Dataset& dataset, std::string_view aggregates, const sql::Dialect& dialect) {
  std::string sql = fmt::format("SELECT {} FROM {}", aggregates, dialect.table(dataset.table));
  // The line break keeps a condition's last line, whatever it holds, apart from the parenthesis.
  if (!dataset.where.empty()) sql += fmt::format(" WHERE ({}\n)", dataset.where);
  return sql;
}

}  // namespace weir::quality
