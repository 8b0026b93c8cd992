#pragma once

#include <memory>
#include <optional>

#include "config/reader.h"
#include "core/collector.h"
#include "core/time.h"
#include "core/time_zone.h"
#include "quality/cron.h"

namespace weir::quality {

struct CronTimes {
  Cron cron;
  core::TimeZone zone;
};

/// When an entry of `checks:` is due: every so often, or at the times of a crontab line.
struct Schedule {
  core::Duration interval = std::chrono::minutes(1);
  std::optional<CronTimes> cron;
};

/// Reads `interval:` or `every:` (1s to 1w), or `cron: "0 6 * * *"` with `timezone: Europe/Berlin` (default UTC).
Schedule read_schedule(config::MapReader& reader);

/// A collector whose cycles are due at the times of a crontab line. Its first is at the start, so that nothing is
/// unknown till the first of them; a cycle may take half an hour.
std::unique_ptr<core::Collector> at_cron_times(std::unique_ptr<core::Collector> collector, CronTimes times);

}  // namespace weir::quality
