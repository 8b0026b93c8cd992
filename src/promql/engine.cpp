#include "promql/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "promql/aggregate.h"
#include "promql/binary.h"
#include "promql/functions.h"

namespace weir::promql {
namespace {

constexpr int kMostSteps = 11'000;

class Evaluator {
 public:
  Evaluator(const core::SeriesSource& source, core::Time at, const Limits& limits)
      : source_(source), at_(at), limits_(limits), deadline_(std::chrono::steady_clock::now() + limits.timeout) {}

  core::Result<Value> evaluate(const Node& node) {
    if (std::chrono::steady_clock::now() > deadline_)
      return core::fail(core::ErrorKind::timeout, "the query took too long");
    return std::visit([this](const auto& kind) { return eval(kind); }, node.kind);
  }

 private:
  core::Result<Value> eval(const NumberLiteral& literal) { return Scalar{literal.value}; }
  core::Result<Value> eval(const TextLiteral& literal) { return Text{literal.text}; }
  core::Result<Value> eval(const Paren& paren) { return evaluate(*paren.inner); }

  core::Result<Value> eval(const Selector& selector) {
    const core::Time end = at_ - selector.offset;
    const core::Duration span = selector.range.value_or(kLookBack);
    core::Selection selection{.matchers = selector.matchers,
                              .from = end - span + core::Duration(1),
                              .to = end,
                              .newest_only = !selector.range};
    auto views = source_.select(selection);
    if (!views) return std::unexpected(views.error());
    for (const core::SeriesView& view : *views) samples_ += view.points.size();
    if (samples_ > limits_.max_samples) {
      return core::fail(core::ErrorKind::limit,
                        "the query reads more than " + std::to_string(limits_.max_samples) + " samples");
    }
    return selector.range ? matrix(std::move(*views)) : vector(*views);
  }

  static Value matrix(std::vector<core::SeriesView> views) {
    for (core::SeriesView& view : views) {
      std::erase_if(view.points, [](const core::Point& point) { return core::is_stale_marker(point.value); });
    }
    std::erase_if(views, [](const core::SeriesView& view) { return view.points.empty(); });
    return views;
  }

  static Value vector(const std::vector<core::SeriesView>& views) {
    Vector result;
    result.reserve(views.size());
    for (const core::SeriesView& view : views) {
      const core::Point& newest = view.points.back();
      if (!core::is_stale_marker(newest.value)) result.push_back({view.labels, newest.time, newest.value});
    }
    return result;
  }

  core::Result<Value> eval(const Unary& unary) {
    auto operand = evaluate(*unary.operand);
    if (!operand) return operand;
    if (auto* scalar = std::get_if<Scalar>(&*operand)) return Scalar{-scalar->value};
    Vector& samples = std::get<Vector>(*operand);
    for (VectorSample& sample : samples) sample = {sample.labels.without(core::kMetricName), at_, -sample.value};
    return unique(std::move(samples));
  }

  core::Result<Value> eval(const Binary& node) {
    auto left = evaluate(*node.left);
    if (!left) return left;
    auto right = evaluate(*node.right);
    if (!right) return right;
    auto result = apply(node, std::move(*left), std::move(*right), at_);
    if (!result || !std::holds_alternative<Vector>(*result)) return result;
    return unique(std::move(std::get<Vector>(*result)));
  }

  core::Result<Value> eval(const Aggregate& node) {
    Value parameter = Scalar{};
    if (node.parameter) {
      auto evaluated = evaluate(*node.parameter);
      if (!evaluated) return evaluated;
      parameter = std::move(*evaluated);
    }
    auto operand = evaluate(*node.operand);
    if (!operand) return operand;
    auto result = aggregate(node, std::get<Vector>(*operand), parameter, at_);
    if (!result) return std::unexpected(result.error());
    return Value(std::move(*result));
  }

  core::Result<Value> eval(const Call& call) {
    std::vector<Value> arguments;
    CallContext context{.at = at_, .range_start = at_, .range_end = at_, .arguments = arguments};
    for (const NodePtr& argument : call.arguments) {
      const Node* inner = argument.get();
      while (const auto* paren = std::get_if<Paren>(&inner->kind)) inner = paren->inner.get();
      if (const auto* selector = std::get_if<Selector>(&inner->kind)) {
        context.matchers = selector->matchers;
        context.range_end = at_ - selector->offset;
        context.range_start = context.range_end - selector->range.value_or(core::Duration(0));
      }
      auto value = evaluate(*argument);
      if (!value) return value;
      arguments.push_back(std::move(*value));
    }
    auto result = call.function->evaluate(context);
    if (!result || !std::holds_alternative<Vector>(*result)) return result;
    return unique(std::move(std::get<Vector>(*result)));
  }

  static core::Result<Value> unique(Vector samples) {
    std::unordered_set<core::Labels> seen;
    seen.reserve(samples.size());
    for (const VectorSample& sample : samples) {
      if (!seen.insert(sample.labels).second) {
        return core::fail(core::ErrorKind::invalid,
                          "vector cannot contain metrics with the same labelset: " + sample.labels.to_string());
      }
    }
    return Value(std::move(samples));
  }

  const core::SeriesSource& source_;
  core::Time at_;
  const Limits& limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t samples_ = 0;
};

}  // namespace

core::Result<Value> evaluate(const Expr& expr, const core::SeriesSource& source, core::Time at, const Limits& limits) {
  return Evaluator(source, at, limits).evaluate(expr.root());
}

core::Result<Matrix> evaluate_range(const Expr& expr, const core::SeriesSource& source, core::Time start,
                                    core::Time end, core::Duration step, const Limits& limits) {
  if (step.count() <= 0) return core::fail(core::ErrorKind::invalid, "the step must be longer than zero");
  if (end < start) return core::fail(core::ErrorKind::invalid, "the end lies before the start");
  if ((end - start) / step > kMostSteps)
    return core::fail(core::ErrorKind::limit, "more than 11,000 steps; use a longer step");
  if (expr.type() != ValueType::scalar && expr.type() != ValueType::vector) {
    return core::fail(core::ErrorKind::invalid, "a range query needs a scalar or an instant vector, found a " +
                                                    std::string(to_string(expr.type())));
  }
  std::map<core::Labels, std::vector<core::Point>> series;
  const auto began = std::chrono::steady_clock::now();
  std::size_t points = 0;
  for (core::Time at = start; at <= end; at += step) {
    if (std::chrono::steady_clock::now() - began > limits.timeout)
      return core::fail(core::ErrorKind::timeout, "the query took too long");
    auto value = evaluate(expr, source, at, limits);
    if (!value) return std::unexpected(value.error());
    if (const auto* scalar = std::get_if<Scalar>(&*value)) {
      series[core::Labels()].push_back({at, scalar->value});
      continue;
    }
    for (const VectorSample& sample : std::get<Vector>(*value)) series[sample.labels].push_back({at, sample.value});
    points += std::get<Vector>(*value).size();
    if (points > limits.max_samples) return core::fail(core::ErrorKind::limit, "the answer has too many samples");
  }
  Matrix matrix;
  for (auto& [labels, values] : series) matrix.push_back({labels, std::move(values)});
  return matrix;
}

}  // namespace weir::promql
