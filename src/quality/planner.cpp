#include "quality/planner.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "quality/probe.h"

namespace weir::quality {
namespace {

std::vector<Aggregate> aggregates_of(const Dataset& dataset, std::span<const Check* const> checks,
                                     const sql::Dialect& dialect) {
  std::vector<Aggregate> aggregates = {{.sql = "count(*)", .merge = Merge::count}};
  std::unordered_set<std::string> known = {"count(*)"};
  for (const Check* check : checks) {
    for (Aggregate& aggregate : check->probe->needs(dataset, dialect).aggregates) {
      if (known.insert(aggregate.sql).second) aggregates.push_back(std::move(aggregate));
    }
  }
  return aggregates;
}

ScanPlan plan_of(const Dataset& dataset, std::vector<Aggregate> aggregates, const sql::Dialect& dialect) {
  std::string list;
  for (const Aggregate& aggregate : aggregates) {
    if (!aggregate.alone) list += (list.empty() ? "" : ", ") + aggregate.sql;
  }
  return {select(dataset, list, dialect), std::move(aggregates)};
}

}  // namespace

ScanPlan plan(const Dataset& dataset, std::span<const Check* const> checks, const sql::Dialect& dialect) {
  return plan_of(dataset, aggregates_of(dataset, checks, dialect), dialect);
}

std::vector<ScanPlan> plan_scans(const Dataset& dataset, std::span<const Check* const> checks,
                                 const sql::Dialect& dialect, bool ordered_apart) {
  const sql::StatementBounds bounds = dialect.bounds();
  const std::size_t frame = select(dataset, "", dialect).size();
  std::vector<ScanPlan> plans;
  const auto split = [&](const std::vector<Aggregate>& aggregates) {
    std::vector<Aggregate> part = {{.sql = "count(*)", .merge = Merge::count}};
    std::size_t bytes = frame;
    for (const Aggregate& aggregate : aggregates) {
      if (aggregate.alone) continue;
      const std::size_t more = aggregate.sql.size() + 2;
      if (part.size() > 1 && (part.size() + 1 > bounds.columns || bytes + more > bounds.bytes)) {
        plans.push_back(plan_of(dataset, std::move(part), dialect));
        part = {{.sql = "count(*)", .merge = Merge::count}};
        bytes = frame;
      }
      part.push_back(aggregate);
      bytes += more;
    }
    if (part.size() > 1 || plans.empty()) plans.push_back(plan_of(dataset, std::move(part), dialect));
  };
  std::vector<Aggregate> together = aggregates_of(dataset, checks, dialect);
  together.erase(together.begin());
  std::vector<Aggregate> ordered;
  if (ordered_apart) {
    const auto middle = std::stable_partition(together.begin(), together.end(),
                                              [](const Aggregate& each) { return !each.ordered_set; });
    ordered.assign(middle, together.end());
    together.erase(middle, together.end());
  }
  split(together);
  if (!ordered.empty()) split(ordered);
  for (const std::vector<Aggregate>* each : {&together, &ordered}) {
    for (const Aggregate& aggregate : *each) {
      if (aggregate.alone) plans.push_back({aggregate.sql, {aggregate}});
    }
  }
  return plans;
}

std::string select(const Dataset& dataset, std::string_view aggregates, const sql::Dialect& dialect) {
  std::string sql = fmt::format("SELECT {} FROM {}", aggregates, dialect.table(dataset.table));
  // The line break keeps a condition's last line, whatever it holds, apart from the parenthesis.
  if (!dataset.where.empty()) sql += fmt::format(" WHERE ({}\n)", dataset.where);
  return sql;
}

}  // namespace weir::quality
