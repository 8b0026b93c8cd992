#pragma once

#include <cstddef>
#include <vector>

#include "core/time.h"
#include "quality/anomaly.h"

namespace weir::quality::anomaly {

/// A measurement of the past as the baseline takes it.
struct Sample {
  double days = 0;  // since the first
  double value = 0;
  Stamp stamp;
  bool trains = true;
  int segment = 0;  // of one level; a level shift begins a new one, a level that came back its old one
};

/// What assess() learns from: the past of a point, in order, without what cannot be learned from.
struct Past {
  std::vector<Sample> samples;
  core::Time origin;          // of `days`
  core::Duration interval{};  // between measurements, the median; 0 with fewer than two
  Progress progress;          // of the learning
  bool learned = false;
  std::size_t run = 0;          // how many of the last samples were anomalous
  std::size_t since_shift = 0;  // samples of the last level, when it came by a shift; else 0
};

/// Orders, drops doubles, what is not finite, excluded days, what a person called wrong, what is too old; reads the
/// marks: the anomalous train nothing, but those that ended in a level shift are the first of the new level.
Past prepare(const std::vector<Point>& history, const Point& point, const Settings& settings);

/// Whether the day is one of those that do not count.
bool excluded(const Stamp& stamp, const Settings& settings);

/// Whether a value can be reckoned with at all.
bool usable(double value);

/// Whether these errors, all outside the expected range, agree on a new level: on one side, and no farther apart than
/// 5 scales or 30 % of their median.
bool consistent(const std::vector<double>& errors, double scale);

}  // namespace weir::quality::anomaly
