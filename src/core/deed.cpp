#include "core/deed.h"

#include <algorithm>

namespace weir::core {

IncidentTimes times_of(const Incident& incident) {
  IncidentTimes times;
  const auto since = [&](Time from, Time to) { return std::max(to - from, Duration(0)); };
  if (incident.began_at) times.to_detect = since(*incident.began_at, incident.opened_at);
  if (incident.handling.acknowledged_at && incident.handling.merged_into.empty())
    times.to_acknowledge = since(incident.opened_at, *incident.handling.acknowledged_at);
  if (incident.resolved_at) times.to_resolve = since(incident.opened_at, *incident.resolved_at);
  return times;
}

}  // namespace weir::core
