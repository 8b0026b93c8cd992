#pragma once

#include <span>
#include <vector>

/// Statistics that some wrong values do not move.
namespace weir::quality::anomaly {

/// Of an empty set: 0. Takes its own copy to reorder.
double median(std::vector<double> values);
/// Linear between the two nearest; of an empty set: 0. `part` from 0 to 1.
double quantile(std::vector<double> values, double part);

/// The robust standard deviation of errors around zero, see assess().
double pooled_scale(std::span<const double> errors);

/// How far off a model is, for the choice between models: the median of |error|, half its 90 % quantile, and half the
/// mean of what is at most `cap`: one hour in a day counts, single outliers do not.
double misfit(std::span<const double> errors, double cap);
/// The cap for models of these errors: the 98 % quantile of |error|.
double misfit_cap(std::span<const double> errors);

struct TrendPoint {
  double x = 0;  // days
  double y = 0;
  int segment = 0;  // only pairs of one segment tell of the slope
};

/// Theil-Sen: the median slope of the pairs, those whole weeks apart where there are enough of them; zero when the
/// 95 % confidence interval (Sen 1968, by Kendall's variance) holds zero. At most the newest 200 points count.
double trend(std::span<const TrendPoint> points);

}  // namespace weir::quality::anomaly
