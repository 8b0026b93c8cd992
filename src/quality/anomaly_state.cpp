#include "quality/anomaly_state.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "quality/anomaly_trend.h"

namespace weir::quality::anomaly {
namespace {

constexpr double kLargest = 1e150;  // squares still are numbers
constexpr double kDayMilliseconds = 86'400'000;

/// The points before `point` that can be looked at, in order, one for each time.
std::vector<const Point*> ordered(const std::vector<Point>& history, const Point& point, const Settings& settings) {
  std::vector<const Point*> past;
  past.reserve(history.size());
  for (const Point& each : history) {
    if (each.time < point.time && each.time >= point.time - settings.window && usable(each.value)) {
      past.push_back(&each);
    }
  }
  if (!std::ranges::is_sorted(past, {}, &Point::time)) std::ranges::stable_sort(past, {}, &Point::time);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < past.size(); ++i) {
    const bool again = i + 1 < past.size() && past[i + 1]->time == past[i]->time;
    if (!again) past[kept++] = past[i];
  }
  past.resize(kept);
  const std::size_t most = std::max<std::size_t>(settings.max_points, 1);
  if (past.size() > most) past.erase(past.begin(), past.end() - static_cast<std::ptrdiff_t>(most));
  return past;
}

core::Duration interval_of(const std::vector<Sample>& samples) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < samples.size(); ++i) gaps.push_back(samples[i].days - samples[i - 1].days);
  return core::Duration(std::llround(median(std::move(gaps)) * kDayMilliseconds));
}

/// Reads the marks of one sample after the other.
class Marks {
 public:
  Marks(Past& past, std::size_t shift_points) : past_(past), shift_points_(shift_points) {}

  void read(Sample sample, const Point& point) {
    const bool fine = point.feedback == core::Feedback::fine;
    sample.segment = segment_;
    sample.trains = fine || point.mark != core::Mark::anomalous;
    if (point.mark == core::Mark::level_back && segment_ > 0) back(sample);
    past_.samples.push_back(sample);
    if (point.mark == core::Mark::level_shift) {
      shift();
    } else if (!sample.trains) {
      ++past_.run;
    } else {
      past_.run = 0;
      if (segment_ > 0) ++past_.since_shift;
    }
  }

 private:
  /// The run that ends with this sample is the first of a new level.
  void shift() {
    const std::size_t members = std::min(past_.run + 1, shift_points_);
    ++newest_;
    before_.push_back(segment_);
    segment_ = newest_;
    for (std::size_t i = past_.samples.size() - members; i < past_.samples.size(); ++i) {
      past_.samples[i].segment = segment_;
      past_.samples[i].trains = true;
    }
    past_.run = 0;
    past_.since_shift = members;
  }

  /// The shift was an interlude: nothing is learned from it.
  void back(Sample& sample) {
    for (Sample& each : past_.samples) {
      if (each.segment == segment_) each.trains = false;
    }
    segment_ = before_.back();
    before_.pop_back();
    sample.segment = segment_;
    past_.since_shift = 0;
  }

  Past& past_;
  std::size_t shift_points_;
  int segment_ = 0;
  int newest_ = 0;
  std::vector<int> before_;
};

Progress progress_of(const Past& past, const Settings& settings) {
  std::size_t points = 0, days = 0;
  std::optional<std::int64_t> day;
  for (const Sample& sample : past.samples) {
    if (!sample.trains) continue;
    ++points;
    if (day != sample.stamp.day) ++days;
    day = sample.stamp.day;
  }
  if (past.interval > std::chrono::hours(36)) return {points, settings.learning_points, "measurements"};
  return {days, settings.learning_days, "days"};
}

}  // namespace

bool excluded(const Stamp& stamp, const Settings& settings) {
  return std::ranges::any_of(
      settings.exclude, [&](const DayRange& range) { return stamp.day >= range.first && stamp.day <= range.last; });
}

bool usable(double value) { return std::isfinite(value) && std::abs(value) <= kLargest; }

Past prepare(const std::vector<Point>& history, const Point& point, const Settings& settings) {
  Past past;
  const std::vector<const Point*> points = ordered(history, point, settings);
  if (!points.empty()) past.origin = points.front()->time;
  past.samples.reserve(points.size());
  Marks marks(past, std::max<std::size_t>(settings.shift_points, 2));
  for (const Point* each : points) {
    Sample sample;
    sample.days = static_cast<double>((each->time - past.origin).count()) / kDayMilliseconds;
    sample.value = each->value;
    sample.stamp = stamp(each->time, settings.zone);
    if (each->feedback == core::Feedback::wrong || excluded(sample.stamp, settings)) continue;
    marks.read(sample, *each);
  }
  past.interval = interval_of(past.samples);
  past.progress = progress_of(past, settings);
  const auto training = std::ranges::count_if(past.samples, &Sample::trains);
  past.learned = past.progress.have >= past.progress.wanted && training >= 8;
  return past;
}

bool consistent(const std::vector<double>& errors, double scale) {
  const auto [low, high] = std::ranges::minmax(errors);
  if (low <= 0 && high >= 0) return false;
  return high - low <= std::max(5 * scale, 0.3 * std::abs(median(errors)));
}

}  // namespace weir::quality::anomaly
