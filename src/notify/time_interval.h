#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/time.h"
#include "core/time_zone.h"

namespace weir::notify {

/// Hours and days that come again, as Alertmanager's `time_interval` has them: within each list one range must hold
/// the moment, and all lists that are given must. Days of the month from the end are -1 (the last) and down.
struct TimeInterval {
  using Range = std::pair<int, int>;  // both ends belong to it, but the end of minutes
  std::vector<Range> minutes = {};    // of the day, 0 … 1440
  std::vector<Range> weekdays = {};   // Sunday is 0
  std::vector<Range> days = {};       // 1 … 31, -31 … -1
  std::vector<Range> months = {};     // 1 … 12
  std::vector<Range> years = {};
  core::TimeZone zone = {};

  bool contains(core::Time time) const;
};

/// An entry of `time_intervals:` (or `mute_time_intervals:`).
struct NamedIntervals {
  std::string name;
  std::vector<TimeInterval> intervals;

  bool contains(core::Time time) const;
};

/// The sections `time_intervals:` and `mute_time_intervals:`, in which names must differ; either may be nullptr.
std::vector<NamedIntervals> parse_time_intervals(const config::Node* time_intervals, const config::Node* mute_intervals,
                                                 config::Diagnostics& diagnostics);

}  // namespace weir::notify
