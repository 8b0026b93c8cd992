#pragma once

#include <vector>

#include "core/alert.h"
#include "core/incident.h"
#include "notify/routing.h"

namespace weir::notify {

/// A message names at most that many alerts; the others are counted.
inline constexpr std::size_t kMaxAlertsInMessage = 500;

/// Who is to be told what of one step of the judge. Pure.
///
/// One message for each integration of each receiver and incident in which an alert began or ceased to fire: those
/// alerts first, then the incident's others that still fire. As with Alertmanager its status is "resolved" only when
/// none of them fires. Integrations without send_resolved hear of no resolved alert. `incidents` are those that
/// changed; an alert in none of them is told of by itself. The idempotency key is made of what happened: the same
/// arguments give the same keys.
std::vector<core::OutboxMessage> route(const RoutingSettings& settings, const std::vector<core::Incident>& incidents,
                                       const std::vector<core::Transition>& transitions, core::Time now);

}  // namespace weir::notify
