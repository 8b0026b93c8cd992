#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "promql/aggregate.h"
#include "promql/function_groups.h"
#include "promql/sum.h"

namespace weir::promql {
namespace {

using Points = std::span<const core::Point>;
using Reduced = std::optional<double>;

double seconds(core::Duration duration) { return static_cast<double>(duration.count()) / 1000; }

/// Prometheus's extrapolation of rate, increase and delta: the change between the first and last sample,
/// extended to the edges of the range where samples come close to them, and never below a counter's zero.
template <bool Counter, bool PerSecond>
Reduced extrapolated(const Window& window, Scalars) {
  const Points points = window.points;
  if (points.size() < 2) return std::nullopt;
  double change = points.back().value - points.front().value;
  if (Counter) {
    for (std::size_t i = 1; i < points.size(); ++i) {
      if (points[i].value < points[i - 1].value) change += points[i - 1].value;
    }
  }
  double to_start = seconds(points.front().time - window.start);
  double to_end = seconds(window.end - points.back().time);
  const double sampled = seconds(points.back().time - points.front().time);
  const double average = sampled / static_cast<double>(points.size() - 1);
  const double threshold = average * 1.1;
  if (to_start >= threshold) to_start = average / 2;
  if (Counter && change > 0 && points.front().value >= 0) {
    to_start = std::min(to_start, sampled * (points.front().value / change));
  }
  if (to_end >= threshold) to_end = average / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (PerSecond) factor /= seconds(window.end - window.start);
  return change * factor;
}

template <bool Rate>
Reduced of_last_two(const Window& window, Scalars) {
  const Points points = window.points;
  if (points.size() < 2) return std::nullopt;
  const core::Point& last = points.back();
  const core::Point& before = points[points.size() - 2];
  const double change = Rate && last.value < before.value ? last.value : last.value - before.value;
  return Rate ? change / seconds(last.time - before.time) : change;
}

struct Line {
  double slope = 0;
  double intercept = 0;  // at the time asked for
};

/// Least squares, with `at` as the origin of time.
Line regression(Points points, core::Time at) {
  const double first = points.front().value;
  if (std::ranges::all_of(points, [&](const core::Point& point) { return point.value == first; })) {
    if (std::isinf(first)) return {std::nan(""), std::nan("")};
    return {0, first};
  }
  Sum x_sum;
  Sum y_sum;
  Sum xy_sum;
  Sum xx_sum;
  for (const core::Point& point : points) {
    const double x = seconds(point.time - at);
    x_sum.add(x);
    y_sum.add(point.value);
    xy_sum.add(x * point.value);
    xx_sum.add(x * x);
  }
  const auto n = static_cast<double>(points.size());
  const double x = x_sum.value();
  const double y = y_sum.value();
  const double slope = (xy_sum.value() - x * y / n) / (xx_sum.value() - x * x / n);
  return {slope, y / n - slope * x / n};
}

Reduced deriv(const Window& window, Scalars) {
  if (window.points.size() < 2) return std::nullopt;
  return regression(window.points, window.points.front().time).slope;
}

Reduced predict_linear(const Window& window, Scalars scalars) {
  if (window.points.size() < 2) return std::nullopt;
  const Line line = regression(window.points, window.at);
  return line.slope * scalars[0] + line.intercept;
}

/// Holt's linear method, as Prometheus's double_exponential_smoothing (formerly holt_winters).
Reduced double_exponential_smoothing(const Window& window, Scalars scalars) {
  const Points points = window.points;
  if (points.size() < 2) return std::nullopt;
  const double smoothing = scalars[0];
  const double trend_factor = scalars[1];
  double before = 0;
  double level = points[0].value;
  double trend = points[1].value - points[0].value;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (i > 1) trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
    before = level;
    level = smoothing * points[i].value + (1 - smoothing) * (level + trend);
  }
  return level;
}

core::Result<void> check_smoothing(Scalars scalars) {
  if (!(scalars[0] > 0 && scalars[0] < 1))
    return core::fail(core::ErrorKind::invalid,
                      fmt::format("invalid smoothing factor. Expected: 0 < sf < 1, got: {:f}", scalars[0]));
  if (!(scalars[1] > 0 && scalars[1] < 1))
    return core::fail(core::ErrorKind::invalid,
                      fmt::format("invalid trend factor. Expected: 0 < tf < 1, got: {:f}", scalars[1]));
  return {};
}

template <double (*Fold)(Points)>
Reduced fold(const Window& window, Scalars) {
  return Fold(window.points);
}

double sum(Points points) {
  Sum total;
  for (const core::Point& point : points) total.add(point.value);
  return total.value();
}

double average(Points points) {
  Mean mean;
  for (const core::Point& point : points) mean.add(point.value);
  return mean.value();
}

template <bool Greatest>
double extreme(Points points) {
  double best = points.front().value;
  for (const core::Point& point : points) {
    if ((Greatest ? point.value > best : point.value < best) || std::isnan(best)) best = point.value;
  }
  return best;
}

/// When the newest sample was taken that is the least or greatest of the window; NaN is neither while there are others.
template <bool Greatest>
Reduced time_of_extreme(const Window& window, Scalars) {
  const core::Point* best = &window.points.front();
  for (const core::Point& point : window.points.subspan(1)) {
    const bool better = Greatest ? point.value >= best->value : point.value <= best->value;
    if (better || std::isnan(best->value)) best = &point;
  }
  return core::to_seconds(best->time);
}

Reduced time_of_first(const Window& window, Scalars) { return core::to_seconds(window.points.front().time); }
Reduced time_of_last(const Window& window, Scalars) { return core::to_seconds(window.points.back().time); }

/// Welford's method.
double variance(Points points) {
  double count = 0;
  Sum mean;
  Sum squares;
  for (const core::Point& point : points) {
    const double change = point.value - mean.value();
    mean.add(change / ++count);
    squares.add(change * (point.value - mean.value()));
  }
  return squares.value() / count;
}

double deviation(Points points) { return std::sqrt(variance(points)); }
double count(Points points) { return static_cast<double>(points.size()); }
double present(Points) { return 1; }
double first(Points points) { return points.front().value; }
double last(Points points) { return points.back().value; }

double changes(Points points) {
  double found = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const bool both_nan = std::isnan(points[i].value) && std::isnan(points[i - 1].value);
    if (points[i].value != points[i - 1].value && !both_nan) ++found;
  }
  return found;
}

double resets(Points points) {
  double found = 0;
  for (std::size_t i = 1; i < points.size(); ++i) found += points[i].value < points[i - 1].value ? 1 : 0;
  return found;
}

std::vector<double> values_of(Points points) {
  std::vector<double> values;
  values.reserve(points.size());
  for (const core::Point& point : points) values.push_back(point.value);
  return values;
}

Reduced quantile_over_time(const Window& window, Scalars scalars) {
  return quantile(scalars[0], values_of(window.points));
}

/// The median absolute deviation from the median.
double median_deviation(Points points) {
  std::vector<double> values = values_of(points);
  const double median = quantile(0.5, values);
  for (double& value : values) value = std::abs(value - median);
  return quantile(0.5, std::move(values));
}

}  // namespace

std::vector<Function> range_functions() {
  using enum ValueType;
  return {{.name = "rate", .arguments = {matrix}, .over_window = extrapolated<true, true>},
          {.name = "increase", .arguments = {matrix}, .over_window = extrapolated<true, false>},
          {.name = "delta", .arguments = {matrix}, .over_window = extrapolated<false, false>},
          {.name = "irate", .arguments = {matrix}, .over_window = of_last_two<true>},
          {.name = "idelta", .arguments = {matrix}, .over_window = of_last_two<false>},
          {.name = "deriv", .arguments = {matrix}, .over_window = deriv},
          {.name = "predict_linear", .arguments = {matrix, scalar}, .over_window = predict_linear},
          {.name = "double_exponential_smoothing",
           .arguments = {matrix, scalar, scalar},
           .over_window = double_exponential_smoothing,
           .check = check_smoothing},
          {.name = "avg_over_time", .arguments = {matrix}, .over_window = fold<average>},
          {.name = "sum_over_time", .arguments = {matrix}, .over_window = fold<sum>},
          {.name = "count_over_time", .arguments = {matrix}, .over_window = fold<count>},
          {.name = "min_over_time", .arguments = {matrix}, .over_window = fold<extreme<false>>},
          {.name = "max_over_time", .arguments = {matrix}, .over_window = fold<extreme<true>>},
          {.name = "stddev_over_time", .arguments = {matrix}, .over_window = fold<deviation>},
          {.name = "stdvar_over_time", .arguments = {matrix}, .over_window = fold<variance>},
          {.name = "mad_over_time", .arguments = {matrix}, .over_window = fold<median_deviation>},
          {.name = "present_over_time", .arguments = {matrix}, .over_window = fold<present>},
          {.name = "changes", .arguments = {matrix}, .over_window = fold<changes>},
          {.name = "resets", .arguments = {matrix}, .over_window = fold<resets>},
          {.name = "first_over_time", .arguments = {matrix}, .over_window = fold<first>, .keeps_name = true},
          {.name = "last_over_time", .arguments = {matrix}, .over_window = fold<last>, .keeps_name = true},
          {.name = "ts_of_first_over_time", .arguments = {matrix}, .over_window = time_of_first},
          {.name = "ts_of_last_over_time", .arguments = {matrix}, .over_window = time_of_last},
          {.name = "ts_of_min_over_time", .arguments = {matrix}, .over_window = time_of_extreme<false>},
          {.name = "ts_of_max_over_time", .arguments = {matrix}, .over_window = time_of_extreme<true>},
          {.name = "quantile_over_time", .arguments = {scalar, matrix}, .over_window = quantile_over_time}};
}

}  // namespace weir::promql
