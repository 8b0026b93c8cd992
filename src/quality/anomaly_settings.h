#pragma once

#include <string_view>

#include "config/reader.h"
#include "quality/anomaly.h"

namespace weir::quality {

/// What stands under `anomaly detection for …`, in Soda 3's keys and Weir's own.
struct AnomalySettings {
  anomaly::Settings detector;
  /// Outside by at most that part of the expected range warns, by more fails: Soda's warning_ratio.
  double warning_ratio = 0.1;
  bool warn_only = false;
  /// One measurement is kept for each of these: the last. Longer ones begin with the day of the time zone.
  core::Duration frequency = std::chrono::hours(1);
  bool daily = false;
};

/// Reads them through `reader`; every mistake is noted there, and what Soda has and Weir does without is one with a
/// hint.
AnomalySettings read_anomaly_settings(config::MapReader& reader);

/// "2026-12-24" as days since 1970.
std::optional<std::int64_t> parse_day(std::string_view text);

}  // namespace weir::quality
