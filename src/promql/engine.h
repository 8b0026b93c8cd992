#pragma once

#include "core/error.h"
#include "core/series_source.h"
#include "core/time.h"
#include "promql/parser.h"
#include "promql/value.h"

namespace weir::promql {

struct Limits {
  std::size_t max_samples = 50'000'000;  // held at a time by one evaluation
  core::Duration timeout = std::chrono::minutes(2);
  core::Duration subquery_step = std::chrono::minutes(1);  // of subqueries that give none
};

/// How far back an instant selector looks for a series' newest sample.
inline constexpr core::Duration kLookBack = std::chrono::minutes(5);

/// The value of an expression at a time, as Prometheus 3 defines it: ranges and the look-back leave out
/// their left end. Errors: many-to-many matches and duplicate series (invalid), `limits` reached (limit,
/// timeout).
core::Result<Value> evaluate(const Expr& expr, const core::SeriesSource& source, core::Time at,
                             const Limits& limits = {});

/// The value at start, start + step … up to end, one series a labelset, in order of labels. The expression
/// must be a scalar or an instant vector; at most 11,000 steps.
core::Result<Matrix> evaluate_range(const Expr& expr, const core::SeriesSource& source, core::Time start,
                                    core::Time end, core::Duration step, const Limits& limits = {});

}  // namespace weir::promql
