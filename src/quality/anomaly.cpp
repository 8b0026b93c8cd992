#include "quality/anomaly.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "quality/anomaly_baseline.h"
#include "quality/anomaly_state.h"

namespace weir::quality::anomaly {
namespace {

constexpr double kMostScore = 1000;
constexpr double kWellInside = 0.6;  // of the range, to count as recovered

struct Range {
  double expected = 0;
  double low = 0;
  double high = 0;
};

/// The expected range in the metric's own unit, widened to the least change that counts.
Range range_of(const Forecast& forecast, const Baseline& baseline, const Settings& settings) {
  const auto bounded = [&](double value) {
    if (settings.lower_bound) value = std::max(value, *settings.lower_bound);
    if (settings.upper_bound) value = std::min(value, *settings.upper_bound);
    return value;
  };
  Range range;
  range.expected = bounded(baseline.scale().backward(forecast.y));
  double least = std::max(settings.min_change * std::abs(range.expected), settings.min_change_absolute);
  if (baseline.whole_numbers()) least = std::max(least, 1.0);
  range.low = bounded(std::min(baseline.scale().backward(forecast.y - forecast.down), range.expected - least));
  range.high = bounded(std::max(baseline.scale().backward(forecast.y + forecast.up), range.expected + least));
  return range;
}

bool outside(double value, const Range& range, Direction direction) {
  return (value > range.high && direction != Direction::down) || (value < range.low && direction != Direction::up);
}

/// In scales: the threshold is at the end of the range.
double score_of(double value, const Range& range, const Baseline& baseline, double threshold) {
  const Scale& scale = baseline.scale();
  const double off = scale.forward(value) - scale.forward(range.expected);
  const double half = std::abs(scale.forward(off > 0 ? range.high : range.low) - scale.forward(range.expected));
  if (off == 0) return 0;
  if (half <= 0) return std::copysign(kMostScore, off);
  return std::clamp(threshold * off / half, -kMostScore, kMostScore);
}

double threshold_of(const Past& past, const Settings& settings) {
  const double interval = std::max(core::to_seconds(past.interval), 60.0);
  const double monthly = std::clamp(30 * 86400.0 / interval, 1.0, 43200.0);
  const double by_rate = std::sqrt(std::log(10 * monthly) / std::log(300.0));
  return settings.sensitivity * std::max(by_rate, 1.0);
}

/// "4,210", "0.0123", "1.5e+20".
std::string show(double value) {
  if (std::abs(value) >= 1e15) return fmt::format("{:.4g}", value);
  if (std::abs(value) >= 100 || value == std::floor(value)) {
    std::string digits = fmt::format("{:.0f}", std::abs(value));
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
    return (std::round(value) < 0 ? "-" : "") + digits;
  }
  return fmt::format("{:.4g}", value);
}

std::string occasion(const Stamp& stamp, const Slots& season, bool calendar) {
  constexpr std::array<std::string_view, 7> kDays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                  "Friday", "Saturday", "Sunday"};
  if (calendar) return stamp.month_day == MonthDay::last ? " for the last day of a month" : " for the first of a month";
  const std::string_view day = kDays.at(static_cast<std::size_t>(stamp.weekday));
  const std::string hour = fmt::format("{:02}:{:02}", stamp.second / 3600, stamp.second / 60 % 60);
  switch (season.season) {
    case Season::weekly: return fmt::format(" for a {}", day);
    case Season::daily: return fmt::format(" at {}", hour);
    case Season::daily_and_weekly:
    case Season::hour_of_week: return fmt::format(" for a {} at {}", day, hour);
    case Season::hourly: return fmt::format(" at {} minutes past the hour", stamp.second / 60 % 60);
    case Season::none:
    case Season::automatic: return "";
  }
  return "";
}

std::string sentence_of(const Assessment& found, double value, const std::string& unit, const std::string& when) {
  std::string text = show(value);
  if (!unit.empty()) text += " " + unit;
  text += found.low < found.high ? fmt::format(", expected {}–{}{}", show(found.low), show(found.high), when)
                                 : fmt::format(", expected {}{}", show(found.expected), when);
  if (found.state == State::recovered) text += ": back in range";
  if (found.state == State::level_shift) text += ": the new level, learned from now on";
  return text;
}

/// A level of nothing where there always was something is an outage, however long.
bool is_stop(const Past& past, const Baseline& baseline, double value, std::size_t count) {
  if (baseline.has_zero() || value != 0) return false;
  const auto& samples = past.samples;
  return std::all_of(samples.end() - static_cast<std::ptrdiff_t>(count), samples.end(),
                     [](const Sample& sample) { return sample.value == 0; });
}

bool is_shift(const Past& past, const Baseline& baseline, const Settings& settings, double value, double error) {
  const std::size_t before = std::max<std::size_t>(settings.shift_points, 2) - 1;
  if (past.run < before || is_stop(past, baseline, value, before)) return false;
  std::vector<double> errors = baseline.last_errors(before);
  errors.push_back(error);
  return consistent(errors, baseline.spread());
}

/// For how many samples a level shift may turn out to be an interlude.
std::size_t reversible(const Past& past, const Settings& settings) {
  const double of_day = 86400 / std::max(core::to_seconds(past.interval), 60.0);
  return std::max(2 * settings.shift_points, static_cast<std::size_t>(of_day));
}

}  // namespace

std::string_view to_string(State state) {
  constexpr std::array<std::string_view, 6> kNames{"learning",  "normal",      "anomalous",
                                                   "recovered", "level_shift", "unknown"};
  return kNames.at(static_cast<std::size_t>(state));
}

Assessment assess(const std::vector<Point>& history, const Point& point, const Settings& settings) {
  Assessment found;
  if (!usable(point.value)) {
    found.sentence = "is no number that can be judged";
    return found;
  }
  const Past past = prepare(history, point, settings);
  found.progress = past.progress;
  if (!past.learned) {
    found.state = State::learning;
    found.sentence = fmt::format("learning, {} of {} {}", past.progress.have, past.progress.wanted, past.progress.unit);
    return found;
  }
  const Baseline baseline(past, settings);
  const Stamp at = stamp(point.time, settings.zone);
  const double days = core::to_seconds(point.time - past.origin) / 86400;
  found.threshold = threshold_of(past, settings);
  const auto judge = [&](const Forecast& forecast) {
    const Range range = range_of(forecast, baseline, settings);
    found.expected = range.expected;
    found.low = range.low;
    found.high = range.high;
    found.score = score_of(point.value, range, baseline, found.threshold);
    return outside(point.value, range, settings.direction);
  };
  Forecast forecast = baseline.forecast(days, at, found.threshold);
  if (past.run > 0) {
    // What hardly is inside again, on the same side, has not recovered: it would go in and out.
    (baseline.last_errors(1).front() < 0 ? forecast.down : forecast.up) *= kWellInside;
  }
  if (const bool off = judge(forecast); off && excluded(at, settings)) {
    found.state = State::normal;
  } else if (!off) {
    found.state = past.run > 0 ? State::recovered : State::normal;
  } else if (is_shift(past, baseline, settings, point.value, baseline.scale().forward(point.value) - forecast.y)) {
    found.state = State::level_shift;
    found.mark = core::Mark::level_shift;
  } else {
    found.state = State::anomalous;
    found.mark = core::Mark::anomalous;
    if (past.since_shift > 0 && past.since_shift <= reversible(past, settings)) {
      const Assessment by_new_level = found;
      const Forecast before = baseline.forecast_before_shift(days, at, found.threshold);
      if (judge(before)) {
        found = by_new_level;
      } else {
        forecast = before;
        found.state = State::recovered;
        found.mark = core::Mark::level_back;
      }
    }
  }
  found.sentence = sentence_of(found, point.value, settings.unit, occasion(at, baseline.season(), forecast.calendar));
  if (excluded(at, settings)) found.sentence += ", on an excluded date";
  return found;
}

}  // namespace weir::quality::anomaly
