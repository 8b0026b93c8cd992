#include "promql/evaluator.h"

#include <algorithm>
#include <utility>

#include "promql/aggregate.h"
#include "promql/binary.h"
#include "promql/functions.h"

namespace weir::promql {
namespace {

constexpr std::size_t kRowsBetweenLooksAtTheClock = 256;

const Node& unwrapped(const Node& node) {
  const Node* inner = &node;
  while (const auto* paren = std::get_if<Paren>(&inner->kind)) inner = paren->inner.get();
  return *inner;
}

void drop_stale(std::vector<core::SeriesView>& series) {
  for (core::SeriesView& one : series) {
    std::erase_if(one.points, [](const core::Point& point) { return core::is_stale_marker(point.value); });
  }
  std::erase_if(series, [](const core::SeriesView& one) { return one.points.empty(); });
}

/// Instant selection of one series: at each step the newest sample of the look-back.
void fill_newest(const std::vector<core::Point>& points, const Steps& steps, core::Duration offset, bool times,
                 std::span<double> out) {
  std::size_t seen = 0;
  for (std::size_t step = 0; step < out.size(); ++step) {
    const core::Time at = steps.at(step) - offset;
    while (seen < points.size() && points[seen].time <= at) ++seen;
    if (seen == 0) continue;
    const core::Point& newest = points[seen - 1];
    if (newest.time <= at - kLookBack || core::is_stale_marker(newest.value)) continue;
    out[step] = times ? core::to_seconds(newest.time) : newest.value;
  }
}

/// The value of a frame's one step at each of several.
Frame repeated(const Frame& one, std::size_t steps) {
  Frame out(steps);
  out.reserve(one.rows());
  for (std::size_t row = 0; row < one.rows(); ++row) std::ranges::fill(out.add(one.labels(row)), one.values(row)[0]);
  return out;
}

/// The scalar arguments of a call, step after step.
std::vector<double> by_step(const std::vector<Frame>& scalars, std::size_t steps) {
  std::vector<double> values;
  values.reserve(scalars.size() * steps);
  for (std::size_t step = 0; step < steps; ++step) {
    for (const Frame& scalar : scalars) values.push_back(scalar.values(0)[step]);
  }
  return values;
}

Scalars at_step(const std::vector<double>& scalars, std::size_t step, std::size_t steps) {
  const std::size_t count = scalars.size() / steps;
  return Scalars(scalars).subspan(step * count, count);
}

}  // namespace

Evaluator::Evaluator(const core::SeriesSource& source, core::Time start, core::Time end, const Limits& limits)
    : source_(source),
      start_(start),
      end_(end),
      limits_(limits),
      deadline_(std::chrono::steady_clock::now() + limits.timeout) {}

core::Result<void> Evaluator::check_time() const {
  if (std::chrono::steady_clock::now() <= deadline_) return {};
  return core::fail(core::ErrorKind::timeout, "query timed out in expression evaluation");
}

core::Result<void> Evaluator::hold(std::size_t samples) {
  held_ += samples;
  if (held_ <= limits_.max_samples) return {};
  return core::fail(core::ErrorKind::limit, "the query holds more than " + std::to_string(limits_.max_samples) +
                                                " samples; narrow its selectors, or its range");
}

core::Result<Frame> Evaluator::frame(const Node& node, const Steps& steps) {
  if (auto in_time = check_time(); !in_time) return std::unexpected(in_time.error());
  auto result = std::visit([&](const auto& kind) { return eval(kind, steps); }, node.kind);
  if (!result) return result;
  widest_ = std::max(widest_, result->rows());
  if (auto held = hold(result->rows() * steps.count); !held) return std::unexpected(held.error());
  return result;
}

core::Result<RangeVector> Evaluator::range_vector(const Node& node, const Steps& steps) {
  const Node& inner = unwrapped(node);
  if (const auto* selector = std::get_if<Selector>(&inner.kind)) return samples(*selector, steps);
  if (const auto* subquery = std::get_if<Subquery>(&inner.kind)) return samples(*subquery, steps);
  return core::fail(core::ErrorKind::internal, "not a range vector");
}

std::optional<core::Time> Evaluator::fixed(const std::optional<AtModifier>& at) const {
  if (!at) return std::nullopt;
  switch (at->kind) {
    case AtModifier::Kind::start: return start_;
    case AtModifier::Kind::end: return end_;
    case AtModifier::Kind::time: return at->time;
  }
  return std::nullopt;
}

core::Result<std::vector<core::SeriesView>> Evaluator::select(const Selector& selector, core::Time from, core::Time to,
                                                              bool newest_only) {
  const std::size_t left = limits_.max_samples - std::min(held_, limits_.max_samples);
  auto views = source_.select(
      {.matchers = selector.matchers, .from = from, .to = to, .newest_only = newest_only, .max_points = left});
  if (!views) return views;
  std::size_t points = 0;
  for (const core::SeriesView& view : *views) points += view.points.size();
  if (auto held = hold(points); !held) return std::unexpected(held.error());
  return views;
}

core::Result<Frame> Evaluator::newest(const Selector& selector, const Steps& steps, bool times) {
  if (const auto at = fixed(selector.at)) {
    Selector free = selector;
    free.at.reset();
    const auto one = newest(free, Steps{.first = *at}, times);
    return one ? core::Result<Frame>(repeated(*one, steps.count)) : one;
  }
  const auto views = select(selector, steps.first - selector.offset - kLookBack + core::Duration(1),
                            steps.last() - selector.offset, steps.count == 1);
  if (!views) return std::unexpected(views.error());
  Frame out(steps.count);
  out.reserve(views->size());
  for (const core::SeriesView& view : *views) {
    fill_newest(view.points, steps, selector.offset, times, out.add(view.labels));
    out.drop_last_if_empty();
  }
  return out;
}

core::Result<RangeVector> Evaluator::samples(const Selector& selector, const Steps& steps) {
  RangeVector result{.series = {}, .range = *selector.range, .offset = selector.offset, .fixed = fixed(selector.at)};
  auto views = select(selector, result.end_at(steps.first) - result.range + core::Duration(1),
                      result.end_at(steps.last()), false);
  if (!views) return std::unexpected(views.error());
  result.series = std::move(*views);
  drop_stale(result.series);
  return result;
}

core::Result<RangeVector> Evaluator::samples(const Subquery& subquery, const Steps& steps) {
  RangeVector result{.series = {}, .range = subquery.range, .offset = subquery.offset, .fixed = fixed(subquery.at)};
  const core::Duration step = subquery.step.value_or(limits_.subquery_step);
  const core::Time before = result.end_at(steps.first) - result.range;
  const core::Time end = result.end_at(steps.last());
  // Steps of a subquery lie at whole multiples of its step, whatever the query's are.
  core::Time start{step * (before.time_since_epoch() / step)};
  if (start <= before) start += step;
  if (start > end) return result;
  const Steps inner{.first = start, .step = step, .count = static_cast<std::size_t>((end - start) / step) + 1};
  if (inner.count > limits_.max_samples) return std::unexpected(hold(inner.count).error());
  auto values = frame(*subquery.inner, inner);
  if (!values) return std::unexpected(values.error());
  if (auto settled = values->settle_names(); !settled) return std::unexpected(settled.error());
  for (std::size_t row = 0; row < values->rows(); ++row) {
    core::SeriesView view{values->labels(row), {}};
    const auto row_values = std::as_const(*values).values(row);
    for (std::size_t i = 0; i < inner.count; ++i) {
      if (!is_absent(row_values[i])) view.points.push_back({inner.at(i), row_values[i]});
    }
    if (!view.points.empty()) result.series.push_back(std::move(view));
  }
  return result;
}

core::Result<Frame> Evaluator::eval(const NumberLiteral& literal, const Steps& steps) {
  Frame out(steps.count);
  std::ranges::fill(out.add(core::Labels()), literal.value);
  return out;
}

core::Result<Frame> Evaluator::eval(const TextLiteral&, const Steps&) {
  return core::fail(core::ErrorKind::internal, "a string has no value over time");
}

core::Result<Frame> Evaluator::eval(const Paren& paren, const Steps& steps) { return frame(*paren.inner, steps); }

core::Result<Frame> Evaluator::eval(const Selector& selector, const Steps& steps) {
  return newest(selector, steps, false);
}

core::Result<Frame> Evaluator::eval(const Subquery&, const Steps&) {
  return core::fail(core::ErrorKind::internal, "a range vector has no value at a step");
}

core::Result<Frame> Evaluator::eval(const Unary& unary, const Steps& steps) {
  auto operand = frame(*unary.operand, steps);
  if (!operand || !unary.negated) return operand;
  for (std::size_t row = 0; row < operand->rows(); ++row) {
    for (double& value : operand->values(row)) value = is_absent(value) ? value : -value;
  }
  operand->drop_names();
  if (auto settled = operand->settle_names_if(false); !settled) return std::unexpected(settled.error());
  return operand;
}

core::Result<Frame> Evaluator::eval(const Binary& binary, const Steps& steps) {
  auto left = frame(*binary.left, steps);
  if (!left) return left;
  auto right = frame(*binary.right, steps);
  if (!right) return right;
  auto result = apply(binary, std::move(*left), std::move(*right));
  if (!result) return result;
  if (auto settled = result->settle_names_if(false); !settled) return std::unexpected(settled.error());
  return result;
}

core::Result<Frame> Evaluator::eval(const Aggregate& node, const Steps& steps) {
  auto operand = frame(*node.operand, steps);
  if (!operand) return operand;
  if (!node.parameter) return aggregate(node, std::move(*operand), {}, {});
  if (const auto* label = std::get_if<TextLiteral>(&unwrapped(*node.parameter).kind))
    return aggregate(node, std::move(*operand), {}, label->text);
  const auto parameter = frame(*node.parameter, steps);
  if (!parameter) return parameter;
  return aggregate(node, std::move(*operand), parameter->values(0), {});
}

core::Result<Frame> Evaluator::over_windows(const Function& function, const RangeVector& input, const Steps& steps,
                                            const std::vector<double>& scalars) {
  Frame out(steps.count);
  out.reserve(input.series.size());
  std::size_t since_look = 0;
  for (const core::SeriesView& series : input.series) {
    if (++since_look % kRowsBetweenLooksAtTheClock == 0) {
      if (auto in_time = check_time(); !in_time) return std::unexpected(in_time.error());
    }
    const auto values = out.add(series.labels);
    const std::span<const core::Point> points = series.points;
    std::size_t first = 0;
    std::size_t past = 0;
    for (std::size_t step = 0; step < values.size(); ++step) {
      const core::Time at = steps.at(step);
      const core::Time end = input.end_at(at);
      const core::Time start = end - input.range;
      while (past < points.size() && points[past].time <= end) ++past;
      while (first < past && points[first].time <= start) ++first;
      if (first == past) continue;
      const Window window{points.subspan(first, past - first), start, end, at};
      if (const auto value = function.over_window(window, at_step(scalars, step, steps.count))) values[step] = *value;
    }
    out.drop_last_if_empty();
  }
  if (!function.keeps_name) out.drop_names();
  if (auto settled = out.settle_names_if(false); !settled) return std::unexpected(settled.error());
  return out;
}

core::Result<Frame> Evaluator::mapped(const Function& function, Frame input, const std::vector<double>& scalars) {
  for (std::size_t row = 0; row < input.rows(); ++row) {
    const auto values = input.values(row);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (!is_absent(values[step])) values[step] = function.map(values[step], at_step(scalars, step, values.size()));
    }
  }
  input.drop_names();
  if (auto settled = input.settle_names_if(false); !settled) return std::unexpected(settled.error());
  return input;
}

core::Result<Frame> Evaluator::eval(const Call& call, const Steps& steps) {
  const Function& function = *call.function;
  std::vector<Frame> arguments;
  std::vector<Frame> scalars;
  std::vector<std::string> texts;
  std::span<const core::Matcher> matchers;
  const Node* windows = nullptr;
  for (const NodePtr& argument : call.arguments) {
    const Node& inner = unwrapped(*argument);
    const auto* selector = std::get_if<Selector>(&inner.kind);
    if (selector != nullptr) matchers = selector->matchers;
    if (const auto* text = std::get_if<TextLiteral>(&inner.kind)) {
      texts.push_back(text->text);
    } else if (inner.type == ValueType::matrix) {
      windows = &inner;
    } else if (function.reads_times && selector != nullptr) {
      auto times = newest(*selector, steps, true);
      if (times) times->drop_names();
      return times;
    } else {
      auto value = frame(inner, steps);
      if (!value) return value;
      (inner.type == ValueType::scalar && function.over_frame == nullptr ? scalars : arguments)
          .push_back(std::move(*value));
    }
  }
  const std::vector<double> by_steps = by_step(scalars, steps.count);
  for (std::size_t step = 0; function.check != nullptr && step < steps.count; ++step) {
    if (auto fits = function.check(at_step(by_steps, step, steps.count)); !fits) return std::unexpected(fits.error());
  }
  if (windows != nullptr) {
    const auto input = range_vector(*windows, steps);
    if (!input) return std::unexpected(input.error());
    auto reduced = over_windows(function, *input, steps, by_steps);
    if (!reduced || function.over_frame == nullptr) return reduced;
    arguments.push_back(std::move(*reduced));
  }
  if (function.map != nullptr) {
    if (arguments.empty()) arguments.push_back(times_of(steps));
    return mapped(function, std::move(arguments[0]), by_steps);
  }
  Invocation invocation{steps, arguments, texts, matchers};
  return function.over_frame(invocation);
}

}  // namespace weir::promql
