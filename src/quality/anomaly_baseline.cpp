#include "quality/anomaly_baseline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "quality/anomaly_trend.h"

namespace weir::quality::anomaly {
namespace {

constexpr std::size_t kSettling = 5;  // samples a new level is the median of
constexpr std::array<double, 5> kGains{0, 0.1, 0.3, 0.7, 1.0};
constexpr double kPrior = 0.2;    // in favour of log: season, growth and incidents mostly are proportions
constexpr double kBetter = 0.95;  // a richer model must be at most that part as far off

/// The standard deviation of what is within 4 robust ones.
double trimmed_deviation(const std::vector<double>& errors) {
  std::vector<double> sizes;
  for (const double error : errors) sizes.push_back(std::abs(error));
  const double bound = 4 * 1.4826 * median(sizes);
  double squares = 0, count = 0;
  for (const double size : sizes) {
    if (size > bound) continue;
    squares += size * size;
    ++count;
  }
  return count == 0 ? 0 : std::sqrt(squares / count);
}

double clipped(double value, double bound) { return std::clamp(value, -bound, bound); }

}  // namespace

double Scale::forward(double value) const {
  switch (transform_) {
    case Transform::identity: return value;
    case Transform::root: return value >= 0 ? std::sqrt(value) : -std::sqrt(-value);
    case Transform::logarithm: return std::log(std::max(value, smallest_ / 1000));
  }
  return value;
}

double Scale::backward(double y) const {
  switch (transform_) {
    case Transform::identity: return y;
    case Transform::root: return y >= 0 ? y * y : -y * y;
    case Transform::logarithm: return std::exp(std::min(y, 700.0));
  }
  return y;
}

Baseline::Baseline(const Past& past, const Settings& settings) : samples_(past.samples), interval_(past.interval) {
  whole_numbers_ = true;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    if (!samples_[i].trains) continue;
    training_.push_back(i);
    stamps_.push_back(samples_[i].stamp);
    whole_numbers_ = whole_numbers_ && std::floor(samples_[i].value) == samples_[i].value;
    has_zero_ = has_zero_ || samples_[i].value == 0;
  }
  calendar_on_ = settings.calendar && interval_ <= std::chrono::hours(36);
  choose_scale(settings);
  fit_season(settings);
  fit_level();
  if (calendar_on_) {
    fit_calendar();
    if (calendar_[0].special || calendar_[1].special) fit_level();
  }
}

void Baseline::choose_scale(const Settings& settings) {
  double smallest = 0, lowest = 0, sum = 0;
  std::size_t zeros = 0;
  for (const std::size_t i : training_) {
    const double value = samples_[i].value;
    lowest = std::min(lowest, value);
    sum += std::abs(value);
    zeros += value == 0 ? 1 : 0;
    if (value > 0 && (smallest == 0 || value < smallest)) smallest = value;
  }
  std::vector<Transform> allowed{Transform::identity};
  if (lowest >= 0 && sum > 0) allowed.push_back(Transform::root);
  if (lowest >= 0 && zeros * 20 <= training_.size() && smallest > 0) allowed.push_back(Transform::logarithm);
  const double tiny = sum / static_cast<double>(training_.size()) / 1000;
  double mean_log = 0;
  for (const std::size_t i : training_) mean_log += std::log(std::max(samples_[i].value, tiny));
  mean_log /= static_cast<double>(training_.size());

  const double days = samples_.back().days - samples_.front().days;
  const std::vector<Slots> slots = candidates(settings.season, interval_, days);
  Slots rough = slots.front();
  for (const Slots& each : slots) {
    if (each.season == Season::daily || each.season == Season::weekly) rough = each;
  }
  std::optional<double> best;
  for (const Transform transform : allowed) {
    const Scale candidate(transform, smallest);
    std::vector<double> y;
    for (const Sample& sample : samples_) y.push_back(candidate.forward(sample.value));
    y_ = std::move(y);
    set_slope();
    set_levels();
    const double deviation = trimmed_deviation(SeasonFit(rough, stamps_, detrended()).errors());
    if (deviation <= 0) continue;
    double likelihood = -std::log(deviation);
    if (transform == Transform::root) likelihood += -0.5 * mean_log - std::log(2.0) + kPrior / 2;
    if (transform == Transform::logarithm) likelihood += -mean_log + kPrior;
    if (best && likelihood < *best) continue;
    best = likelihood;
    scale_ = candidate;
  }
  for (std::size_t i = 0; i < samples_.size(); ++i) y_[i] = scale_.forward(samples_[i].value);
}

/// The median of each segment, season and slope taken off.
void Baseline::set_levels() {
  std::map<int, std::vector<double>> members;
  for (const std::size_t i : training_) {
    members[samples_[i].segment].push_back(y_[i] - effect(samples_[i].days, samples_[i].stamp));
  }
  levels_.assign(static_cast<std::size_t>(members.rbegin()->first) + 1, 0);
  for (auto& [segment, values] : members) levels_[static_cast<std::size_t>(segment)] = median(std::move(values));
}

double Baseline::effect(double days, const Stamp& stamp) const { return slope_ * days + season_.effect(stamp); }

/// What the season has to explain: without level and slope.
std::vector<double> Baseline::detrended() const {
  std::vector<double> values;
  values.reserve(training_.size());
  for (const std::size_t i : training_) {
    const Sample& sample = samples_[i];
    values.push_back(y_[i] - levels_[static_cast<std::size_t>(sample.segment)] - slope_ * sample.days);
  }
  return values;
}

/// By daily medians: hours of a day must not look like a slope.
void Baseline::set_slope() {
  std::vector<TrendPoint> points;
  std::vector<double> of_day;
  for (std::size_t n = 0; n < training_.size(); ++n) {
    const Sample& sample = samples_[training_[n]];
    of_day.push_back(y_[training_[n]] - season_.effect(sample.stamp));
    const bool last = n + 1 == training_.size();
    if (!last && samples_[training_[n + 1]].stamp.day == sample.stamp.day) continue;
    points.push_back({static_cast<double>(sample.stamp.day), median(std::move(of_day)), sample.segment});
    of_day.clear();
  }
  slope_ = trend(points);
}

void Baseline::fit_season(const Settings& settings) {
  set_slope();
  set_levels();
  std::vector<double> values = detrended();
  const double days = samples_.back().days - samples_.front().days;
  std::optional<double> best;
  const double cap = misfit_cap(values);
  for (const Slots& slots : candidates(settings.season, interval_, days)) {
    SeasonFit fit(slots, stamps_, values);
    const double off = misfit(fit.errors(), cap);
    if (best && off >= *best * kBetter) continue;
    best = off;
    season_ = std::move(fit);
  }
  // Levels and slope once more, now that the season is known, and then the season without them.
  set_slope();
  set_levels();
  values = detrended();
  spread_without_season_ = pooled_scale(values);
  season_ = SeasonFit(season_.slots(), stamps_, values);
  set_levels();
}

/// One step ahead through the samples.
Baseline::Walk Baseline::walk(double gain) const {
  Walk walk;
  walk.errors.resize(samples_.size());
  std::vector<double> rest(samples_.size());
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    rest[i] = y_[i] - effect(samples_[i].days, samples_[i].stamp);
    const MonthDay day = samples_[i].stamp.month_day;
    if (calendar_on_ && day != MonthDay::ordinary && calendar(day).special) rest[i] -= calendar(day).effect;
  }
  // The season's own errors stand in for the ones of its medians, which have seen the value they foresee.
  std::vector<double> foreseen(samples_.size());
  for (std::size_t n = 0; n < training_.size(); ++n) {
    foreseen[training_[n]] = season_.errors()[n] + season_.effect(stamps_[n]) -
                             (y_[training_[n]] - levels_[static_cast<std::size_t>(samples_[training_[n]].segment)] -
                              slope_ * samples_[training_[n]].days);
  }
  const double bound = 3 * std::max(spread_, 1e-12);
  int segment = samples_[training_.front()].segment;
  walk.level = levels_[static_cast<std::size_t>(segment)];
  bool settled = gain == 0;  // the level of all of the first segment
  const int first = segment;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const Sample& sample = samples_[i];
    if (sample.trains && sample.segment != segment) {
      if (sample.segment > segment) {
        walk.before_shift = walk.level;
        std::vector<double> own;
        for (std::size_t j = i; j < samples_.size() && own.size() < kSettling; ++j) {
          if (samples_[j].trains && samples_[j].segment == sample.segment) own.push_back(rest[j]);
        }
        walk.level = median(std::move(own));
        walk.support = 0;
        settled = false;
      } else {
        walk.level = walk.before_shift;
        settled = true;
      }
      segment = sample.segment;
    }
    const double error = rest[i] - walk.level;
    walk.errors[i] = error;
    if (!sample.trains) continue;
    ++walk.support;
    if (walk.support > kSettling || settled) {
      const bool ordinary = !calendar_on_ || sample.stamp.month_day == MonthDay::ordinary;
      if (ordinary) walk.training.push_back(error + foreseen[i]);
    }
    if (gain == 0 && segment == first) continue;
    const double own_gain = std::max(gain, 1.0 / static_cast<double>(std::max(walk.support, kSettling) + 1));
    walk.level += own_gain * clipped(error, bound);
  }
  if (gain > 0) walk.support = std::max(walk.support, kSettling * 10);
  return walk;
}

void Baseline::fit_level() {
  std::vector<double> rest = season_.errors();
  spread_ = pooled_scale(rest);
  std::optional<double> best;
  double cap = 0;
  for (const double gain : kGains) {
    Walk tried = walk(gain);
    if (!best) cap = misfit_cap(tried.training);
    const double off = misfit(tried.training, cap);
    if (best && off >= *best * kBetter) continue;
    best = off;
    gain_ = gain;
    walk_ = std::move(tried);
  }
  spread_ = pooled_scale(walk_.training);
  highest_ = lowest_ = 0;
  for (const double error : walk_.training) {
    highest_ = std::max(highest_, error);
    lowest_ = std::min(lowest_, error);
  }
}

/// Whether a sample that does not train stands among others of its kind: an incident, and no special day.
bool Baseline::in_incident(std::size_t place) const {
  const auto ordinary = [&](std::size_t i) { return samples_[i].stamp.month_day == MonthDay::ordinary; };
  if (samples_[place].trains) return false;
  std::size_t before = place, after = place;
  while (before > 0 && !ordinary(before)) --before;
  while (after + 1 < samples_.size() && !ordinary(after)) ++after;
  return (ordinary(before) && !samples_[before].trains) || (ordinary(after) && !samples_[after].trains);
}

void Baseline::fit_calendar() {
  for (const MonthDay day : {MonthDay::first, MonthDay::last}) {
    std::map<std::int64_t, std::vector<double>> months;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (samples_[i].stamp.month_day != day || in_incident(i)) continue;
      months[samples_[i].stamp.month].push_back(walk_.errors[i]);
    }
    Calendar found;
    std::vector<double> errors;
    for (auto& [month, values] : months) errors.push_back(median(std::move(values)));
    found.months = errors.size();
    if (!errors.empty()) {
      const auto [low, high] = std::ranges::minmax(errors);
      found.special = low > 2.5 * spread_ || high < -2.5 * spread_;
      found.effect = median(errors);
      found.spread = (high - low) / 1.7;
    }
    calendar_[day == MonthDay::last ? 1 : 0] = found;
  }
}

Forecast Baseline::around(double y, const Stamp& stamp, double threshold) const {
  double spread = spread_;
  const std::size_t support = season_.support(stamp);
  if (support == 0) spread = std::max(spread, spread_without_season_);
  if (support == 1) spread *= 1.5;
  if (walk_.support > 0) spread *= std::sqrt(1 + 1.57 / static_cast<double>(walk_.support));
  Forecast forecast{y, threshold * spread, threshold * spread};
  // Nothing but outliers differs from the rest: what was seen is no anomaly.
  if (spread_ <= 0) {
    forecast.up = std::max(forecast.up, highest_);
    forecast.down = std::max(forecast.down, -lowest_);
  }
  if (!calendar_on_ || stamp.month_day == MonthDay::ordinary) return forecast;
  const Calendar& own = calendar(stamp.month_day);
  if (own.months == 0) {
    forecast.up *= 3;
  } else if (own.special && own.months == 1) {
    // One month is a hint: as then, or as on any other day, is expected.
    (own.effect > 0 ? forecast.up : forecast.down) += 1.5 * std::abs(own.effect);
    forecast.calendar = true;
  } else if (own.special) {
    const double wide = threshold * std::max(spread, own.spread) * (1 + 1 / static_cast<double>(own.months));
    forecast = {y + own.effect, wide, wide, true};
  }
  return forecast;
}

Forecast Baseline::forecast(double days, const Stamp& stamp, double threshold) const {
  return around(walk_.level + effect(days, stamp), stamp, threshold);
}

Forecast Baseline::forecast_before_shift(double days, const Stamp& stamp, double threshold) const {
  return around(walk_.before_shift + effect(days, stamp), stamp, threshold);
}

std::vector<double> Baseline::last_errors(std::size_t count) const {
  count = std::min(count, walk_.errors.size());
  return {walk_.errors.end() - static_cast<std::ptrdiff_t>(count), walk_.errors.end()};
}

}  // namespace weir::quality::anomaly
