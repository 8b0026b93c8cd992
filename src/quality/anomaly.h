#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/measurement.h"
#include "core/time.h"
#include "quality/anomaly_season.h"

/// Tells a measurement that does not fit its history from one that does. Pure and deterministic: no clock, no
/// random numbers, no state but the marks in the history.
namespace weir::quality::anomaly {

/// One measurement of the history.
struct Point {
  core::Time time;
  double value = 0;
  core::Mark mark = core::Mark::none;              // what was found when it was taken
  core::Feedback feedback = core::Feedback::none;  // what a person said of it later
};

enum class State {
  learning,     // too little history to judge
  normal,       // inside the expected range
  anomalous,    // outside
  recovered,    // inside, and the one before was outside
  level_shift,  // outside like those before it, and so alike that this is the new level: said once, then learned
  unknown,      // no number that can be judged
};
std::string_view to_string(State state);

/// Whether the series can go out of range upwards, downwards or both.
enum class Direction { both, up, down };

/// Whole days in the zone of the settings, both ends included, as days since 1970.
struct DayRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

struct Settings {
  double sensitivity = 4.5;          // half the expected range, in robust standard deviations of daily measurements
  double min_change = 0.001;         // half the expected range is at least that part of the expected value
  double min_change_absolute = 0;    // and at least that much
  std::size_t learning_days = 21;    // days with measurements before the first judgement
  std::size_t learning_points = 14;  // and measurements, where they come less often than daily
  core::Duration window = std::chrono::days(180);  // how far back it learns
  std::size_t max_points = 2000;                   // and of how many measurements
  std::size_t shift_points = 5;                    // consistent measurements outside that are a new level
  Season season = Season::automatic;
  bool calendar = true;           // first and last day of a month may be special
  std::vector<DayRange> exclude;  // neither learned from nor alarmed about
  Zone zone;
  Direction direction = Direction::both;
  std::optional<double> lower_bound;  // no value can be under it: 0 for counts
  std::optional<double> upper_bound;  // 100 for percentages
  std::string unit;                   // follows the number in the sentence: "rows"
};

/// How far the learning is: "learning, 12 of 21 days".
struct Progress {
  std::size_t have = 0;
  std::size_t wanted = 0;
  std::string_view unit = "days";
};

struct Assessment {
  State state = State::unknown;
  double expected = 0;  // with low and high: meaningless while learning or unknown
  double low = 0;
  double high = 0;
  double score = 0;  // signed, in robust standard deviations; outside when over `threshold`. At most ±1000
  double threshold = 0;
  Progress progress;
  std::string sentence;  // "4,210 rows, expected 7,900–9,300 for a Monday"

  bool judged() const { return state != State::learning && state != State::unknown; }
  /// What to keep with the measurement, so that it counts for the later ones.
  core::Mark mark = core::Mark::none;
};

/// Judges `point` by what came before it. Entries of the history at or after the point's time are not looked at, so
/// a point is never in its own baseline; their order and doubles of a time (the last counts) do not matter.
///
/// The model, in a scale where the noise does not grow with the level (y = v, √v or log v, see anomaly_baseline.h):
///
///     y(t) = level(t) + slope · t + season(slot(t)) + calendar(t) + noise
///
/// - season: medians of the slots (minute of the hour, hour of the day, day of the week, both, or hour of the week in
///   the settings' time zone). Which, is decided by the leave-one-out error: one with more slots must be 5 % better.
/// - slope: Theil-Sen (Sen 1968), the median of the slopes of all pairs of daily medians whole weeks apart; zero when
///   its 95 % confidence interval holds zero.
/// - level: constant, or a robust exponential smoothing with the gain that foresaw the history best (a gain of 1 is a
///   random walk, as the row count of a table that is only added to).
/// - scale: of the errors the model would have made one step ahead, pooled over all slots: the largest of
///   1.4826 · MAD, and from 30, 60, 300 on Q90 / 1.645, Q95 / 1.960, Q99 / 2.576 of their absolute values. All are the
///   standard deviation of a normal distribution; of heavy tails the later ones are larger, and so is the range.
/// - calendar: the median error on first (or last) days of earlier months, when it stands out in all of them.
///
/// Outside means |error| > sensitivity · scale · √(ln(10 n) / ln 300), n the measurements in 30 days: the largest of
/// n normal errors grows like √(ln n), so a threshold for daily values would be false alarms every day for hourly.
///
/// After an anomalous one the side of the range it was on is 0.6 as wide: what is only just inside has not recovered.
///
/// What was found anomalous, what a person called wrong and excluded days train nothing; what a person called fine
/// does. `shift_points` consecutive ones outside on one side that agree with each other are a level shift: their median
/// is the new level, season, slope and scale stay. A stop (all zero, where zero never was) is no new level. When the
/// old level comes back soon, that is a recovery.
///
/// Costs: O(n log n) of at most `max_points`, and at most 200²/2 pairs for the slope.
Assessment assess(const std::vector<Point>& history, const Point& point, const Settings& settings);

}  // namespace weir::quality::anomaly
