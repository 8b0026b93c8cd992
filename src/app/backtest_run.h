#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "promql/value.h"
#include "rules/backtest.h"
#include "rules/group.h"

namespace weir::app {

/// A range query, wherever it is answered.
using RangeQuery = std::function<core::Result<promql::Matrix>(const rules::Rule& rule, core::Time start, core::Time end,
                                                              core::Duration step)>;

struct BacktestPlan {
  core::Time from;
  core::Time to;
  core::Duration step{};  // 0 is each group's interval
};

/// Runs every alerting rule over the past, asking for 5,000 steps at a time. A query that fails is the error of its
/// rule. Errors: invalid, when the time is too long for the step.
core::Result<std::vector<rules::BacktestedRule>> run_backtest(const std::vector<rules::Group>& groups,
                                                              const BacktestPlan& plan, const RangeQuery& query);

/// A line an alert: how often it would have fired, for how long in all, the longest and the last time.
std::string format_backtest(const std::vector<rules::BacktestedRule>& found, const BacktestPlan& plan);
/// The same with every span, as JSON.
std::string backtest_json(const std::vector<rules::BacktestedRule>& found, const BacktestPlan& plan);

}  // namespace weir::app
