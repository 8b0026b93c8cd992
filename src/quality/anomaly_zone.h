#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace weir::quality::anomaly {

/// Offsets from UTC: what a season of hours and weekdays is counted in.
class Zone {
 public:
  struct Change {
    core::Time from;
    core::Duration offset;
  };
  Zone() = default;  // UTC
  /// Changes in rising order; `first` holds before them.
  Zone(core::Duration first, std::vector<Change> changes) : first_(first), changes_(std::move(changes)) {}
  core::Duration offset(core::Time time) const;

 private:
  core::Duration first_{0};
  std::vector<Change> changes_;
};

/// Reads an IANA zone ("Europe/Berlin") from the system's zone files. Errors (not_found, invalid): no such zone, or
/// a file that is none. Touches the disk: to be called when a configuration is read.
core::Result<Zone> load_zone(const std::string& name, const std::string& directory = "/usr/share/zoneinfo");

/// The zone of a TZif file's bytes (RFC 9636). Its footer, the rule for times after the last change, is carried on
/// to the end of `until_year`.
core::Result<Zone> parse_zone(std::string_view bytes, int until_year = 2060);

}  // namespace weir::quality::anomaly
