#include "quality/anomaly_trend.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace weir::quality::anomaly {
namespace {

constexpr std::size_t kMaxPoints = 200;
constexpr std::size_t kFewPairs = 20;

std::vector<double> slopes(std::span<const TrendPoint> points, bool whole_weeks) {
  std::vector<double> found;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const double days = points[j].x - points[i].x;
      if (points[i].segment != points[j].segment || days <= 0) continue;
      if (whole_weeks && std::llround(days) % 7 != 0) continue;
      found.push_back((points[j].y - points[i].y) / days);
    }
  }
  return found;
}

std::vector<double> magnitudes(std::span<const double> errors) {
  std::vector<double> result;
  result.reserve(errors.size());
  for (const double error : errors) result.push_back(std::abs(error));
  return result;
}

/// As quantile(), of values the caller does not need in order any more.
double quantile_of(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  const double place = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(place);
  const auto at = values.begin() + below;
  std::nth_element(values.begin(), at, values.end());
  const double low = *at;
  const double rest = place - static_cast<double>(below);
  if (rest <= 0 || at + 1 == values.end()) return low;
  return low + rest * (*std::min_element(at + 1, values.end()) - low);
}

}  // namespace

double quantile(std::vector<double> values, double part) { return quantile_of(values, part); }
double median(std::vector<double> values) { return quantile_of(values, 0.5); }

double pooled_scale(std::span<const double> errors) {
  std::vector<double> sizes = magnitudes(errors);
  const std::size_t n = sizes.size();
  double scale = 1.4826 * quantile_of(sizes, 0.5);
  // A tail is more than three values: two outliers must not make one.
  if (n >= 30) scale = std::max(scale, quantile_of(sizes, 0.90) / 1.645);
  if (n >= 60) scale = std::max(scale, quantile_of(sizes, 0.95) / 1.960);
  if (n >= 300) scale = std::max(scale, quantile_of(sizes, 0.99) / 2.576);
  return scale;
}

double misfit(std::span<const double> errors, double cap) {
  std::vector<double> sizes = magnitudes(errors);
  double sum = 0;
  for (const double size : sizes) sum += std::min(size, cap);
  const double mean = sizes.empty() ? 0 : sum / static_cast<double>(sizes.size());
  return quantile_of(sizes, 0.5) + 0.5 * quantile_of(sizes, 0.9) + 0.5 * mean;
}

double misfit_cap(std::span<const double> errors) { return quantile(magnitudes(errors), 0.98); }

double trend(std::span<const TrendPoint> points) {
  if (points.size() > kMaxPoints) points = points.subspan(points.size() - kMaxPoints);
  if (points.size() < 8) return 0;
  std::vector<double> found = slopes(points, true);
  if (found.size() < kFewPairs) found = slopes(points, false);
  if (found.size() < kFewPairs) return 0;
  const auto n = static_cast<double>(points.size());
  const double spread = 1.96 * std::sqrt(n * (n - 1) * (2 * n + 5) / 18) / (n * (n - 1) / 2);
  if (quantile(found, 0.5 - spread / 2) <= 0 && quantile(found, 0.5 + spread / 2) >= 0) return 0;
  return median(std::move(found));
}

}  // namespace weir::quality::anomaly
