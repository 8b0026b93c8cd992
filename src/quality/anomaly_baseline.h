#pragma once

#include <cstddef>
#include <vector>

#include "quality/anomaly_season.h"
#include "quality/anomaly_state.h"

namespace weir::quality::anomaly {

/// The scale in which noise does not grow with the level: of those that the values allow (log at most 5 % zeros,
/// √ none negative) the one with the largest profile likelihood, −ln σ + mean ln dy/dv (Box and Cox 1964), σ trimmed.
enum class Transform { identity, root, logarithm };

class Scale {
 public:
  Scale() = default;
  Scale(Transform transform, double smallest) : transform_(transform), smallest_(smallest) {}
  double forward(double value) const;
  double backward(double y) const;
  Transform transform() const { return transform_; }

 private:
  Transform transform_ = Transform::identity;
  double smallest_ = 1;  // positive value, for log: what is far below is shown as a thousandth of it
};

/// A prediction in the transformed scale.
struct Forecast {
  double y = 0;
  double up = 0;  // half widths of the expected range
  double down = 0;
  bool calendar = false;  // the day of the month has its own
};

/// What the training samples say about any time.
class Baseline {
 public:
  /// Of a past that is learned.
  Baseline(const Past& past, const Settings& settings);

  /// `threshold` as assess() has it, in scales.
  Forecast forecast(double days, const Stamp& stamp, double threshold) const;
  /// The same, had the last level shift not been; only with Past::since_shift.
  Forecast forecast_before_shift(double days, const Stamp& stamp, double threshold) const;
  const Scale& scale() const { return scale_; }
  double spread() const { return spread_; }
  /// How far the last `count` samples were from what was expected.
  std::vector<double> last_errors(std::size_t count) const;
  const Slots& season() const { return season_.slots(); }
  bool whole_numbers() const { return whole_numbers_; }
  bool has_zero() const { return has_zero_; }

 private:
  struct Walk {
    std::vector<double> errors;    // of all samples
    std::vector<double> training;  // of those that tell of the scale
    double level = 0;
    double before_shift = 0;
    std::size_t support = 0;  // samples that the level rests on
  };
  struct Calendar {
    std::size_t months = 0;
    double effect = 0;
    double spread = 0;
    bool special = false;
  };

  void choose_scale(const Settings& settings);
  void fit_season(const Settings& settings);
  void set_levels();
  void set_slope();
  void fit_level();
  void fit_calendar();
  bool in_incident(std::size_t place) const;
  std::vector<double> detrended() const;
  Walk walk(double gain) const;
  double effect(double days, const Stamp& stamp) const;
  Forecast around(double y, const Stamp& stamp, double threshold) const;
  const Calendar& calendar(MonthDay day) const { return calendar_[day == MonthDay::last ? 1 : 0]; }

  const std::vector<Sample>& samples_;
  core::Duration interval_;
  std::vector<std::size_t> training_;  // places in samples_
  std::vector<Stamp> stamps_;          // of training_
  std::vector<double> y_;              // of samples_
  std::vector<double> levels_;         // by segment
  Scale scale_;
  SeasonFit season_;
  double slope_ = 0;
  double gain_ = 0;
  double spread_ = 0;
  double spread_without_season_ = 0;
  double highest_ = 0, lowest_ = 0;  // training errors
  bool whole_numbers_ = false;
  bool has_zero_ = false;
  bool calendar_on_ = false;
  Calendar calendar_[2];
  Walk walk_;
};

}  // namespace weir::quality::anomaly
