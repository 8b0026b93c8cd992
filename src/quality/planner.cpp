#include "quality/planner.h"

#include <algorithm>
#include <fmt/format.h>

#include "quality/probe.h"

namespace weir::quality {

ScanPlan plan(const Dataset& dataset, std::span<const Check* const> checks, const sql::Dialect& dialect) {
  ScanPlan result;
  result.aggregates.push_back({"count(*)", ""});
  for (const Check* check : checks) {
    for (Aggregate& aggregate : check->probe->needs(dataset, dialect).aggregates) {
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
