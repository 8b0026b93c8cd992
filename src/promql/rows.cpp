#include <algorithm>
#include <utility>

#include "promql/binary.h"
#include "promql/evaluator.h"

namespace weir::promql {
namespace {

constexpr std::size_t kRowsBetweenLooksAtTheClock = 256;

bool any_present(std::span<const double> values) { return !std::ranges::all_of(values, is_absent); }

/// The operand of `vector op scalar` that is the vector, or nullptr.
const Node* vector_side(const Binary& binary) {
  const bool left = binary.left->type == ValueType::vector;
  const bool right = binary.right->type == ValueType::vector;
  return left == right ? nullptr : left ? binary.left.get() : binary.right.get();
}

/// Of a function that maps values or reads the times of samples: the argument that is its vector.
const Node* vector_argument(const Call& call) {
  const auto found =
      std::ranges::find(call.arguments, ValueType::vector, [](const NodePtr& node) { return node->type; });
  return found == call.arguments.end() ? nullptr : found->get();
}

const Node* range_argument(const Call& call) {
  const auto found =
      std::ranges::find(call.arguments, ValueType::matrix, [](const NodePtr& node) { return node->type; });
  return found == call.arguments.end() ? nullptr : found->get();
}

const Selector* bare_selector(const Node* node) {
  return node == nullptr ? nullptr : std::get_if<Selector>(&unwrapped(*node).kind);
}

bool names_its_metric(const Selector& selector) {
  return std::ranges::any_of(selector.matchers, [](const core::Matcher& matcher) {
    return matcher.name == core::kMetricName && matcher.op == core::MatchOp::equal;
  });
}

/// Scalar arguments of a call at one step.
Scalars at_step(const std::vector<double>& scalars, std::size_t step, std::size_t steps) {
  const std::size_t count = scalars.size() / steps;
  return Scalars(scalars).subspan(step * count, count);
}

}  // namespace

const Node& unwrapped(const Node& node) {
  const Node* inner = &node;
  while (const auto* paren = std::get_if<Paren>(&inner->kind)) inner = paren->inner.get();
  return *inner;
}

void negate(std::span<double> values) {
  for (double& value : values) value = is_absent(value) ? value : -value;
}

bool passes_rows(const Node& node) {
  if (std::holds_alternative<Selector>(node.kind)) return true;
  if (const auto* paren = std::get_if<Paren>(&node.kind)) return passes_rows(*paren->inner);
  if (const auto* unary = std::get_if<Unary>(&node.kind)) return unary->operand->type == ValueType::vector;
  if (const auto* binary = std::get_if<Binary>(&node.kind)) return vector_side(*binary) != nullptr;
  const auto* call = std::get_if<Call>(&node.kind);
  if (call == nullptr) return false;
  if (call->function->reads_times) return bare_selector(vector_argument(*call)) != nullptr;
  if (call->function->map != nullptr) return vector_argument(*call) != nullptr;
  return call->function->over_window != nullptr && call->function->over_frame == nullptr;
}

bool drops_names(const Node& node) {
  if (const auto* paren = std::get_if<Paren>(&node.kind)) return drops_names(*paren->inner);
  if (const auto* unary = std::get_if<Unary>(&node.kind)) return unary->negated || drops_names(*unary->operand);
  if (const auto* binary = std::get_if<Binary>(&node.kind)) {
    const Node* side = vector_side(*binary);
    return side != nullptr && (drops_name(*binary) || drops_names(*side));
  }
  const auto* call = std::get_if<Call>(&node.kind);
  return call != nullptr && passes_rows(node) && !call->function->keeps_name;
}

bool has_one_name(const Node& node) {
  if (const auto* selector = std::get_if<Selector>(&node.kind)) return names_its_metric(*selector);
  if (const auto* paren = std::get_if<Paren>(&node.kind)) return has_one_name(*paren->inner);
  if (!passes_rows(node)) return false;
  if (const auto* unary = std::get_if<Unary>(&node.kind)) return has_one_name(*unary->operand);
  if (const auto* binary = std::get_if<Binary>(&node.kind)) return has_one_name(*vector_side(*binary));
  const auto* call = std::get_if<Call>(&node.kind);
  if (call == nullptr) return false;
  if (const Node* range = range_argument(*call)) {
    const Selector* selector = bare_selector(range);
    return selector != nullptr && names_its_metric(*selector);
  }
  const Node* argument = vector_argument(*call);
  return argument != nullptr && has_one_name(*argument);
}

core::Result<void> Evaluator::rows(const Node& node, const Steps& steps, const Row& row) {
  if (!passes_rows(node)) {
    auto held = frame(node, steps);
    if (!held) return std::unexpected(held.error());
    if (auto settled = held->settle_names(); !settled) return settled;
    for (std::size_t i = 0; i < held->rows(); ++i) {
      if (auto passed = row(held->labels(i), held->values(i)); !passed) return passed;
    }
    return {};
  }
  if (const auto* selector = std::get_if<Selector>(&node.kind)) return newest(*selector, steps, false, row);
  if (const auto* paren = std::get_if<Paren>(&node.kind)) return rows(*paren->inner, steps, row);
  if (const auto* unary = std::get_if<Unary>(&node.kind)) {
    if (!unary->negated) return rows(*unary->operand, steps, row);
    return transformed(*unary->operand, steps, negate, row);
  }
  if (const auto* binary = std::get_if<Binary>(&node.kind)) {
    const bool scalar_left = binary->left->type == ValueType::scalar;
    const auto scalar = frame(scalar_left ? *binary->left : *binary->right, steps);
    if (!scalar) return std::unexpected(scalar.error());
    return transformed(
        *vector_side(*binary), steps,
        [&](std::span<double> values) { apply_scalar(*binary, values, scalar->values(0), scalar_left); }, row);
  }
  const Call& call = std::get<Call>(node.kind);
  const Function& function = *call.function;
  if (function.reads_times) return newest(*bare_selector(vector_argument(call)), steps, true, row);
  const auto given = arguments(call, steps);
  if (!given) return std::unexpected(given.error());
  if (function.over_window != nullptr) return reduced(function, *given->windows, steps, given->scalars, row);
  return transformed(
      *given->mapped, steps,
      [&](std::span<double> values) {
        for (std::size_t step = 0; step < values.size(); ++step) {
          if (!is_absent(values[step]))
            values[step] = function.map(values[step], at_step(given->scalars, step, values.size()));
        }
      },
      row);
}

core::Result<void> Evaluator::transformed(const Node& inner, const Steps& steps, const Transform& transform,
                                          const Row& row) {
  const Row change = [&](const core::Labels& labels, std::span<double> values) -> core::Result<void> {
    transform(values);
    return any_present(values) ? row(labels, values) : core::Result<void>();
  };
  if (has_one_name(inner)) return rows(inner, steps, change);
  // Held first, which finds out series that are the same but for names dropped on the way.
  auto held = frame(inner, steps);
  if (!held) return std::unexpected(held.error());
  if (auto settled = held->settle_names(); !settled) return settled;
  for (std::size_t i = 0; i < held->rows(); ++i) {
    if (auto passed = change(held->labels(i), held->values(i)); !passed) return passed;
  }
  return {};
}

core::Result<void> Evaluator::newest(const Selector& selector, const Steps& steps, bool times, const Row& row) {
  const auto at = fixed(selector.at);
  const core::Time first = at.value_or(steps.first) - selector.offset;
  const core::Time last = at.value_or(steps.last()) - selector.offset;
  std::vector<double> values(steps.count);
  std::size_t visited = 0;
  const auto visit = [&](const core::Labels& labels, std::span<const core::Point> points) -> core::Result<void> {
    if (++visited % kRowsBetweenLooksAtTheClock == 0) {
      if (auto in_time = check_time(); !in_time) return in_time;
    }
    bool any = false;
    std::size_t seen = 0;
    for (std::size_t step = 0; step < values.size(); ++step) {
      const core::Time time = at ? first : steps.at(step) - selector.offset;
      while (seen < points.size() && points[seen].time <= time) ++seen;
      values[step] = absent();
      if (seen == 0) continue;
      const core::Point& newest = points[seen - 1];
      if (newest.time <= time - kLookBack || core::is_stale_marker(newest.value)) continue;
      values[step] = times ? core::to_seconds(newest.time) : newest.value;
      any = true;
    }
    return any ? row(labels, values) : core::Result<void>();
  };
  return source_.visit({.matchers = selector.matchers,
                        .from = first - kLookBack + core::Duration(1),
                        .to = last,
                        .newest_only = steps.count == 1 || at.has_value()},
                       visit);
}

core::Result<void> Evaluator::reduced(const Function& function, const Node& node, const Steps& steps,
                                      const std::vector<double>& scalars, const Row& row) {
  const Node& inner = unwrapped(node);
  const auto* selector = std::get_if<Selector>(&inner.kind);
  const auto* query = std::get_if<Subquery>(&inner.kind);
  const Windows windows = selector != nullptr ? Windows{*selector->range, selector->offset, fixed(selector->at)}
                                              : Windows{query->range, query->offset, fixed(query->at)};
  std::vector<double> values(steps.count);
  std::vector<core::Point> kept;
  std::size_t visited = 0;
  const auto visit = [&](const core::Labels& labels, std::span<const core::Point> points) -> core::Result<void> {
    if (++visited % kRowsBetweenLooksAtTheClock == 0) {
      if (auto in_time = check_time(); !in_time) return in_time;
    }
    const auto stale = [](const core::Point& point) { return core::is_stale_marker(point.value); };
    if (std::ranges::any_of(points, stale)) {
      kept.clear();
      std::ranges::remove_copy_if(points, std::back_inserter(kept), stale);
      points = kept;
    }
    std::size_t first = 0;
    std::size_t past = 0;
    for (std::size_t step = 0; step < values.size(); ++step) {
      const core::Time at = steps.at(step);
      const core::Time end = windows.end_at(at);
      const core::Time start = end - windows.range;
      while (past < points.size() && points[past].time <= end) ++past;
      while (first < past && points[first].time <= start) ++first;
      values[step] = absent();
      if (first == past) continue;
      const Window window{points.subspan(first, past - first), start, end, at};
      if (const auto value = function.over_window(window, at_step(scalars, step, steps.count))) values[step] = *value;
    }
    return any_present(values) ? row(labels, values) : core::Result<void>();
  };
  if (query != nullptr) return subquery(*query, windows, steps, visit);
  return source_.visit({.matchers = selector->matchers,
                        .from = windows.end_at(steps.first) - windows.range + core::Duration(1),
                        .to = windows.end_at(steps.last())},
                       visit);
}

core::Result<void> Evaluator::subquery(const Subquery& subquery, const Windows& windows, const Steps& steps,
                                       const core::SeriesSource::Visitor& visitor) {
  const core::Duration step = subquery.step.value_or(limits_.subquery_step);
  const core::Time before = windows.end_at(steps.first) - windows.range;
  const core::Time end = windows.end_at(steps.last());
  // Steps of a subquery lie at whole multiples of its step, whatever the query's are.
  core::Time start{step * (before.time_since_epoch() / step)};
  if (start <= before) start += step;
  if (start > end) return {};
  const Steps inner{.first = start, .step = step, .count = static_cast<std::size_t>((end - start) / step) + 1};
  if (inner.count > limits_.max_samples) return hold(inner.count);
  std::vector<core::Point> points;
  const Row row = [&](const core::Labels& labels, std::span<double> values) {
    points.clear();
    for (std::size_t i = 0; i < inner.count; ++i) {
      if (!is_absent(values[i])) points.push_back({inner.at(i), values[i]});
    }
    return points.empty() ? core::Result<void>() : visitor(labels, points);
  };
  if (has_one_name(*subquery.inner) && !drops_names(*subquery.inner)) return rows(*subquery.inner, inner, row);
  auto held = frame(*subquery.inner, inner);
  if (!held) return std::unexpected(held.error());
  if (auto settled = held->settle_names(); !settled) return settled;
  for (std::size_t i = 0; i < held->rows(); ++i) {
    if (auto passed = row(held->labels(i), held->values(i)); !passed) return passed;
  }
  return {};
}

core::Result<std::vector<core::SeriesView>> Evaluator::samples(const Node& node, core::Time at) {
  const Node& inner = unwrapped(node);
  std::vector<core::SeriesView> result;
  const auto keep = [&](const core::Labels& labels, std::span<const core::Point> points) {
    core::SeriesView view{labels, {}};
    for (const core::Point& point : points) {
      if (!core::is_stale_marker(point.value)) view.points.push_back(point);
    }
    const std::size_t size = view.points.size();
    if (size > 0) result.push_back(std::move(view));
    return hold(size);
  };
  core::Result<void> done;
  if (const auto* selector = std::get_if<Selector>(&inner.kind)) {
    const Windows windows{*selector->range, selector->offset, fixed(selector->at)};
    const core::Time end = windows.end_at(at);
    done = source_.visit({.matchers = selector->matchers, .from = end - windows.range + core::Duration(1), .to = end},
                         keep);
  } else {
    const auto& query = std::get<Subquery>(inner.kind);
    done = subquery(query, {query.range, query.offset, fixed(query.at)}, Steps{.first = at}, keep);
  }
  if (!done) return std::unexpected(done.error());
  return result;
}

}  // namespace weir::promql
