#include "storage/json_values.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace weir::storage {
namespace {

using nlohmann::json;

json of_labels(const core::Labels& labels) {
  json object = json::object();
  for (const auto& [name, value] : labels) object[std::string(name)] = value;
  return object;
}

core::Labels to_labels(const json& object) {
  core::LabelsBuilder builder;
  for (const auto& [name, value] : object.items()) builder.set(name, value.get<std::string>());
  return builder.build();
}

json of_time(const std::optional<core::Time>& time) {
  return time ? json(time->time_since_epoch().count()) : json(nullptr);
}

std::optional<core::Time> to_time(const json& value) {
  if (value.is_null()) return std::nullopt;
  return core::Time(core::Duration(value.get<std::int64_t>()));
}

// JSON has no NaN or infinity; as text they survive.
json of_number(double value) { return std::isfinite(value) ? json(value) : json(std::to_string(value)); }
double to_number(const json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

json of_alert(const core::Alert& alert) {
  return {{"fingerprint", alert.fingerprint},
          {"group", alert.group},
          {"rule", alert.rule},
          {"labels", of_labels(alert.labels)},
          {"annotations", of_labels(alert.annotations)},
          {"state", core::to_string(alert.state)},
          {"active_at", of_time(alert.active_at)},
          {"fired_at", of_time(alert.fired_at)},
          {"resolved_at", of_time(alert.resolved_at)},
          {"value", of_number(alert.value)}};
}

core::Alert to_alert(const json& object) {
  core::Alert alert;
  alert.fingerprint = object.at("fingerprint").get<std::uint64_t>();
  alert.group = object.at("group").get<std::string>();
  alert.rule = object.at("rule").get<std::string>();
  alert.labels = to_labels(object.at("labels"));
  alert.annotations = to_labels(object.at("annotations"));
  alert.state = core::parse_alert_state(object.at("state").get<std::string>()).value_or(core::AlertState::inactive);
  alert.active_at = to_time(object.at("active_at")).value_or(core::Time());
  alert.fired_at = to_time(object.at("fired_at"));
  alert.resolved_at = to_time(object.at("resolved_at"));
  alert.value = to_number(object.at("value"));
  return alert;
}

// Labels come from outside and need not be UTF-8; what is not is replaced rather than refused.
std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

template <class Read>
auto reading(std::string_view text, Read read) -> core::Result<decltype(read(json()))> {
  try {
    return read(json::parse(text));
  } catch (const std::exception& error) {
    return core::fail(core::ErrorKind::storage, std::string("a stored value cannot be read: ") + error.what());
  }
}

}  // namespace

std::string write_labels(const core::Labels& labels) { return dump(of_labels(labels)); }
std::string write_alert(const core::Alert& alert) { return dump(of_alert(alert)); }

std::string write_notification(const core::Notification& notification) {
  json alerts = json::array();
  for (const core::Alert& alert : notification.alerts) alerts.push_back(of_alert(alert));
  return dump({{"receiver", notification.receiver},
               {"status", notification.status},
               {"group_key", notification.group_key},
               {"group_labels", of_labels(notification.group_labels)},
               {"incident_id", notification.incident_id},
               {"incident_title", notification.incident_title},
               {"cause", notification.cause},
               {"alerts", alerts}});
}

core::Result<core::Labels> read_labels(std::string_view text) { return reading(text, to_labels); }
core::Result<core::Alert> read_alert(std::string_view text) { return reading(text, to_alert); }

core::Result<core::Notification> read_notification(std::string_view text) {
  return reading(text, [](const json& object) {
    core::Notification notification;
    notification.receiver = object.at("receiver").get<std::string>();
    notification.status = object.at("status").get<std::string>();
    notification.group_key = object.at("group_key").get<std::string>();
    notification.group_labels = to_labels(object.at("group_labels"));
    notification.incident_id = object.at("incident_id").get<std::string>();
    notification.incident_title = object.at("incident_title").get<std::string>();
    notification.cause = object.at("cause").get<std::string>();
    for (const json& alert : object.at("alerts")) notification.alerts.push_back(to_alert(alert));
    return notification;
  });
}

}  // namespace weir::storage
