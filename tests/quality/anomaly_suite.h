#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quality/anomaly.h"

/// Made series with known incidents, and what detectors find in them. The numbers come from SplitMix64 and Box-Muller,
/// so they are the same with every compiler and library.
namespace weir::quality::anomaly::suite {

enum class Scenario {
  gaussian,      // weekly season, normal noise of 3 to 8 %
  heavy_tails,   // weekly season, Student's t with 3 degrees of freedom
  small,         // as gaussian, with incidents of ×0.75 and ×1.3
  no_season,     // normal noise of 5 to 10 %
  level_shift,   // as gaussian, with one legitimate shift of ×0.5 to ×2
  month_end,     // ×1.5 to ×3 on the last day of each month, in half of them also on the first
  trend,         // weekly season and growth of up to 1 % a day
  hourly,        // hours of the day and weekdays, weekends of another shape, normal noise
  hourly_shift,  // the same with a legitimate shift
  hourly_heavy,  // the same with Student's t with 4 degrees of freedom
};
std::string to_string(Scenario scenario);
std::vector<Scenario> scenarios();

/// Which half of the seeds: detectors are tuned by one, and reported by the other.
enum class Half : std::uint64_t { tuning = 1, reported = 2 };

struct Truth {
  core::Time time;
  double value = 0;
  double factor = 1;     // of the incident the point belongs to, 1 for none
  int incident = -1;     // its number in the series
  bool shifted = false;  // at or after the legitimate shift
};

struct Series {
  Scenario scenario{};
  std::size_t number = 0;
  std::vector<Truth> points;
  std::size_t incidents = 0;
  std::size_t first_judged = 0;  // all before it is free of incidents and only to learn from
  double days_judged = 0;
};

Series make(Scenario scenario, Half half, std::size_t number);
bool is_hourly(Scenario scenario);
/// How many series of a scenario are reported: 20 of daily measurements, 3 of hourly ones.
std::size_t series_of(Scenario scenario);

/// As a check of row counts sets the detector; all else by default.
Settings row_counts();

struct Alarmed {
  std::vector<bool> points;             // one for each point
  std::vector<Assessment> assessments;  // of Weir only
};
/// Point by point, each judged by those before it and the marks they were given.
Alarmed weir(const Series& series, const Settings& settings);
/// Elementary: (value − avg) / stddev over the buckets of the training period, which includes the one judged; over 3.
Alarmed elementary(const Series& series, int training_days);
/// re_data: 0.6745 · (value − median) / MAD (or (value − median) / 1.253314 · mean absolute deviation when that is 0)
/// over the last 30 days, which include the one judged; over 3.5.
Alarmed re_data(const Series& series);

struct Score {
  std::size_t series = 0;
  double months = 0;                        // of 30 days, over all series
  std::size_t incidents = 0, detected = 0;  // of 50 % or more
  std::size_t points = 0, points_detected = 0;
  std::size_t small = 0, small_detected = 0;
  std::size_t false_alarms = 0;                                   // runs of alarms outside of incidents
  std::size_t shifts = 0, after_shift = 0, most_after_shift = 0;  // false alarms at and after the legitimate shift

  void add(const Score& other);
  double recall() const;
  double precision() const;  // detected incidents, the small ones too, of all alarms
  double false_alarms_a_month() const;
};
Score score(const Series& series, const Alarmed& alarmed);

}  // namespace weir::quality::anomaly::suite
