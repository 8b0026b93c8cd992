#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

double number(const CallContext& context, std::size_t index) {
  return std::get<Scalar>(context.arguments[index]).value;
}

template <class Map>
Value map_values(CallContext& context, Map map) {
  Vector result;
  for (const VectorSample& sample : std::get<Vector>(context.arguments[0])) {
    result.push_back({sample.labels.without(core::kMetricName), context.at, map(sample.value)});
  }
  return result;
}

template <double (*Map)(double)>
core::Result<Value> each(CallContext& context) {
  return map_values(context, Map);
}

double sign(double v) { return std::isnan(v) ? v : static_cast<double>((v > 0) - (v < 0)); }
double absolute(double v) { return std::abs(v); }
double ceiling(double v) { return std::ceil(v); }
double floored(double v) { return std::floor(v); }
double root(double v) { return std::sqrt(v); }
double exponential(double v) { return std::exp(v); }
double natural_log(double v) { return std::log(v); }
double binary_log(double v) { return std::log2(v); }
double decimal_log(double v) { return std::log10(v); }
double degrees(double v) { return v * 180 / std::numbers::pi; }
double radians(double v) { return v * std::numbers::pi / 180; }

core::Result<Value> round(CallContext& context) {
  const double nearest = context.arguments.size() > 1 ? number(context, 1) : 1;
  const double inverse = 1.0 / nearest;  // as Prometheus: fewer rounding errors than dividing
  return map_values(context, [&](double v) { return std::floor(v * inverse + 0.5) / inverse; });
}
core::Result<Value> clamp(CallContext& context) {
  const double least = number(context, 1);
  const double most = number(context, 2);
  if (least > most) return Value(Vector());
  return map_values(context, [&](double v) { return std::isnan(v) ? v : std::max(least, std::min(most, v)); });
}
core::Result<Value> clamp_min(CallContext& context) {
  const double least = number(context, 1);
  return map_values(context, [&](double v) { return std::isnan(v) ? v : std::max(least, v); });
}
core::Result<Value> clamp_max(CallContext& context) {
  const double most = number(context, 1);
  return map_values(context, [&](double v) { return std::isnan(v) ? v : std::min(most, v); });
}

core::Result<Value> time(CallContext& context) { return Scalar{core::to_seconds(context.at)}; }
core::Result<Value> pi(CallContext&) { return Scalar{std::numbers::pi}; }
core::Result<Value> vector(CallContext& context) {
  return Value(Vector{{core::Labels(), context.at, number(context, 0)}});
}
core::Result<Value> scalar(CallContext& context) {
  const Vector& samples = std::get<Vector>(context.arguments[0]);
  return Scalar{samples.size() == 1 ? samples.front().value : std::numeric_limits<double>::quiet_NaN()};
}
core::Result<Value> timestamp(CallContext& context) {
  Vector result;
  for (const VectorSample& sample : std::get<Vector>(context.arguments[0])) {
    result.push_back({sample.labels.without(core::kMetricName), context.at, core::to_seconds(sample.time)});
  }
  return Value(std::move(result));
}

template <bool Descending>
core::Result<Value> sort(CallContext& context) {
  Vector samples = std::get<Vector>(context.arguments[0]);
  std::ranges::stable_sort(samples, [](const VectorSample& a, const VectorSample& b) {
    if (std::isnan(a.value) || std::isnan(b.value)) return !std::isnan(a.value) && std::isnan(b.value);
    return Descending ? a.value > b.value : a.value < b.value;
  });
  return Value(std::move(samples));
}

/// One element with the labels that the selector's equality matchers fix, when there is nothing else.
core::Result<Value> absent_unless(bool any, const CallContext& context) {
  if (any) return Value(Vector());
  core::LabelsBuilder builder;
  std::vector<std::string> twice;
  for (const core::Matcher& matcher : context.matchers) {
    if (matcher.name == core::kMetricName) continue;
    if (matcher.op == core::MatchOp::equal && builder.get(matcher.name).empty() &&
        std::ranges::find(twice, matcher.name) == twice.end()) {
      builder.set(matcher.name, matcher.value);
    } else {
      builder.erase(matcher.name);
      twice.push_back(matcher.name);
    }
  }
  return Value(Vector{{builder.build(), context.at, 1}});
}
core::Result<Value> absent(CallContext& context) {
  return absent_unless(!std::get<Vector>(context.arguments[0]).empty(), context);
}
core::Result<Value> absent_over_time(CallContext& context) {
  return absent_unless(!std::get<Matrix>(context.arguments[0]).empty(), context);
}

}  // namespace

std::vector<Function> instant_functions() {
  constexpr auto kScalar = ValueType::scalar;
  constexpr auto kVector = ValueType::vector;
  return {{.name = "abs", .arguments = {kVector}, .evaluate = each<absolute>},
          {.name = "ceil", .arguments = {kVector}, .evaluate = each<ceiling>},
          {.name = "floor", .arguments = {kVector}, .evaluate = each<floored>},
          {.name = "sqrt", .arguments = {kVector}, .evaluate = each<root>},
          {.name = "exp", .arguments = {kVector}, .evaluate = each<exponential>},
          {.name = "ln", .arguments = {kVector}, .evaluate = each<natural_log>},
          {.name = "log2", .arguments = {kVector}, .evaluate = each<binary_log>},
          {.name = "log10", .arguments = {kVector}, .evaluate = each<decimal_log>},
          {.name = "sgn", .arguments = {kVector}, .evaluate = each<sign>},
          {.name = "deg", .arguments = {kVector}, .evaluate = each<degrees>},
          {.name = "rad", .arguments = {kVector}, .evaluate = each<radians>},
          {.name = "round", .arguments = {kVector, kScalar}, .optional = 1, .evaluate = round},
          {.name = "clamp", .arguments = {kVector, kScalar, kScalar}, .evaluate = clamp},
          {.name = "clamp_min", .arguments = {kVector, kScalar}, .evaluate = clamp_min},
          {.name = "clamp_max", .arguments = {kVector, kScalar}, .evaluate = clamp_max},
          {.name = "time", .arguments = {}, .result = kScalar, .evaluate = time},
          {.name = "pi", .arguments = {}, .result = kScalar, .evaluate = pi},
          {.name = "vector", .arguments = {kScalar}, .evaluate = vector},
          {.name = "scalar", .arguments = {kVector}, .result = kScalar, .evaluate = scalar},
          {.name = "timestamp", .arguments = {kVector}, .evaluate = timestamp},
          {.name = "sort", .arguments = {kVector}, .evaluate = sort<false>},
          {.name = "sort_desc", .arguments = {kVector}, .evaluate = sort<true>},
          {.name = "absent", .arguments = {kVector}, .evaluate = absent},
          {.name = "absent_over_time", .arguments = {ValueType::matrix}, .evaluate = absent_over_time}};
}

}  // namespace weir::promql
