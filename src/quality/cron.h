#pragma once

#include <bitset>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"
#include "core/time_zone.h"

namespace weir::quality {

using core::TimeZone;

/// When something is due, as crontab(5) has it: minute, hour, day of the month, month, day of the week. Each is *, a
/// number, a range 1-5, a list, or any of these with a step /15; months and days of the week by their English names
/// too (jan, mon; 7 is Sunday). When both days are given (neither begins with *), either will do.
class Cron {
 public:
  /// The error is a sentence without the text itself.
  static std::expected<Cron, std::string> parse(std::string_view text);

  /// The first minute after `now` that fits, in a zone's wall time; nothing when there is none within five years (31
  /// February). Where clocks go forward, a time that is skipped is the moment of the change; where they go back, a time
  /// that is there twice is its first.
  std::optional<core::Time> next(core::Time now, const TimeZone& zone) const;

 private:
  bool day_fits(std::chrono::local_days day) const;
  std::optional<int> minute_of_day_from(int minute) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace weir::quality
