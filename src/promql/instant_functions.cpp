#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <set>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <double (*Map)(double)>
double each(double value, Scalars) {
  return Map(value);
}

double sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : v; }
double absolute(double v) { return std::abs(v); }
double degrees(double v) { return v * 180 / std::numbers::pi; }
double radians(double v) { return v * std::numbers::pi / 180; }

double rounded(double value, Scalars scalars) {
  const double inverse =
      1.0 / (scalars.empty() ? 1 : scalars[0]);  // as Prometheus: fewer rounding errors than dividing
  return std::floor(value * inverse + 0.5) / inverse;
}

// As Go's math.Max and math.Min: NaN wins over all but the infinity that is looked for.
double at_least(double a, double b) {
  if (a == kInfinity || b == kInfinity) return kInfinity;
  return std::isnan(a) || std::isnan(b) ? kNaN : std::max(a, b);
}
double at_most(double a, double b) { return -at_least(-a, -b); }
double clamp(double value, Scalars scalars) {
  return scalars[1] < scalars[0] ? absent() : at_least(at_most(value, scalars[1]), scalars[0]);
}
double clamp_min(double value, Scalars scalars) { return at_least(value, scalars[0]); }
double clamp_max(double value, Scalars scalars) { return at_most(value, scalars[0]); }

/// A scalar, or a vector of one element without labels.
Frame constant(const Steps& steps, double value) {
  Frame frame(steps.count);
  std::ranges::fill(frame.add(core::Labels()), value);
  return frame;
}

core::Result<Frame> time(Invocation& call) { return times_of(call.steps); }
core::Result<Frame> pi(Invocation& call) { return constant(call.steps, std::numbers::pi); }
core::Result<Frame> vector(Invocation& call) { return std::move(call.arguments[0]); }

core::Result<Frame> scalar(Invocation& call) {
  const Frame& input = call.arguments[0];
  Frame out = constant(call.steps, kNaN);
  const auto values = out.values(0);
  for (std::size_t step = 0; step < values.size(); ++step) {
    std::size_t found = 0;
    for (std::size_t row = 0; row < input.rows() && found < 2; ++row) {
      if (is_absent(input.values(row)[step])) continue;
      values[step] = ++found == 1 ? input.values(row)[step] : kNaN;
    }
  }
  return out;
}

/// Of an expression other than a selector: the time of the step. (Selectors were given their samples' times.)
core::Result<Frame> timestamp(Invocation& call) {
  Frame frame = std::move(call.arguments[0]);
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    const auto values = frame.values(row);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (!is_absent(values[step])) values[step] = core::to_seconds(call.steps.at(step));
    }
  }
  frame.drop_names();
  return frame;
}

/// Order is only something an instant query shows.
template <bool Descending>
core::Result<Frame> sort(Invocation& call) {
  Frame& input = call.arguments[0];
  if (call.steps.count != 1) return std::move(input);
  std::vector<std::size_t> order(input.rows());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::size_t left, std::size_t right) {
    const double a = input.values(left)[0];
    const double b = input.values(right)[0];
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    return Descending ? a > b : a < b;
  });
  if (auto settled = input.settle_names(); !settled) return std::unexpected(settled.error());
  Frame out(1);
  for (const std::size_t row : order) out.add(input.labels(row))[0] = input.values(row)[0];
  return out;
}

/// 1 at the steps at which there is nothing, with the labels that the selector's equality matchers fix.
core::Result<Frame> absent_elements(Invocation& call) {
  core::LabelsBuilder builder;
  std::set<std::string_view> fixed;
  for (const core::Matcher& matcher : call.matchers) {
    if (matcher.name == core::kMetricName) continue;
    if (matcher.op == core::MatchOp::equal && fixed.insert(matcher.name).second) {
      builder.set(matcher.name, matcher.value);
    } else {
      builder.erase(matcher.name);
    }
  }
  const Frame& input = call.arguments[0];
  Frame out(call.steps.count);
  const auto values = out.add(builder.build());
  std::ranges::fill(values, 1);
  for (std::size_t row = 0; row < input.rows(); ++row) {
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (!is_absent(input.values(row)[step])) values[step] = absent();
    }
  }
  out.drop_last_if_empty();
  return out;
}

std::optional<double> present(const Window&, Scalars) { return 1; }

template <double (*Map)(double)>
Function mapping(std::string_view name) {
  return {.name = name, .arguments = {ValueType::vector}, .map = each<Map>};
}

}  // namespace

std::vector<Function> instant_functions() {
  constexpr auto kScalar = ValueType::scalar;
  constexpr auto kVector = ValueType::vector;
  constexpr auto kMatrix = ValueType::matrix;
  return {mapping<absolute>("abs"),
          mapping<std::ceil>("ceil"),
          mapping<std::floor>("floor"),
          mapping<std::sqrt>("sqrt"),
          mapping<std::exp>("exp"),
          mapping<std::log>("ln"),
          mapping<std::log2>("log2"),
          mapping<std::log10>("log10"),
          mapping<std::sin>("sin"),
          mapping<std::cos>("cos"),
          mapping<std::tan>("tan"),
          mapping<std::asin>("asin"),
          mapping<std::acos>("acos"),
          mapping<std::atan>("atan"),
          mapping<std::sinh>("sinh"),
          mapping<std::cosh>("cosh"),
          mapping<std::tanh>("tanh"),
          mapping<std::asinh>("asinh"),
          mapping<std::acosh>("acosh"),
          mapping<std::atanh>("atanh"),
          mapping<sign>("sgn"),
          mapping<degrees>("deg"),
          mapping<radians>("rad"),
          {.name = "round", .arguments = {kVector, kScalar}, .optional = 1, .map = rounded},
          {.name = "clamp", .arguments = {kVector, kScalar, kScalar}, .map = clamp},
          {.name = "clamp_min", .arguments = {kVector, kScalar}, .map = clamp_min},
          {.name = "clamp_max", .arguments = {kVector, kScalar}, .map = clamp_max},
          {.name = "time", .arguments = {}, .result = kScalar, .over_frame = time},
          {.name = "pi", .arguments = {}, .result = kScalar, .over_frame = pi},
          {.name = "vector", .arguments = {kScalar}, .over_frame = vector},
          {.name = "scalar", .arguments = {kVector}, .result = kScalar, .over_frame = scalar},
          {.name = "timestamp", .arguments = {kVector}, .over_frame = timestamp, .reads_times = true},
          {.name = "sort", .arguments = {kVector}, .over_frame = sort<false>},
          {.name = "sort_desc", .arguments = {kVector}, .over_frame = sort<true>},
          {.name = "absent", .arguments = {kVector}, .over_frame = absent_elements},
          {.name = "absent_over_time",
           .arguments = {kMatrix},
           .over_window = present,
           .over_frame = absent_elements,
           .keeps_name = true}};
}

}  // namespace weir::promql
