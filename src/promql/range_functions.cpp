#include <algorithm>
#include <cmath>
#include <optional>

#include "promql/aggregate.h"
#include "promql/function_groups.h"

namespace weir::promql {
namespace {

using Points = std::vector<core::Point>;

double seconds(core::Duration duration) { return core::to_seconds(duration); }

/// Applies `fold` to each series of argument `index`; series for which it gives nothing are left out.
template <class Fold>
Value over_series(CallContext& context, std::size_t index, Fold fold, bool keep_name = false) {
  Vector result;
  for (const core::SeriesView& series : std::get<Matrix>(context.arguments[index])) {
    if (series.points.empty()) continue;
    const std::optional<double> value = fold(series.points);
    if (!value) continue;
    result.push_back({keep_name ? series.labels : series.labels.without(core::kMetricName), context.at, *value});
  }
  return result;
}

/// Prometheus's extrapolation of rate, increase and delta: the change between the first and last sample,
/// extended to the edges of the range where samples come close to them, and never below a counter's zero.
std::optional<double> extrapolate(const CallContext& context, const Points& points, bool counter, bool per_second) {
  if (points.size() < 2) return std::nullopt;
  double change = points.back().value - points.front().value;
  if (counter) {
    for (std::size_t i = 1; i < points.size(); ++i) {
      if (points[i].value < points[i - 1].value) change += points[i - 1].value;
    }
  }
  double to_start = seconds(points.front().time - context.range_start);
  double to_end = seconds(context.range_end - points.back().time);
  const double sampled = seconds(points.back().time - points.front().time);
  const double average = sampled / static_cast<double>(points.size() - 1);
  const double threshold = average * 1.1;
  if (to_start >= threshold) to_start = average / 2;
  if (counter && change > 0 && points.front().value >= 0) {
    to_start = std::min(to_start, sampled * (points.front().value / change));
  }
  if (to_end >= threshold) to_end = average / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (per_second) factor /= seconds(context.range_end - context.range_start);
  return change * factor;
}

core::Result<Value> rate(CallContext& context) {
  return over_series(context, 0, [&](const Points& points) { return extrapolate(context, points, true, true); });
}
core::Result<Value> increase(CallContext& context) {
  return over_series(context, 0, [&](const Points& points) { return extrapolate(context, points, true, false); });
}
core::Result<Value> delta(CallContext& context) {
  return over_series(context, 0, [&](const Points& points) { return extrapolate(context, points, false, false); });
}

std::optional<double> last_two(const Points& points, bool counter, bool per_second) {
  if (points.size() < 2) return std::nullopt;
  const core::Point& last = points.back();
  const core::Point& before = points[points.size() - 2];
  const double change = counter && last.value < before.value ? last.value : last.value - before.value;
  const double span = seconds(last.time - before.time);
  if (span == 0) return std::nullopt;
  return per_second ? change / span : change;
}
core::Result<Value> irate(CallContext& context) {
  return over_series(context, 0, [](const Points& points) { return last_two(points, true, true); });
}
core::Result<Value> idelta(CallContext& context) {
  return over_series(context, 0, [](const Points& points) { return last_two(points, false, false); });
}

struct Line {
  double slope = 0;
  double intercept = 0;  // at the time asked for
};

/// Least squares, with `at` as the origin of time.
Line regression(const Points& points, core::Time at) {
  double n = 0;
  double sum_x = 0;
  double sum_y = 0;
  double sum_xy = 0;
  double sum_xx = 0;
  const bool constant =
      std::ranges::all_of(points, [&](const core::Point& p) { return p.value == points.front().value; });
  if (constant && std::isfinite(points.front().value)) return {0, points.front().value};
  for (const core::Point& point : points) {
    const double x = seconds(point.time - at);
    ++n;
    sum_x += x;
    sum_y += point.value;
    sum_xy += x * point.value;
    sum_xx += x * x;
  }
  const double covariance = sum_xy - sum_x * sum_y / n;
  const double variance = sum_xx - sum_x * sum_x / n;
  const double slope = covariance / variance;
  return {slope, sum_y / n - slope * sum_x / n};
}

core::Result<Value> deriv(CallContext& context) {
  return over_series(context, 0, [](const Points& points) -> std::optional<double> {
    if (points.size() < 2) return std::nullopt;
    return regression(points, points.front().time).slope;
  });
}
core::Result<Value> predict_linear(CallContext& context) {
  const double ahead = std::get<Scalar>(context.arguments[1]).value;
  return over_series(context, 0, [&](const Points& points) -> std::optional<double> {
    if (points.size() < 2) return std::nullopt;
    const Line line = regression(points, context.at);
    return line.slope * ahead + line.intercept;
  });
}

double sum(const Points& points) {
  double total = 0;
  double lost = 0;
  for (const core::Point& point : points) {
    const double next = total + point.value;
    if (!std::isinf(next))
      lost += std::abs(total) >= std::abs(point.value) ? (total - next) + point.value : (point.value - next) + total;
    total = next;
  }
  return std::isinf(total) ? total : total + lost;
}

double extreme(const Points& points, bool greatest) {
  double best = points.front().value;
  for (const core::Point& point : points) {
    if ((greatest ? point.value > best : point.value < best) || std::isnan(best)) best = point.value;
  }
  return best;
}

double variance(const Points& points) {
  double count = 0;
  double mean = 0;
  double squares = 0;
  for (const core::Point& point : points) {
    ++count;
    const double change = point.value - mean;
    mean += change / count;
    squares += change * (point.value - mean);
  }
  return squares / count;
}

template <double (*Fold)(const Points&)>
core::Result<Value> fold(CallContext& context) {
  return over_series(context, 0, [](const Points& points) { return std::optional(Fold(points)); });
}

double average(const Points& points) { return sum(points) / static_cast<double>(points.size()); }
double count(const Points& points) { return static_cast<double>(points.size()); }
double least(const Points& points) { return extreme(points, false); }
double greatest(const Points& points) { return extreme(points, true); }
double deviation(const Points& points) { return std::sqrt(variance(points)); }
double present(const Points&) { return 1; }
double changes(const Points& points) {
  double found = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const bool both_nan = std::isnan(points[i].value) && std::isnan(points[i - 1].value);
    if (points[i].value != points[i - 1].value && !both_nan) ++found;
  }
  return found;
}
double resets(const Points& points) {
  double found = 0;
  for (std::size_t i = 1; i < points.size(); ++i) found += points[i].value < points[i - 1].value ? 1 : 0;
  return found;
}

core::Result<Value> last_over_time(CallContext& context) {
  return over_series(
      context, 0, [](const Points& points) { return std::optional(points.back().value); }, true);
}
core::Result<Value> quantile_over_time(CallContext& context) {
  const double phi = std::get<Scalar>(context.arguments[0]).value;
  return over_series(context, 1, [&](const Points& points) {
    std::vector<double> values;
    for (const core::Point& point : points) values.push_back(point.value);
    return std::optional(quantile(phi, std::move(values)));
  });
}

}  // namespace

std::vector<Function> range_functions() {
  using enum ValueType;
  return {{.name = "rate", .arguments = {matrix}, .evaluate = rate},
          {.name = "increase", .arguments = {matrix}, .evaluate = increase},
          {.name = "delta", .arguments = {matrix}, .evaluate = delta},
          {.name = "irate", .arguments = {matrix}, .evaluate = irate},
          {.name = "idelta", .arguments = {matrix}, .evaluate = idelta},
          {.name = "deriv", .arguments = {matrix}, .evaluate = deriv},
          {.name = "predict_linear", .arguments = {matrix, scalar}, .evaluate = predict_linear},
          {.name = "avg_over_time", .arguments = {matrix}, .evaluate = fold<average>},
          {.name = "sum_over_time", .arguments = {matrix}, .evaluate = fold<sum>},
          {.name = "count_over_time", .arguments = {matrix}, .evaluate = fold<count>},
          {.name = "min_over_time", .arguments = {matrix}, .evaluate = fold<least>},
          {.name = "max_over_time", .arguments = {matrix}, .evaluate = fold<greatest>},
          {.name = "stddev_over_time", .arguments = {matrix}, .evaluate = fold<deviation>},
          {.name = "stdvar_over_time", .arguments = {matrix}, .evaluate = fold<variance>},
          {.name = "present_over_time", .arguments = {matrix}, .evaluate = fold<present>},
          {.name = "changes", .arguments = {matrix}, .evaluate = fold<changes>},
          {.name = "resets", .arguments = {matrix}, .evaluate = fold<resets>},
          {.name = "last_over_time", .arguments = {matrix}, .evaluate = last_over_time},
          {.name = "quantile_over_time", .arguments = {scalar, matrix}, .evaluate = quantile_over_time}};
}

}  // namespace weir::promql
