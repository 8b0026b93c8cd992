#pragma once

#include <cmath>

namespace weir::promql {

/// Kahan's compensated sum in Neumaier's form, and the mean of what was added.
class Sum {
 public:
  void add(double value) { add(total_, lost_, value); }
  double value() const { return total_ + lost_; }

  /// For a mean that overflows on the way though it is finite: call with each value after add(). `count` includes it.
  void add_to_mean(double value, double count) {
    if (!stepwise_ && std::isfinite(total_)) return;
    if (!stepwise_) {
      stepwise_ = count > 1;
      mean_ = count > 1 ? before_ / (count - 1) : value;
      if (count <= 1) return;
    }
    if (std::isinf(mean_) && (std::isinf(value) ? (mean_ > 0) == (value > 0) : !std::isnan(value))) return;
    mean_ += value / count - mean_ / count;
  }
  double mean(double count) const { return stepwise_ ? mean_ : value() / count; }

 private:
  void add(double& total, double& lost, double value) {
    before_ = total + lost;
    const double next = total + value;
    if (std::isinf(next)) {
      lost = 0;
    } else if (std::abs(total) >= std::abs(value)) {
      lost += (total - next) + value;
    } else {
      lost += (value - next) + total;
    }
    total = next;
  }

  double total_ = 0;
  double lost_ = 0;
  double before_ = 0;  // the sum before the last value
  double mean_ = 0;
  bool stepwise_ = false;
};

}  // namespace weir::promql
