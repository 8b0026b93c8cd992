#include "app/backtest_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_values.h"
#include "app/value_table.h"

namespace weir::app {
namespace {

using nlohmann::json;

constexpr std::int64_t kStepsAtOnce = 5'000;  // servers answer 11,000 at most
constexpr std::int64_t kMostSteps = 2'000'000;

rules::BacktestedRule run_rule(const rules::Group& group, const rules::Rule& rule, const BacktestPlan& plan,
                               core::Duration step, const RangeQuery& query) {
  rules::Backtest backtest(group, rule);
  std::optional<core::Error> error;
  for (core::Time start = plan.from; start <= plan.to && !error; start += step * kStepsAtOnce) {
    const core::Time end = std::min(plan.to, start + step * (kStepsAtOnce - 1));
    const auto series = query(rule, start, end, step);
    if (!series) {
      error = series.error();
    } else if (auto fed = backtest.feed(*series, start, end, step); !fed) {
      error = fed.error();
    }
  }
  rules::BacktestedRule result = backtest.result();
  if (error) result.error = error;
  return result;
}

core::Duration longest(const rules::BacktestedAlert& alert, core::Time end) {
  core::Duration most{0};
  for (const rules::FiringSpan& span : alert.spans) most = std::max(most, span.to.value_or(end) - span.from);
  return most;
}

std::string times(std::size_t count) { return count == 1 ? "once" : fmt::format("{} times", count); }

json to_json(const rules::BacktestedAlert& alert, core::Time end) {
  json spans = json::array();
  for (const rules::FiringSpan& span : alert.spans)
    spans.push_back({{"from", core::to_seconds(span.from)}, {"to", api::to_json(span.to)}});
  return {{"labels", api::to_json(alert.labels)},
          {"fired", alert.spans.size()},
          {"firing_seconds", core::to_seconds(alert.firing(end))},
          {"spans", spans}};
}

}  // namespace

core::Result<std::vector<rules::BacktestedRule>> run_backtest(const std::vector<rules::Group>& groups,
                                                              const BacktestPlan& plan, const RangeQuery& query) {
  std::vector<rules::BacktestedRule> found;
  for (const rules::Group& group : groups) {
    const core::Duration step = plan.step > core::Duration::zero() ? plan.step : group.interval;
    if ((plan.to - plan.from) / step > kMostSteps) {
      return core::fail(core::ErrorKind::invalid, fmt::format("{} in steps of {} are more than {} steps: raise --step",
                                                              core::format_duration(plan.to - plan.from),
                                                              core::format_duration(step), kMostSteps));
    }
    for (const rules::Rule& rule : group.rules) {
      if (rule.alerting()) found.push_back(run_rule(group, rule, plan, step, query));
    }
  }
  return found;
}

std::string format_backtest(const std::vector<rules::BacktestedRule>& found, const BacktestPlan& plan) {
  std::string out = fmt::format("{} to {}\n\n", core::format_rfc3339(plan.from), core::format_rfc3339(plan.to));
  for (const rules::BacktestedRule& rule : found) {
    out += fmt::format("{} ({}): ", rule.alert, rule.group);
    if (rule.fired() == 0 && rule.error) {
      out += rule.error->describe() + "\n\n";
      continue;
    }
    core::Duration sum{0};
    for (const rules::BacktestedAlert& alert : rule.alerts) sum += alert.firing(plan.to);
    out += rule.fired() == 0
               ? "would not have fired"
               : fmt::format("would have fired {}, for {} in all", times(rule.fired()), core::format_duration(sum));
    if (rule.pending_only > 0) out += fmt::format("; {} pending only", times(rule.pending_only));
    out += "\n";
    if (rule.failures > 0) out += fmt::format("  {} steps failed: {}\n", rule.failures, rule.error->describe());
    if (rule.failures == 0 && rule.error) out += "  then: " + rule.error->describe() + "\n";
    std::vector<std::vector<std::string>> rows{{"  LABELS", "FIRED", "FOR", "LONGEST", "LAST"}};
    for (const rules::BacktestedAlert& alert : rule.alerts) {
      rows.push_back({"  " + alert.labels.to_string(), std::to_string(alert.spans.size()),
                      core::format_duration(alert.firing(plan.to)), core::format_duration(longest(alert, plan.to)),
                      core::format_rfc3339(alert.spans.back().from)});
      if (!alert.spans.back().to) rows.back().back() += ", still firing";
    }
    if (rows.size() > 1) out += format_table(rows);
    out += "\n";
  }
  return out;
}

std::string backtest_json(const std::vector<rules::BacktestedRule>& found, const BacktestPlan& plan) {
  json rows = json::array();
  for (const rules::BacktestedRule& rule : found) {
    json alerts = json::array();
    for (const rules::BacktestedAlert& alert : rule.alerts) alerts.push_back(to_json(alert, plan.to));
    rows.push_back({{"group", rule.group},
                    {"alert", rule.alert},
                    {"fired", rule.fired()},
                    {"pending_only", rule.pending_only},
                    {"failed_steps", rule.failures},
                    {"error", rule.error ? json(rule.error->describe()) : json(nullptr)},
                    {"alerts", alerts}});
  }
  return api::dump({{"from", core::to_seconds(plan.from)}, {"to", core::to_seconds(plan.to)}, {"rules", rows}});
}

}  // namespace weir::app
