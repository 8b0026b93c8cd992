#pragma once

#include <vector>

#include "core/incident.h"
#include "notify/routing.h"

namespace weir::notify {

/// Who is to be told of these transitions: one message for each (route, incident, status, endpoint), with all
/// alerts that changed. `incidents` are those that the transitions belong to, as they are afterwards. A
/// message's receiver is "<name>/<n>", the n-th endpoint of the receiver, so that each is retried alone.
std::vector<core::OutboxMessage> route(const RoutingSettings& routing, const std::vector<core::Incident>& incidents,
                                       const std::vector<core::Transition>& transitions, core::Time now);

/// Receiver names as used in messages, with their settings.
std::vector<std::pair<std::string, EndpointSettings>> endpoints(const RoutingSettings& routing);

}  // namespace weir::notify
