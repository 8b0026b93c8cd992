#include "notify/router.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace weir::notify {
namespace {

const core::Incident* incident_of(const std::vector<core::Incident>& incidents, const core::Alert& alert) {
  for (const core::Incident& incident : incidents) {
    for (const core::Alert& member : incident.alerts) {
      if (member.fingerprint == alert.fingerprint && member.rule == alert.rule) return &incident;
    }
  }
  return nullptr;
}

core::Labels group_labels(const Route& route, const core::Labels& labels) {
  core::LabelsBuilder builder;
  for (const auto& [name, value] : labels) {
    const bool all = std::ranges::find(route.group_by, "...") != route.group_by.end();
    if (all || std::ranges::find(route.group_by, name) != route.group_by.end()) builder.set(name, value);
  }
  return builder.build();
}

/// The same for the same news to the same endpoint, however often it is computed.
std::string idempotency_key(const core::Notification& notification, core::Time at) {
  std::string text = notification.receiver + "\n" + notification.incident_id + "\n" + notification.group_key + "\n" +
                     notification.status + "\n" + std::to_string(at.time_since_epoch().count());
  for (const core::Alert& alert : notification.alerts)
    text += fmt::format("\n{:016x} {}", alert.fingerprint, alert.rule);
  return fmt::format("{:016x}", core::Labels{{"message", text}}.hash());
}

using Key = std::tuple<const Route*, std::string, core::Labels, bool>;

}  // namespace

std::vector<core::OutboxMessage> route(const RoutingSettings& routing, const std::vector<core::Incident>& incidents,
                                       const std::vector<core::Transition>& transitions, core::Time now) {
  std::vector<core::OutboxMessage> messages;
  if (!routing.root) return messages;
  // Ordered by status so that what fired is queued before what resolved.
  std::map<std::pair<bool, Key>, std::vector<core::Alert>> groups;
  for (const core::Transition& transition : transitions) {
    const bool firing = transition.to == core::AlertState::firing;
    const bool resolved = transition.from == core::AlertState::firing && transition.to == core::AlertState::inactive;
    const core::Incident* incident = firing || resolved ? incident_of(incidents, transition.alert) : nullptr;
    if (incident == nullptr) continue;
    for (const Route* target : routes_for(*routing.root, transition.alert.labels)) {
      groups[{resolved, Key(target, incident->id, group_labels(*target, transition.alert.labels), resolved)}].push_back(
          transition.alert);
    }
  }
  for (auto& [key, alerts] : groups) {
    const auto& [target, incident_id, labels, resolved] = key.second;
    const auto receiver = std::ranges::find(routing.receivers, target->receiver, &ReceiverSettings::name);
    const auto incident = std::ranges::find(incidents, incident_id, &core::Incident::id);
    if (receiver == routing.receivers.end()) continue;
    for (std::size_t i = 0; i < receiver->endpoints.size(); ++i) {
      if (resolved && !receiver->endpoints[i].send_resolved) continue;
      core::Notification notification{.receiver = receiver->name + "/" + std::to_string(i),
                                      .status = resolved ? "resolved" : "firing",
                                      .group_key = "{}:" + labels.to_string(),
                                      .group_labels = labels,
                                      .incident_id = incident_id,
                                      .incident_title = incident->title,
                                      .cause = incident->cause,
                                      .alerts = alerts};
      const std::string id = idempotency_key(notification, now);
      messages.push_back({.sequence = 0,
                          .idempotency_key = id,
                          .notification = std::move(notification),
                          .created_at = now,
                          .next_attempt_at = now,
                          .attempts = 0,
                          .last_error = {}});
    }
  }
  return messages;
}

std::vector<std::pair<std::string, EndpointSettings>> endpoints(const RoutingSettings& routing) {
  std::vector<std::pair<std::string, EndpointSettings>> found;
  for (const ReceiverSettings& receiver : routing.receivers) {
    for (std::size_t i = 0; i < receiver.endpoints.size(); ++i) {
      found.emplace_back(receiver.name + "/" + std::to_string(i), receiver.endpoints[i]);
    }
  }
  return found;
}

}  // namespace weir::notify
