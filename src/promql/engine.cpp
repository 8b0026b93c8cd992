#include "promql/engine.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "promql/evaluator.h"

namespace weir::promql {
namespace {

constexpr std::int64_t kMostSteps = 11'000;
// Steps are evaluated in blocks where many series must be held, so that they are not for all times at once.
constexpr std::size_t kFewestStepsInBlock = 16;
constexpr std::size_t kValuesInFrame = 4U << 20U;

Value vector_of(const Frame& frame, core::Time at) {
  Vector result;
  result.reserve(frame.rows());
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    if (!is_absent(frame.values(row)[0])) result.push_back({frame.labels(row), at, frame.values(row)[0]});
  }
  return result;
}

/// The longest range that one step reads.
core::Duration longest_range(const Node& node) {
  core::Duration longest = kLookBack;
  const auto take = [&](const NodePtr& inner, core::Duration more = core::Duration(0)) {
    if (inner) longest = std::max(longest, longest_range(*inner) + more);
  };
  if (const auto* selector = std::get_if<Selector>(&node.kind)) longest = selector->range.value_or(kLookBack);
  if (const auto* subquery = std::get_if<Subquery>(&node.kind)) take(subquery->inner, subquery->range);
  if (const auto* unary = std::get_if<Unary>(&node.kind)) take(unary->operand);
  if (const auto* paren = std::get_if<Paren>(&node.kind)) take(paren->inner);
  if (const auto* binary = std::get_if<Binary>(&node.kind)) {
    take(binary->left);
    take(binary->right);
  }
  if (const auto* aggregate = std::get_if<Aggregate>(&node.kind)) {
    take(aggregate->parameter);
    take(aggregate->operand);
  }
  if (const auto* call = std::get_if<Call>(&node.kind)) {
    for (const NodePtr& argument : call->arguments) take(argument);
  }
  return longest;
}

/// The answers of the blocks, put together.
class Series {
 public:
  core::Result<void> add(Frame frame, const Steps& steps, std::size_t most) {
    if (auto settled = frame.settle_names(); !settled) return settled;
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      const auto [place, added] = places_.try_emplace(frame.labels(row), matrix_.size());
      if (added) matrix_.push_back({frame.labels(row), {}});
      auto& points = matrix_[place->second].points;
      const auto values = std::as_const(frame).values(row);
      for (std::size_t step = 0; step < values.size(); ++step) {
        if (is_absent(values[step])) continue;
        points.push_back({steps.at(step), values[step]});
        ++points_;
      }
    }
    if (points_ > most) return core::fail(core::ErrorKind::limit, "the answer has too many samples; use a longer step");
    return {};
  }

  Matrix take() {
    std::erase_if(matrix_, [](const core::SeriesView& view) { return view.points.empty(); });
    std::ranges::sort(matrix_, {}, &core::SeriesView::labels);
    return std::move(matrix_);
  }

 private:
  Matrix matrix_;
  std::unordered_map<core::Labels, std::size_t> places_;
  std::size_t points_ = 0;
};

core::Result<void> check_range(const Expr& expr, core::Time start, core::Time end, core::Duration step) {
  if (step.count() <= 0) return core::fail(core::ErrorKind::invalid, "the step must be longer than zero");
  if (end < start) return core::fail(core::ErrorKind::invalid, "the end lies before the start");
  if ((end - start) / step > kMostSteps)
    return core::fail(core::ErrorKind::limit, "more than 11,000 steps; use a longer step");
  if (expr.type() == ValueType::scalar || expr.type() == ValueType::vector) return {};
  return core::fail(core::ErrorKind::invalid, "a range query needs a scalar or an instant vector, found a " +
                                                  std::string(to_string(expr.type())));
}

}  // namespace

core::Result<Value> evaluate(const Expr& expr, const core::SeriesSource& source, core::Time at, const Limits& limits) {
  Evaluator evaluator(source, at, at, limits);
  const Steps steps{.first = at};
  if (expr.type() == ValueType::text) {
    const Node* node = &expr.root();
    while (const auto* paren = std::get_if<Paren>(&node->kind)) node = paren->inner.get();
    return Text{std::get<TextLiteral>(node->kind).text};
  }
  if (expr.type() == ValueType::matrix) {
    auto samples = evaluator.samples(expr.root(), at);
    if (!samples) return std::unexpected(samples.error());
    return Value(std::move(*samples));
  }
  auto frame = evaluator.frame(expr.root(), steps);
  if (!frame) return std::unexpected(frame.error());
  if (expr.type() == ValueType::scalar) return Scalar{frame->values(0)[0]};
  if (auto settled = frame->settle_names(); !settled) return std::unexpected(settled.error());
  return vector_of(*frame, at);
}

core::Result<Matrix> evaluate_range(const Expr& expr, const core::SeriesSource& source, core::Time start,
                                    core::Time end, core::Duration step, const Limits& limits) {
  if (auto fits = check_range(expr, start, end, step); !fits) return std::unexpected(fits.error());
  Evaluator evaluator(source, start, end, limits);
  const std::size_t total = static_cast<std::size_t>((end - start) / step) + 1;
  // A block reads its first step's whole range again, so it spans at least as much.
  const std::size_t fewest = std::max(kFewestStepsInBlock, static_cast<std::size_t>(longest_range(expr.root()) / step));
  Series series;
  std::size_t size = total;
  for (std::size_t done = 0; done < total;) {
    const Steps block{
        .first = start + step * static_cast<std::int64_t>(done), .step = step, .count = std::min(size, total - done)};
    evaluator.allow(size > fewest ? kValuesInFrame : std::numeric_limits<std::size_t>::max());
    auto frame = evaluator.frame(expr.root(), block);
    if (!frame && evaluator.too_wide()) {
      size = std::max(fewest, size / 4);
      continue;
    }
    if (!frame) return std::unexpected(frame.error());
    if (auto added = series.add(std::move(*frame), block, limits.max_samples); !added)
      return std::unexpected(added.error());
    done += block.count;
  }
  return series.take();
}

}  // namespace weir::promql
