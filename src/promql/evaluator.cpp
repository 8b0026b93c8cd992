#include "promql/evaluator.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "promql/aggregate.h"
#include "promql/binary.h"

namespace weir::promql {

Evaluator::Evaluator(const core::SeriesSource& source, core::Time start, core::Time end, const Limits& limits)
    : source_(source),
      start_(start),
      end_(end),
      limits_(limits),
      deadline_(std::chrono::steady_clock::now() + limits.timeout),
      frame_values_(std::numeric_limits<std::size_t>::max()) {}

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

void Evaluator::allow(std::size_t frame_values) {
  frame_values_ = frame_values;
  too_wide_ = false;
  held_ = 0;
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

core::Result<Frame> Evaluator::frame(const Node& node, const Steps& steps) {
  if (auto in_time = check_time(); !in_time) return std::unexpected(in_time.error());
  auto result = passes_rows(node) ? collected(node, steps) : eval(node, steps);
  if (!result) return result;
  if (auto held = hold(result->rows() * steps.count); !held) return std::unexpected(held.error());
  return result;
}

core::Result<Frame> Evaluator::collected(const Node& node, const Steps& steps) {
  Frame out(steps.count);
  const std::size_t left = limits_.max_samples - std::min(held_, limits_.max_samples);
  auto done = rows(node, steps, [&](const core::Labels& labels, std::span<double> values) -> core::Result<void> {
    const std::size_t size = (out.rows() + 1) * steps.count;
    too_wide_ = too_wide_ || size > frame_values_;
    if (too_wide_) return core::fail(core::ErrorKind::limit, "too many values for one frame");
    if (size > left) return hold(size);
    std::ranges::copy(values, out.add(labels).begin());
    return {};
  });
  if (!done) return std::unexpected(done.error());
  if (drops_names(node)) out.drop_names();
  if (auto settled = out.settle_names_if(false); !settled) return std::unexpected(settled.error());
  return out;
}

core::Result<Frame> Evaluator::eval(const Node& node, const Steps& steps) {
  if (const auto* literal = std::get_if<NumberLiteral>(&node.kind)) {
    Frame out(steps.count);
    std::ranges::fill(out.add(core::Labels()), literal->value);
    return out;
  }
  if (const auto* paren = std::get_if<Paren>(&node.kind)) return frame(*paren->inner, steps);
  if (const auto* operation = std::get_if<Binary>(&node.kind)) return binary(*operation, steps);
  if (const auto* aggregate = std::get_if<Aggregate>(&node.kind)) return aggregated(*aggregate, steps);
  if (const auto* call = std::get_if<Call>(&node.kind)) return called(*call, steps);
  if (const auto* unary = std::get_if<Unary>(&node.kind)) {
    auto operand = frame(*unary->operand, steps);
    if (!operand || !unary->negated) return operand;
    for (std::size_t row = 0; row < operand->rows(); ++row) negate(operand->values(row));
    return operand;
  }
  return core::fail(core::ErrorKind::internal, "a range vector or a string has no value at a step");
}

core::Result<Frame> Evaluator::binary(const Binary& binary, const Steps& steps) {
  auto left = frame(*binary.left, steps);
  if (!left) return left;
  auto right = frame(*binary.right, steps);
  if (!right) return right;
  return apply(binary, std::move(*left), std::move(*right));
}

core::Result<Frame> Evaluator::aggregated(const Aggregate& node, const Steps& steps) {
  if (Reducer::takes(node.op)) {
    Reducer reducer(node, steps.count);
    // Series that differ in their name alone must be told apart before it is dropped.
    if (has_one_name(*node.operand) && !reducer.reads_name()) {
      auto done = rows(*node.operand, steps, [&](const core::Labels& labels, std::span<double> values) {
        reducer.add(labels, values);
        return core::Result<void>();
      });
      if (!done) return std::unexpected(done.error());
      return reducer.take();
    }
    auto operand = frame(*node.operand, steps);
    if (!operand) return operand;
    if (auto settled = operand->settle_names_if(reducer.reads_name()); !settled)
      return std::unexpected(settled.error());
    for (std::size_t row = 0; row < operand->rows(); ++row) reducer.add(operand->labels(row), operand->values(row));
    return reducer.take();
  }
  auto operand = frame(*node.operand, steps);
  if (!operand) return operand;
  if (const auto* label = std::get_if<TextLiteral>(&unwrapped(*node.parameter).kind))
    return aggregate(node, std::move(*operand), {}, label->text);
  const auto parameter = frame(*node.parameter, steps);
  if (!parameter) return parameter;
  return aggregate(node, std::move(*operand), parameter->values(0), {});
}

core::Result<Evaluator::Arguments> Evaluator::arguments(const Call& call, const Steps& steps) {
  const Function& function = *call.function;
  Arguments result;
  std::vector<Frame> scalars;
  for (const NodePtr& argument : call.arguments) {
    const Node& inner = unwrapped(*argument);
    if (const auto* selector = std::get_if<Selector>(&inner.kind)) result.matchers = selector->matchers;
    if (const auto* text = std::get_if<TextLiteral>(&inner.kind)) {
      result.texts.push_back(text->text);
    } else if (inner.type == ValueType::matrix) {
      result.windows = &inner;
    } else if (function.map != nullptr && inner.type == ValueType::vector) {
      result.mapped = &inner;
    } else {
      auto value = frame(inner, steps);
      if (!value) return std::unexpected(value.error());
      const bool by_step = inner.type == ValueType::scalar && function.over_frame == nullptr;
      (by_step ? scalars : result.frames).push_back(std::move(*value));
    }
  }
  for (std::size_t step = 0; step < steps.count; ++step) {
    for (const Frame& scalar : scalars) result.scalars.push_back(scalar.values(0)[step]);
    if (function.check == nullptr) continue;
    if (auto fits = function.check(Scalars(result.scalars).last(scalars.size())); !fits)
      return std::unexpected(fits.error());
  }
  return result;
}

core::Result<Frame> Evaluator::called(const Call& call, const Steps& steps) {
  const Function& function = *call.function;
  auto given = arguments(call, steps);
  if (!given) return std::unexpected(given.error());
  if (function.map != nullptr) {  // of nothing: of the time
    Frame times = times_of(steps);
    for (std::size_t step = 0; step < steps.count; ++step)
      times.values(0)[step] = function.map(times.values(0)[step], {});
    return times;
  }
  if (given->windows != nullptr) {
    Frame values(steps.count);
    auto done = reduced(function, *given->windows, steps, given->scalars,
                        [&](const core::Labels& labels, std::span<double> row) {
                          std::ranges::copy(row, values.add(labels).begin());
                          return hold(row.size());
                        });
    if (!done) return std::unexpected(done.error());
    given->frames.push_back(std::move(values));
  }
  Invocation invocation{steps, given->frames, given->texts, given->matchers};
  return function.over_frame(invocation);
}

}  // namespace weir::promql
