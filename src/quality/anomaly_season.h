#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "quality/anomaly_zone.h"

namespace weir::quality::anomaly {

enum class Season { automatic, none, hourly, daily, weekly, daily_and_weekly, hour_of_week };
std::string_view to_string(Season season);

/// Special days of a month.
enum class MonthDay : std::uint8_t { ordinary, first, last };

/// A time as the season sees it.
struct Stamp {
  std::int64_t day = 0;  // days since 1970, local
  int weekday = 0;       // 0 is Monday
  int second = 0;        // of the day
  MonthDay month_day = MonthDay::ordinary;
  std::int64_t month = 0;  // months since year 0
};
Stamp stamp(core::Time time, const Zone& zone);

/// The slots of a season: which one a time falls into.
struct Slots {
  Season season = Season::none;
  int width = 3600;  // seconds of a slot within an hour or a day

  std::size_t count() const;
  std::size_t slot(const Stamp& stamp) const;
};

/// The seasons that measurements this far apart over so many days could show, simplest first.
std::vector<Slots> candidates(Season wanted, core::Duration interval, double days);

/// The effects of a season's slots. For daily_and_weekly two sets of slots add up.
class SeasonFit {
 public:
  SeasonFit() = default;
  /// Medians of the values of each slot. `values` without level and slope, one for each of `stamps`.
  SeasonFit(const Slots& slots, std::span<const Stamp> stamps, std::span<const double> values);
  double effect(const Stamp& stamp) const;
  /// values minus the effect that the other values of the slot have: errors as if each had been foreseen.
  const std::vector<double>& errors() const { return errors_; }
  const Slots& slots() const { return slots_; }
  /// How many values the slot was learned from.
  std::size_t support(const Stamp& stamp) const;

 private:
  Slots slots_;
  std::vector<double> effects_;
  std::vector<std::size_t> support_;
  std::vector<double> weekday_effects_;  // of daily_and_weekly
  std::vector<double> errors_;
};

}  // namespace weir::quality::anomaly
