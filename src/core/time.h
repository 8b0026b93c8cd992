#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace weir::core {

/// Wall-clock time and spans, in milliseconds, as Prometheus stores them.
using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Duration>;

/// Seconds as a floating-point number, for metric values and JSON.
double to_seconds(Duration duration);
double to_seconds(Time time);
Time time_from_seconds(double seconds);

/// A Prometheus duration: "5m", "1h30m", "250ms", "1y2w3d"; units in falling order, each once.
/// "0" is zero. Errors: anything else, or a value past the range of 64-bit milliseconds.
Result<Duration> parse_duration(std::string_view text);

/// The shortest Prometheus form: 90 s is "1m30s", zero is "0s".
std::string format_duration(Duration duration);

/// RFC 3339 in UTC with milliseconds: "2026-01-02T03:04:05.678Z".
std::string format_rfc3339(Time time);

/// A time as programs write it: RFC 3339, and what Python and databases make of it, "2026-01-02T03:04:05.678901Z",
/// "2026-01-02 03:04:05+00:00", "20260102T030405.678901Z"; without a zone it is UTC. Nothing for anything else.
std::optional<Time> parse_iso_time(std::string_view text);

}  // namespace weir::core
