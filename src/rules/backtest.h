#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/time.h"
#include "promql/value.h"
#include "rules/group.h"
#include "rules/state.h"

namespace weir::rules {

/// While an alert fired; without an end when it still did at the last step.
struct FiringSpan {
  core::Time from;
  std::optional<core::Time> to;
};

struct BacktestedAlert {
  core::Labels labels;
  std::vector<FiringSpan> spans;

  /// How long it fired in all; what has not ended is taken to end at `end`.
  core::Duration firing(core::Time end) const;
};

/// What an alerting rule would have done in the past.
struct BacktestedRule {
  std::string group;
  std::string alert;
  std::vector<BacktestedAlert> alerts;  // those that fired, in order of labels
  std::size_t pending_only = 0;         // times that a condition ended before `for` was over
  std::size_t failures = 0;             // steps that could not be evaluated; alerts stayed as they were
  std::optional<core::Error> error;     // the first of them

  std::size_t fired() const;
};

/// Runs the state machine of one alerting rule over the results of a range query, oldest first. What is not in the
/// result is false, as in Prometheus: a range query does not tell why something is missing.
class Backtest {
 public:
  static constexpr std::size_t kMostAlerts = 20'000;  // distinct labels
  static constexpr std::size_t kMostSpans = 200'000;

  /// `group` and `rule` must outlive it.
  Backtest(const Group& group, const Rule& rule);

  /// The expression's values at start, start + step … end. Call again for the steps that follow. Errors (limit): more
  /// alerts than the bounds above; what was found so far stays.
  core::Result<void> feed(const promql::Matrix& series, core::Time start, core::Time end, core::Duration step);

  BacktestedRule result() const;

 private:
  core::Result<void> step_once(const std::vector<Element>& elements, core::Time now);
  void note(const core::Transition& transition);

  const Group& group_;
  const Rule& rule_;
  AlertMap state_;
  std::map<core::Labels, std::vector<FiringSpan>> spans_;
  std::size_t span_count_ = 0;
  BacktestedRule result_;
};

}  // namespace weir::rules
