#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/incident.h"

namespace weir::incidents {

inline constexpr std::size_t kMaxTimeline = 500;

/// Adds an entry. False when the timeline is full: how it began is kept, and how it ended.
inline bool note(core::Incident& incident, core::Time at, std::string_view kind, std::string text) {
  if (incident.timeline.size() >= kMaxTimeline && kind != "resolved" && kind != "reopened") return false;
  incident.timeline.push_back({at, std::string(kind), std::move(text)});
  return true;
}

}  // namespace weir::incidents
