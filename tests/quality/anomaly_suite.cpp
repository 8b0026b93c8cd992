#include "quality/anomaly_suite.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "quality/anomaly_trend.h"

namespace weir::quality::anomaly::suite {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  double unit() { return (static_cast<double>(next() >> 11U) + 0.5) / 9007199254740992.0; }
  double between(double low, double high) { return low + (high - low) * unit(); }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
  double normal() { return std::sqrt(-2 * std::log(unit())) * std::cos(2 * std::numbers::pi * unit()); }
  double student(int freedom) {
    double squares = 0;
    for (int i = 0; i < freedom; ++i) squares += std::pow(normal(), 2);
    return normal() / std::sqrt(squares / freedom);
  }

 private:
  std::uint64_t state_;
};

/// Everything that is drawn once a series.
struct Shape {
  bool hourly = false;
  double base = 0, noise = 0, growth = 0;
  int freedom = 0;  // of Student's t, 0 for normal noise
  std::array<double, 7> weekday{};
  std::array<double, 24> hour{}, weekend_hour{};
  double last_day = 1, first_day = 1;
  double shift = 1;
  std::size_t shift_at = 0;
};

Shape draw(Scenario scenario, std::size_t count, std::size_t first_judged, Random& random) {
  Shape shape;
  shape.hourly = is_hourly(scenario);
  shape.base = std::exp(random.between(std::log(2e3), std::log(2e6)));
  shape.noise = random.between(0.03, 0.08);
  const double weekend = random.between(0.3, 0.9);
  for (std::size_t day = 0; day < 7; ++day) {
    shape.weekday[day] = random.between(0.85, 1.15) * (day >= 5 ? weekend : 1);
    if (scenario == Scenario::no_season) shape.weekday[day] = 1;
  }
  const double swing = random.between(0.3, 0.8);
  const double peak = random.between(10, 18);
  for (std::size_t hour = 0; hour < 24; ++hour) {
    const auto wave = [&](double at) { return std::cos((static_cast<double>(hour) - at) / 24 * 2 * std::numbers::pi); };
    shape.hour[hour] = 1 + swing * wave(peak);
    shape.weekend_hour[hour] = 1 + 0.6 * swing * wave(peak + 3);
  }
  shape.growth = random.between(-0.001, 0.003);
  const double part = random.between(0.35, 0.65);
  const double size = random.between(std::log(1.25), std::log(2));
  const bool upwards = random.unit() < 0.5;
  const double last_day = random.between(1.5, 3), first_day = random.between(1.3, 2);
  const bool first_too = random.unit() < 0.5;
  if (scenario == Scenario::heavy_tails) shape.freedom = 3;
  if (scenario == Scenario::hourly_heavy) shape.freedom = 4;
  if (shape.freedom > 0) shape.noise = shape.hourly ? random.between(0.02, 0.03) : random.between(0.03, 0.05);
  if (scenario == Scenario::no_season) shape.noise = random.between(0.05, 0.10);
  if (scenario == Scenario::trend) shape.growth = random.between(-0.005, 0.01);
  if (scenario == Scenario::month_end) shape.last_day = last_day;
  if (scenario == Scenario::month_end && first_too) shape.first_day = first_day;
  if (scenario == Scenario::level_shift || scenario == Scenario::hourly_shift) {
    shape.shift = std::exp(upwards ? size : -size);
    shape.shift_at = first_judged + static_cast<std::size_t>(static_cast<double>(count - first_judged) * part);
  }
  return shape;
}

double level(const Shape& shape, const Stamp& stamp, double days) {
  double value = shape.base * std::exp(shape.growth * days) * shape.weekday[static_cast<std::size_t>(stamp.weekday)];
  const auto hour = static_cast<std::size_t>(stamp.second / 3600);
  if (shape.hourly) value *= stamp.weekday >= 5 ? shape.weekend_hour[hour] : shape.hour[hour];
  if (stamp.month_day == MonthDay::last) value *= shape.last_day;
  if (stamp.month_day == MonthDay::first) value *= shape.first_day;
  return value;
}

/// Incidents never meet each other, the shift, nor the time right after it, in which the new level is learned.
void add_incidents(Series& series, const Shape& shape, Random& random) {
  const std::size_t wanted = 3;
  const std::size_t spare = shape.hourly ? 24 : 7;
  for (std::size_t tries = 0; series.incidents < wanted && tries < 1000; ++tries) {
    const std::size_t length = shape.hourly ? 1 + random.below(6) : 1 + random.below(3);
    const std::size_t from = series.first_judged + random.below(series.points.size() - series.first_judged - length);
    constexpr std::array<double, 4> kLarge{0, 0.3, 0.5, 2.5};
    constexpr std::array<double, 2> kSmall{0.75, 1.3};
    const double factor = series.scenario == Scenario::small ? kSmall[random.below(2)] : kLarge[random.below(4)];
    bool taken = shape.shift_at > 0 && from + length + spare > shape.shift_at && from < shape.shift_at + 2 * spare;
    const std::size_t low = from > spare ? from - spare : 0;
    for (std::size_t i = low; i < std::min(from + length + spare, series.points.size()); ++i) {
      taken = taken || series.points[i].incident >= 0;
    }
    if (taken) continue;
    for (std::size_t i = from; i < from + length; ++i) {
      series.points[i].incident = static_cast<int>(series.incidents);
      series.points[i].factor = factor;
      series.points[i].value = std::round(series.points[i].value * factor);
    }
    ++series.incidents;
  }
}

struct Window {
  double mean = 0, deviation = 0;
  std::vector<double> values;
};

/// The points of the last days, the present one among them.
Window window(const Series& series, std::size_t i, int days) {
  Window window;
  const core::Time from = series.points[i].time - std::chrono::days(days);
  for (std::size_t j = i + 1; j-- > 0 && series.points[j].time > from;) window.values.push_back(series.points[j].value);
  for (const double value : window.values) window.mean += value;
  window.mean /= static_cast<double>(window.values.size());
  double squares = 0;
  for (const double value : window.values) squares += (value - window.mean) * (value - window.mean);
  window.deviation = window.values.size() < 2 ? 0 : std::sqrt(squares / static_cast<double>(window.values.size() - 1));
  return window;
}

}  // namespace

bool is_hourly(Scenario scenario) {
  return scenario == Scenario::hourly || scenario == Scenario::hourly_shift || scenario == Scenario::hourly_heavy;
}

std::size_t series_of(Scenario scenario) { return is_hourly(scenario) ? 3 : 20; }

Settings row_counts() {
  Settings settings;
  settings.lower_bound = 0;
  settings.unit = "rows";
  return settings;
}

std::string to_string(Scenario scenario) {
  constexpr std::array<const char*, 10> kNames{
      "gaussian",  "heavy tails", "small incidents", "no season",           "level shift",
      "month end", "trend",       "hourly",          "hourly, level shift", "hourly, heavy tails"};
  return kNames.at(static_cast<std::size_t>(scenario));
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  for (int i = 0; i <= static_cast<int>(Scenario::hourly_heavy); ++i) all.push_back(static_cast<Scenario>(i));
  return all;
}

Series make(Scenario scenario, Half half, std::size_t number) {
  Random mixed(static_cast<std::uint64_t>(half) * 1'000'003 + static_cast<std::uint64_t>(scenario) * 10'007 + number);
  Random random(mixed.next());
  Series series{scenario, number, {}, 0, 0, 0};
  const bool hourly = is_hourly(scenario);
  const std::size_t days = hourly ? 60 : 150;
  const std::size_t step = hourly ? 1 : 24;
  const std::size_t count = days * 24 / step;
  series.first_judged = 30 * 24 / step;
  series.days_judged = static_cast<double>(days - 30);
  const Shape shape = draw(scenario, count, series.first_judged, random);
  // Any day of 2024 and 2025, so that weekdays and month ends are anywhere.
  const core::Time start = core::Time(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1)) +
                           std::chrono::days(random.below(730)) + std::chrono::hours(hourly ? 0 : random.below(24));
  for (std::size_t i = 0; i < count; ++i) {
    const core::Time time = start + std::chrono::hours(i * step);
    const double noise = shape.noise * (shape.freedom > 0 ? random.student(shape.freedom) : random.normal());
    const bool shifted = shape.shift_at > 0 && i >= shape.shift_at;
    const double mean =
        level(shape, stamp(time, Zone()), static_cast<double>(i * step) / 24) * (shifted ? shape.shift : 1);
    series.points.push_back({time, std::round(std::max(mean * (1 + noise), 0.0)), 1, -1, shifted});
  }
  add_incidents(series, shape, random);
  return series;
}

Alarmed weir(const Series& series, const Settings& settings) {
  Alarmed alarmed;
  std::vector<Point> history;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    Point point{series.points[i].time, series.points[i].value};
    Assessment found = assess(history, point, settings);
    point.mark = found.mark;
    history.push_back(point);
    alarmed.points.push_back(found.state == State::anomalous || found.state == State::level_shift);
    alarmed.assessments.push_back(std::move(found));
  }
  return alarmed;
}

Alarmed elementary(const Series& series, int training_days) {
  Alarmed alarmed;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    const Window seen = window(series, i, training_days);
    alarmed.points.push_back(seen.deviation > 0 && std::abs(series.points[i].value - seen.mean) / seen.deviation > 3);
  }
  return alarmed;
}

Alarmed re_data(const Series& series) {
  Alarmed alarmed;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    Window seen = window(series, i, 30);
    const double middle = median(seen.values);
    double mean = 0;
    for (double& value : seen.values) mean += (value = std::abs(value - middle));
    mean /= static_cast<double>(seen.values.size());
    const double deviation = median(std::move(seen.values));
    const double off = std::abs(series.points[i].value - middle);
    const double z = deviation > 0 ? 0.6745 * off / deviation : off / (1.253314 * (mean + 1e-10));
    alarmed.points.push_back(z > 3.5);
  }
  return alarmed;
}

void Score::add(const Score& other) {
  series += other.series;
  months += other.months;
  incidents += other.incidents;
  detected += other.detected;
  points += other.points;
  points_detected += other.points_detected;
  small += other.small;
  small_detected += other.small_detected;
  false_alarms += other.false_alarms;
  shifts += other.shifts;
  after_shift += other.after_shift;
  most_after_shift = std::max(most_after_shift, other.most_after_shift);
}

double Score::recall() const {
  return incidents == 0 ? 1 : static_cast<double>(detected) / static_cast<double>(incidents);
}
double Score::precision() const {
  const auto found = static_cast<double>(detected + small_detected);
  return found == 0 ? 0 : found / (found + static_cast<double>(false_alarms));
}
double Score::false_alarms_a_month() const { return static_cast<double>(false_alarms) / months; }

Score score(const Series& series, const Alarmed& alarmed) {
  Score score;
  score.series = 1;
  score.months = series.days_judged / 30;
  std::vector<bool> found(series.incidents), large(series.incidents);
  bool before = false;
  for (std::size_t i = series.first_judged; i < series.points.size(); ++i) {
    const Truth& truth = series.points[i];
    const bool alarm = alarmed.points[i];
    if (truth.incident >= 0) {
      const auto own = static_cast<std::size_t>(truth.incident);
      large[own] = std::abs(truth.factor - 1) >= 0.5;
      found[own] = found[own] || alarm;
      if (large[own]) {
        ++score.points;
        if (alarm) ++score.points_detected;
      }
      before = false;
      continue;
    }
    if (alarm && !before) {
      ++score.false_alarms;
      if (truth.shifted) ++score.after_shift;
    }
    before = alarm;
  }
  score.shifts = series.points.back().shifted ? 1 : 0;
  score.most_after_shift = score.after_shift;
  for (std::size_t own = 0; own < series.incidents; ++own) {
    ++(large[own] ? score.incidents : score.small);
    if (found[own]) ++(large[own] ? score.detected : score.small_detected);
  }
  return score;
}

}  // namespace weir::quality::anomaly::suite
