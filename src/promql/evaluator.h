#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/series_source.h"
#include "promql/ast.h"
#include "promql/engine.h"
#include "promql/frame.h"

namespace weir::promql {

/// The samples of a range vector, with what it takes to cut each step's window out of them.
struct RangeVector {
  std::vector<core::SeriesView> series;  // without staleness markers
  core::Duration range{0};
  core::Duration offset{0};
  std::optional<core::Time> fixed;  // by @

  core::Time end_at(core::Time step) const { return fixed.value_or(step) - offset; }
};

/// Evaluates the nodes of one query, each over all steps at once. For one thread; what it refers to must outlive it.
class Evaluator {
 public:
  /// `start` and `end` are the whole query's, for @ start() and @ end().
  Evaluator(const core::SeriesSource& source, core::Time start, core::Time end, const Limits& limits);

  /// Of a scalar or an instant vector.
  core::Result<Frame> frame(const Node& node, const Steps& steps);
  /// Of a range vector: all samples that the windows of the steps need.
  core::Result<RangeVector> range_vector(const Node& node, const Steps& steps);

  /// The most series in one frame so far.
  std::size_t widest() const { return widest_; }
  /// What was read before is no longer held.
  void forget() { held_ = 0; }

 private:
  core::Result<Frame> eval(const NumberLiteral& literal, const Steps& steps);
  core::Result<Frame> eval(const TextLiteral& literal, const Steps& steps);
  core::Result<Frame> eval(const Selector& selector, const Steps& steps);
  core::Result<Frame> eval(const Subquery& subquery, const Steps& steps);
  core::Result<Frame> eval(const Unary& unary, const Steps& steps);
  core::Result<Frame> eval(const Binary& binary, const Steps& steps);
  core::Result<Frame> eval(const Aggregate& node, const Steps& steps);
  core::Result<Frame> eval(const Call& call, const Steps& steps);
  core::Result<Frame> eval(const Paren& paren, const Steps& steps);

  core::Result<Frame> newest(const Selector& selector, const Steps& steps, bool times);
  core::Result<RangeVector> samples(const Selector& selector, const Steps& steps);
  core::Result<RangeVector> samples(const Subquery& subquery, const Steps& steps);
  core::Result<Frame> over_windows(const Function& function, const RangeVector& input, const Steps& steps,
                                   const std::vector<double>& scalars);
  core::Result<Frame> mapped(const Function& function, Frame input, const std::vector<double>& scalars);
  core::Result<std::vector<core::SeriesView>> select(const Selector& selector, core::Time from, core::Time to,
                                                     bool newest_only);
  std::optional<core::Time> fixed(const std::optional<AtModifier>& at) const;
  core::Result<void> hold(std::size_t samples);
  core::Result<void> check_time() const;

  const core::SeriesSource& source_;
  core::Time start_;
  core::Time end_;
  const Limits& limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t held_ = 0;
  std::size_t widest_ = 1;
};

}  // namespace weir::promql
