#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "promql/ast.h"
#include "promql/frame.h"

namespace weir::promql {

/// sum, avg, min, max, count, group, stddev and stdvar, fed one series at a time.
class Reducer {
 public:
  Reducer(const Aggregate& node, std::size_t steps);
  ~Reducer();

  /// False for the aggregations that need all elements at once.
  static bool takes(AggregateOp op);
  /// The labels that it groups by include the metric's name.
  bool reads_name() const { return projection_.reads_name(); }
  void add(const core::Labels& labels, std::span<const double> values);
  /// The groups, in order of appearance.
  Frame take();

  struct Totals;

 private:
  Projection projection_;
  Groups groups_;
  std::size_t steps_;
  std::unique_ptr<Totals> totals_;
};

/// Applies one of the other aggregations at each step. `parameter` has one value a step: the first argument of topk,
/// bottomk, limitk, limit_ratio or quantile; `label` is count_values'. Errors (invalid): a parameter that is no whole
/// number's or no ratio, a bad label name.
core::Result<Frame> aggregate(const Aggregate& node, Frame input, std::span<const double> parameter,
                              const std::string& label);

/// The phi-quantile of values by linear interpolation, as Prometheus: NaN of none, -Inf below 0, +Inf above 1.
double quantile(double phi, std::vector<double> values);

}  // namespace weir::promql
