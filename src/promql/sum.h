#pragma once

#include <cmath>

namespace weir::promql {

/// Kahan's compensated addition in Neumaier's form: the sum is total + lost.
inline void add_compensated(double& total, double& lost, double value) {
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

class Sum {
 public:
  void add(double value) { add_compensated(total_, lost_, value); }
  double value() const { return total_ + lost_; }

 private:
  double total_ = 0;
  double lost_ = 0;
};

/// The mean; step by step from where the sum would overflow though the mean is finite.
class Mean {
 public:
  void add(double value) {
    ++count_;
    if (stepwise_) return step(value);
    const double before = total_ + lost_;
    add_compensated(total_, lost_, value);
    if (count_ == 1 || std::isfinite(total_)) return;
    stepwise_ = true;
    mean_ = before / (count_ - 1);
    step(value);
  }
  double count() const { return count_; }
  double value() const { return stepwise_ ? mean_ : (total_ + lost_) / count_; }

 private:
  void step(double value) {
    const bool stays = std::isinf(mean_) && (std::isinf(value) ? (mean_ > 0) == (value > 0) : !std::isnan(value));
    if (!stays) mean_ += value / count_ - mean_ / count_;
  }

  double total_ = 0;
  double lost_ = 0;
  double count_ = 0;
  double mean_ = 0;
  bool stepwise_ = false;
};

}  // namespace weir::promql
