#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/series_source.h"
#include "promql/ast.h"
#include "promql/engine.h"
#include "promql/frame.h"
#include "promql/functions.h"

namespace weir::promql {

/// The node within its parentheses.
const Node& unwrapped(const Node& node);
/// The node works on each series by itself.
bool passes_rows(const Node& node);
/// The metric's name is not in the result of such a node.
bool drops_names(const Node& node);
/// All series of such a node have, or had, the same name; without it they still differ.
bool has_one_name(const Node& node);
void negate(std::span<double> values);

/// Evaluates the nodes of one query, each over all steps at once. For one thread; what it refers to must outlive it.
///
/// What works on each series by itself (selectors, functions over them, arithmetic with scalars) passes rows on one at
/// a time, so that an aggregation over many series holds only its groups. All else is held as a Frame.
class Evaluator {
 public:
  /// `start` and `end` are the whole query's, for @ start() and @ end().
  Evaluator(const core::SeriesSource& source, core::Time start, core::Time end, const Limits& limits);

  /// Of a scalar or an instant vector.
  core::Result<Frame> frame(const Node& node, const Steps& steps);
  /// Of a range vector at one time: its samples.
  core::Result<std::vector<core::SeriesView>> samples(const Node& node, core::Time at);

  /// Makes frame() fail where it would hold more values than this in one frame; too_wide() tells that it did.
  void allow(std::size_t frame_values);
  bool too_wide() const { return too_wide_; }

 private:
  using Row = std::function<core::Result<void>(const core::Labels& labels, std::span<double> values)>;
  using Transform = std::function<void(std::span<double> values)>;
  /// The samples of a range vector, cut into windows.
  struct Windows {
    core::Duration range{0};
    core::Duration offset{0};
    std::optional<core::Time> fixed;  // by @
    core::Time end_at(core::Time step) const { return fixed.value_or(step) - offset; }
  };
  struct Arguments {
    std::vector<Frame> frames;
    std::vector<double> scalars;  // step after step, of functions that take them by the step
    std::vector<std::string> texts;
    std::span<const core::Matcher> matchers;
    const Node* windows = nullptr;
    const Node* mapped = nullptr;
  };

  core::Result<Frame> eval(const Node& node, const Steps& steps);
  core::Result<Frame> binary(const Binary& binary, const Steps& steps);
  core::Result<Frame> aggregated(const Aggregate& node, const Steps& steps);
  core::Result<Frame> called(const Call& call, const Steps& steps);
  core::Result<Arguments> arguments(const Call& call, const Steps& steps);

  core::Result<void> rows(const Node& node, const Steps& steps, const Row& row);
  core::Result<void> newest(const Selector& selector, const Steps& steps, bool times, const Row& row);
  core::Result<void> reduced(const Function& function, const Node& windows, const Steps& steps,
                             const std::vector<double>& scalars, const Row& row);
  core::Result<void> subquery(const Subquery& subquery, const Windows& windows, const Steps& steps,
                              const core::SeriesSource::Visitor& visitor);
  core::Result<void> transformed(const Node& inner, const Steps& steps, const Transform& transform, const Row& row);
  core::Result<Frame> collected(const Node& node, const Steps& steps);

  std::optional<core::Time> fixed(const std::optional<AtModifier>& at) const;
  core::Result<void> hold(std::size_t samples);
  core::Result<void> check_time() const;

  const core::SeriesSource& source_;
  core::Time start_;
  core::Time end_;
  const Limits& limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t held_ = 0;
  std::size_t frame_values_ = 0;
  bool too_wide_ = false;
};

}  // namespace weir::promql
