#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace weir::core {

/// What clocks show in a place, by the system's zone database.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;
  /// "Europe/Berlin", from a folder of TZif files. Errors: invalid (no such name), not_found, and whatever the file is
  /// not.
  static Result<TimeZone> load(std::string_view name, const std::string& folder = "/usr/share/zoneinfo");
  /// The content of a TZif file (RFC 8536), versions 2 and up.
  static Result<TimeZone> parse(std::string_view data);

  /// What is to be added to UTC.
  std::chrono::seconds offset_at(Time time) const;
  /// The first moment at which clocks show this; of a time that they skip the moment of the change.
  Time first_at(std::chrono::local_seconds local) const;

 private:
  /// A change of the clocks.
  struct Transition {
    std::int64_t at = 0;  // seconds since 1970
    int offset = 0;       // from then on
  };
  /// A day of each year in the footer's rule: "M10.5.0/3".
  struct YearDay {
    enum class Kind { month_week_day, julian, zero_based } kind = Kind::month_week_day;
    int month = 0;
    int week = 0;
    int day = 0;
    int seconds = 7200;  // of the wall clock before the change
    std::int64_t of(int year) const;
  };
  /// The rule of the years after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3".
  struct Rule {
    int standard = 0;
    std::optional<int> summer;
    YearDay begins;
    YearDay ends;
    int offset_at(std::int64_t seconds) const;
  };
  class FooterParser;

  int first_ = 0;  // before the first transition
  std::vector<Transition> transitions_;
  std::optional<Rule> rule_;
};

}  // namespace weir::core
