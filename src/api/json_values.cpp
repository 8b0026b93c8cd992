#include "api/json_values.h"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/deed.h"

namespace weir::api {

using nlohmann::json;

json to_json(const core::Labels& labels) {
  json object = json::object();
  for (const auto& [name, value] : labels) object[std::string(name)] = value;
  return object;
}

json to_json(const std::optional<core::Time>& time) { return time ? json(core::to_seconds(*time)) : json(nullptr); }

json number_or_null(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json to_json(const core::Alert& alert) {
  return {{"fingerprint", fmt::format("{:016x}", alert.fingerprint)},
          {"name", alert.rule},
          {"state", core::to_string(alert.state)},
          {"severity", alert.labels.get("severity")},
          {"summary", alert.annotations.get("summary")},
          {"labels", to_json(alert.labels)},
          {"annotations", to_json(alert.annotations)},
          {"value", number_or_null(alert.value)},
          {"active_since", core::to_seconds(alert.active_at)}};
}

json to_json(const core::Node& node) { return {{"kind", node.kind}, {"place", node.place}, {"name", node.name}}; }

json to_json(const core::Reasons& reasons) {
  json affected = json::array();
  for (const core::Node& node : reasons.affected) affected.push_back(to_json(node));
  return {{"hypothesis", reasons.hypothesis},
          {"score", number_or_null(reasons.score)},
          {"evidence", reasons.evidence},
          {"origin", reasons.origin ? to_json(*reasons.origin) : json(nullptr)},
          {"affected", std::move(affected)}};
}

json seconds_or_null(const std::optional<core::Duration>& duration) {
  return duration ? json(core::to_seconds(*duration)) : json(nullptr);
}

json to_json(const core::Incident& incident) {
  json alerts = json::array();
  for (const core::Alert& alert : incident.alerts) {
    if (std::ranges::find(alerts, json(alert.rule)) == alerts.end()) alerts.push_back(alert.rule);
  }
  json timeline = json::array();
  for (const core::TimelineEntry& entry : incident.timeline) {
    timeline.push_back({{"at", core::to_seconds(entry.at)}, {"kind", entry.kind}, {"text", entry.text}});
  }
  const core::IncidentTimes times = core::times_of(incident);
  const core::Handling& handling = incident.handling;
  return {{"id", incident.id},
          {"title", incident.title},
          {"severity", incident.severity},
          {"open", incident.open()},
          {"began_at", to_json(incident.began_at)},
          {"opened_at", core::to_seconds(incident.opened_at)},
          {"resolved_at", to_json(incident.resolved_at)},
          {"time_to_detect_seconds", seconds_or_null(times.to_detect)},
          {"time_to_acknowledge_seconds", seconds_or_null(times.to_acknowledge)},
          {"time_to_resolve_seconds", seconds_or_null(times.to_resolve)},
          {"owner", handling.owner},
          {"acknowledged_by", handling.acknowledged_by},
          {"acknowledged_at", to_json(handling.acknowledged_at)},
          {"merged_into", handling.merged_into},
          {"cause", incident.cause},
          {"reasons", to_json(incident.reasons)},
          {"labels", to_json(incident.labels)},
          {"alerts", alerts},
          {"timeline", timeline}};
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace weir::api
