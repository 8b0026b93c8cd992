#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/series_source.h"
#include "core/time.h"

namespace weir::core {

/// What somebody said not to be told of, as Alertmanager has it: alerts whose labels all matchers match, from
/// `starts_at` until before `ends_at`.
struct Silence {
  std::string id;  // a UUID
  std::vector<Matcher> matchers;
  Time starts_at;
  Time ends_at;
  Time updated_at;
  std::string created_by;
  std::string comment;

  bool pending(Time now) const { return now < starts_at; }
  bool active(Time now) const { return starts_at <= now && now < ends_at; }
  bool expired(Time now) const { return ends_at <= now; }
};

/// Why nobody is told of an alert that fires.
struct Suppression {
  std::vector<std::uint64_t> inhibited_by;  // fingerprints of the alerts that do
  std::vector<std::string> silenced_by;     // silences' ids

  bool any() const { return !inhibited_by.empty() || !silenced_by.empty(); }
  bool operator==(const Suppression&) const = default;
};

}  // namespace weir::core
