#include "quality/anomaly_season.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "quality/anomaly_trend.h"

namespace weir::quality::anomaly {
namespace {

constexpr int kHour = 3600;
constexpr int kDay = 86400;

struct Filled {
  std::vector<double> effects;
  std::vector<std::size_t> support;
  std::vector<double> errors;
};

using Member = std::pair<double, std::size_t>;  // a value and its place

/// The median of a sorted list with one place left out.
double middle(std::span<const Member> sorted, std::size_t without) {
  const std::size_t n = sorted.size() - 1;
  const auto at = [&](std::size_t i) { return sorted[i < without ? i : i + 1].first; };
  return n % 2 == 1 ? at(n / 2) : (at(n / 2 - 1) + at(n / 2)) / 2;
}

Filled fill(const Slots& slots, std::span<const Stamp> stamps, std::span<const double> values) {
  const std::size_t count = slots.count();
  std::vector<std::size_t> slot_of(values.size()), ends(count);
  for (std::size_t i = 0; i < values.size(); ++i) ++ends[slot_of[i] = slots.slot(stamps[i])];
  Filled filled{std::vector<double>(count), ends, std::vector<double>(values.begin(), values.end())};
  std::size_t begin = 0;
  for (std::size_t& end : ends) end = std::exchange(begin, begin + end);
  std::vector<Member> members(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) members[ends[slot_of[i]]++] = {values[i], i};
  for (std::size_t slot = 0; slot < count; ++slot) {
    const std::size_t n = filled.support[slot];
    const std::span<Member> own(members.data() + ends[slot] - n, n);
    std::ranges::sort(own);
    if (n == 0) continue;
    filled.effects[slot] = (own[(n - 1) / 2].first + own[n / 2].first) / 2;
    if (n == 1) continue;  // nothing else could have foreseen it
    for (std::size_t i = 0; i < n; ++i) filled.errors[own[i].second] -= middle(own, i);
  }
  return filled;
}

bool on(Season wanted, Season season) { return wanted == Season::automatic || wanted == season; }

}  // namespace

std::string_view to_string(Season season) {
  constexpr std::array<std::string_view, 7> kNames{
      "auto", "none", "hourly", "daily", "weekly", "daily_and_weekly", "hour_of_week"};
  return kNames.at(static_cast<std::size_t>(season));
}

Stamp stamp(core::Time time, const Zone& zone) {
  using namespace std::chrono;
  const core::Time local = time + zone.offset(time);
  const sys_days day = floor<days>(local);
  const year_month_day date(day);
  Stamp result;
  result.day = day.time_since_epoch().count();
  result.weekday = static_cast<int>(weekday(day).iso_encoding()) - 1;
  result.second = static_cast<int>(floor<seconds>(local - day).count());
  result.month = static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  if (date.day() == std::chrono::day(1)) result.month_day = MonthDay::first;
  if (date == date.year() / date.month() / last) result.month_day = MonthDay::last;
  return result;
}

std::size_t Slots::count() const {
  switch (season) {
    case Season::hourly: return static_cast<std::size_t>((kHour + width - 1) / width);
    case Season::daily:
    case Season::daily_and_weekly: return static_cast<std::size_t>((kDay + width - 1) / width);
    case Season::weekly: return 7;
    case Season::hour_of_week: return 7 * static_cast<std::size_t>((kDay + width - 1) / width);
    case Season::none:
    case Season::automatic: return 1;
  }
  return 1;
}

std::size_t Slots::slot(const Stamp& stamp) const {
  switch (season) {
    case Season::hourly: return static_cast<std::size_t>(stamp.second % kHour / width);
    case Season::daily:
    case Season::daily_and_weekly: return static_cast<std::size_t>(stamp.second / width);
    case Season::weekly: return static_cast<std::size_t>(stamp.weekday);
    case Season::hour_of_week: {
      const auto of_day = static_cast<std::size_t>((kDay + width - 1) / width);
      return static_cast<std::size_t>(stamp.weekday) * of_day + static_cast<std::size_t>(stamp.second / width);
    }
    case Season::none:
    case Season::automatic: return 0;
  }
  return 0;
}

std::vector<Slots> candidates(Season wanted, core::Duration interval, double days) {
  std::vector<Slots> found;
  const auto apart = static_cast<int>(std::clamp<std::int64_t>(interval.count() / 1000, 60, 7 * kDay));
  const int of_day = std::clamp(apart, kHour, 6 * kHour);
  found.push_back({Season::none, kHour});
  const bool within_hours = apart <= kHour / 3;
  const bool within_days = apart <= 8 * kHour;
  const bool within_weeks = apart <= kDay * 3 / 2;
  if (on(wanted, Season::hourly) && within_hours && days >= 2) found.push_back({Season::hourly, std::max(apart, 60)});
  if (on(wanted, Season::weekly) && within_weeks && days >= 14) found.push_back({Season::weekly, kHour});
  if (on(wanted, Season::daily) && within_days && days >= 3) found.push_back({Season::daily, of_day});
  if (on(wanted, Season::daily_and_weekly) && within_days && days >= 14) {
    found.push_back({Season::daily_and_weekly, of_day});
  }
  if (on(wanted, Season::hour_of_week) && within_days && days >= 20) found.push_back({Season::hour_of_week, of_day});
  // What was asked for is not up for a choice, once it can be learned.
  if (wanted != Season::automatic && found.size() > 1) found.erase(found.begin());
  return found;
}

SeasonFit::SeasonFit(const Slots& slots, std::span<const Stamp> stamps, std::span<const double> values)
    : slots_(slots) {
  if (slots.season == Season::daily_and_weekly) {
    const Slots week{Season::weekly, kHour};
    std::vector<double> rest(values.begin(), values.end());
    weekday_effects_ = fill(week, stamps, rest).effects;
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= weekday_effects_[week.slot(stamps[i])];
    Filled hours = fill(slots, stamps, rest);
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = values[i] - hours.effects[slots.slot(stamps[i])];
    weekday_effects_ = fill(week, stamps, rest).effects;
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = values[i] - weekday_effects_[week.slot(stamps[i])];
    hours = fill(slots, stamps, rest);
    effects_ = std::move(hours.effects);
    support_ = std::move(hours.support);
    errors_ = std::move(hours.errors);
    return;
  }
  Filled filled = fill(slots, stamps, values);
  effects_ = std::move(filled.effects);
  support_ = std::move(filled.support);
  errors_ = std::move(filled.errors);
}

double SeasonFit::effect(const Stamp& stamp) const {
  if (effects_.empty()) return 0;
  double effect = effects_[slots_.slot(stamp)];
  if (!weekday_effects_.empty()) effect += weekday_effects_[static_cast<std::size_t>(stamp.weekday)];
  return effect;
}

std::size_t SeasonFit::support(const Stamp& stamp) const { return support_.empty() ? 0 : support_[slots_.slot(stamp)]; }

}  // namespace weir::quality::anomaly
