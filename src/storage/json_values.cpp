#include "storage/json_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <vector>

#include "core/utf8.h"

namespace weir::storage {
namespace {

using nlohmann::json;

// Labels come from outside and need not be UTF-8. They must come back as they were, for the fingerprint is made of
// them: a set that JSON cannot hold is a list of pairs of lists of bytes.
bool is_utf8(const core::Labels& labels) {
  try {
    for (const auto& [name, value] : labels) (void)json{std::string(name), std::string(value)}.dump();
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

std::vector<unsigned char> to_bytes(std::string_view text) { return {text.begin(), text.end()}; }
std::string from_bytes(const json& bytes) {
  const auto held = bytes.get<std::vector<unsigned char>>();
  return {held.begin(), held.end()};
}

json of_labels(const core::Labels& labels) {
  json object = json::object();
  if (is_utf8(labels)) {
    for (const auto& [name, value] : labels) object[std::string(name)] = value;
    return object;
  }
  json pairs = json::array();
  for (const auto& [name, value] : labels) pairs.push_back({to_bytes(name), to_bytes(value)});
  return pairs;
}

core::Labels to_labels(const json& stored) {
  core::LabelsBuilder builder;
  if (stored.is_array()) {
    for (const json& pair : stored) builder.set(from_bytes(pair.at(0)), from_bytes(pair.at(1)));
  } else {
    for (const auto& [name, value] : stored.items()) builder.set(name, value.get<std::string>());
  }
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
          {"value", of_number(alert.value)},
          {"keep_firing_since", of_time(alert.keep_firing_since)}};
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
  alert.keep_firing_since = to_time(object.at("keep_firing_since"));
  return alert;
}

json of_told(const core::ToldState& told) {
  return {{"integration", told.integration}, {"firing", told.firing}, {"resolved", told.resolved},
          {"at", of_time(told.at)},          {"merged", told.merged}, {"silenced", told.silenced}};
}

core::ToldState to_told(const json& object) {
  return {.integration = object.at("integration").get<std::string>(),
          .firing = object.at("firing").get<std::vector<std::uint64_t>>(),
          .resolved = object.at("resolved").get<std::vector<std::uint64_t>>(),
          .at = to_time(object.at("at")).value_or(core::Time()),
          .merged = object.at("merged").get<bool>(),
          .silenced = object.value("silenced", std::vector<std::uint64_t>())};
}

json of_note(const core::IncidentNote& note) {
  return {{"id", note.id},
          {"title", note.title},
          {"cause", note.cause},
          {"labels", of_labels(note.labels)},
          {"owner", note.owner},
          {"evidence", note.evidence},
          {"merged_into", note.merged_into}};
}

core::IncidentNote to_note(const json& object) {
  return {.id = object.at("id").get<std::string>(),
          .title = object.at("title").get<std::string>(),
          .cause = object.at("cause").get<std::string>(),
          .labels = to_labels(object.at("labels")),
          .owner = object.value("owner", ""),
          .evidence = object.value("evidence", std::vector<std::string>()),
          .merged_into = object.value("merged_into", "")};
}

json of_node(const core::Node& node) { return {node.kind, node.place, node.name}; }

core::Node to_node(const json& object) {
  return {.kind = object.at(0).get<std::string>(),
          .place = object.at(1).get<std::string>(),
          .name = object.at(2).get<std::string>()};
}

json of_handling(const core::Handling& handling) {
  return {{"owner", handling.owner},
          {"acknowledged_by", handling.acknowledged_by},
          {"acknowledged_at", of_time(handling.acknowledged_at)},
          {"merged_into", handling.merged_into}};
}

core::Handling to_handling(const json& object) {
  return {.owner = object.value("owner", ""),
          .acknowledged_by = object.value("acknowledged_by", ""),
          .acknowledged_at = to_time(object.value("acknowledged_at", json())),
          .merged_into = object.value("merged_into", "")};
}

json of_reasons(const core::Reasons& reasons) {
  json affected = json::array();
  for (const core::Node& node : reasons.affected) affected.push_back(of_node(node));
  return {{"hypothesis", reasons.hypothesis},
          {"score", of_number(reasons.score)},
          {"evidence", reasons.evidence},
          {"origin", reasons.origin ? of_node(*reasons.origin) : json(nullptr)},
          {"affected", affected}};
}

core::Reasons to_reasons(const json& object) {
  core::Reasons reasons{.hypothesis = object.value("hypothesis", ""),
                        .score = to_number(object.value("score", json(0))),
                        .evidence = object.value("evidence", std::vector<std::string>())};
  if (const json origin = object.value("origin", json()); !origin.is_null()) reasons.origin = to_node(origin);
  for (const json& node : object.value("affected", json::array())) reasons.affected.push_back(to_node(node));
  return reasons;
}

json of_earlier(const std::optional<core::EarlierCause>& earlier) {
  if (!earlier) return nullptr;
  return {{"reasons", of_reasons(earlier->reasons)}, {"cause", earlier->cause}, {"until", of_time(earlier->until)}};
}

std::optional<core::EarlierCause> to_earlier(const json& object) {
  if (object.is_null()) return std::nullopt;
  return core::EarlierCause{.reasons = to_reasons(object.at("reasons")),
                            .cause = object.at("cause").get<std::string>(),
                            .until = to_time(object.at("until")).value_or(core::Time())};
}

constexpr std::array<std::string_view, 4> kMatchOps{"=", "!=", "=~", "!~"};

json of_matcher(const core::Matcher& matcher) {
  return {matcher.name, kMatchOps.at(static_cast<std::size_t>(matcher.op)), matcher.value};
}

core::Matcher to_matcher(const json& object) {
  const auto op = std::ranges::find(kMatchOps, object.at(1).get<std::string>());
  if (op == kMatchOps.end()) throw std::invalid_argument("no such operator of a matcher");
  return {.name = object.at(0).get<std::string>(),
          .op = static_cast<core::MatchOp>(op - kMatchOps.begin()),
          .value = object.at(2).get<std::string>()};
}

// Entries of timelines that people wrote.
constexpr std::array<std::string_view, 7> kOfPeople{"acknowledged", "assigned", "commented", "resolved",
                                                    "reopened",     "merged",   "silenced"};

// In texts for people, what is not UTF-8 is replaced rather than refused.
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

std::string write_label_pair(const std::string& name, const std::string& value) {
  return dump(json(name)) + ":" + dump(json(value));
}

std::string searchable(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = core::utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 1) {
      valid += first < 0x20 ? ' ' : static_cast<char>(first >= 'A' && first <= 'Z' ? first + 32 : first);
    } else {
      valid += length == 0 ? std::string_view("?") : text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

std::string write_search_text(const core::Incident& incident) {
  constexpr std::size_t kMost = 64U << 10U;
  std::string text = incident.id;
  const auto add = [&](std::string_view more) {
    if (text.size() + more.size() < kMost) text.append(" ").append(more);
  };
  for (const std::string* each : {&incident.title, &incident.cause, &incident.handling.owner}) add(*each);
  for (const auto& [name, value] : incident.labels) add(std::string(name) + "=" + std::string(value));
  std::set<std::string_view> names;
  for (const core::Alert& alert : incident.alerts) {
    if (names.insert(alert.rule).second) add(alert.rule);
  }
  for (const core::TimelineEntry& entry : incident.timeline) {
    const auto found = std::ranges::find(kOfPeople, entry.kind);
    if (found != kOfPeople.end()) add(entry.text);
  }
  return searchable(text);
}

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
               {"owner", notification.owner},
               {"evidence", notification.evidence},
               {"incident_state", notification.incident_state},
               {"integration", notification.integration},
               {"truncated_alerts", notification.truncated_alerts},
               {"alerts", alerts}});
}

std::string write_incident_details(const core::Incident& incident) {
  return dump({{"began_at", of_time(incident.began_at)},
               {"handling", of_handling(incident.handling)},
               {"reasons", of_reasons(incident.reasons)},
               {"earlier", of_earlier(incident.earlier)}});
}

core::Result<void> read_incident_details(std::string_view text, core::Incident& incident) {
  auto details = reading(text, [](const json& object) {
    core::Incident read;
    read.began_at = to_time(object.value("began_at", json()));
    read.handling = to_handling(object.value("handling", json::object()));
    read.reasons = to_reasons(object.value("reasons", json::object()));
    read.earlier = to_earlier(object.value("earlier", json()));
    return read;
  });
  if (!details) return std::unexpected(std::move(details.error()));
  incident.began_at = details->began_at;
  incident.handling = std::move(details->handling);
  incident.reasons = std::move(details->reasons);
  incident.earlier = std::move(details->earlier);
  return {};
}

std::string write_group(const core::GroupRecord& record) {
  json told = json::array();
  for (const core::ToldState& one : record.told) told.push_back(of_told(one));
  json resolved = json::array();
  for (const auto& [alert, incident] : record.resolved) resolved.push_back({of_alert(alert), incident});
  json incidents = json::array();
  for (const core::IncidentNote& note : record.incidents) incidents.push_back(of_note(note));
  return dump({{"next_flush", of_time(record.next_flush)},
               {"flushed", record.flushed},
               {"told", told},
               {"resolved", resolved},
               {"incidents", incidents}});
}

core::Result<core::GroupRecord> read_group(std::string_view text) {
  return reading(text, [](const json& object) {
    core::GroupRecord record;
    record.next_flush = to_time(object.at("next_flush")).value_or(core::Time());
    record.flushed = object.at("flushed").get<bool>();
    for (const json& told : object.at("told")) record.told.push_back(to_told(told));
    for (const json& pair : object.at("resolved"))
      record.resolved.emplace_back(to_alert(pair.at(0)), pair.at(1).get<std::string>());
    for (const json& note : object.at("incidents")) record.incidents.push_back(to_note(note));
    return record;
  });
}

std::string write_silence(const core::Silence& silence) {
  json matchers = json::array();
  for (const core::Matcher& matcher : silence.matchers) matchers.push_back(of_matcher(matcher));
  return dump({{"id", silence.id},
               {"matchers", matchers},
               {"starts_at", of_time(silence.starts_at)},
               {"ends_at", of_time(silence.ends_at)},
               {"updated_at", of_time(silence.updated_at)},
               {"created_by", silence.created_by},
               {"comment", silence.comment}});
}

core::Result<core::Silence> read_silence(std::string_view text) {
  return reading(text, [](const json& object) {
    core::Silence silence;
    silence.id = object.at("id").get<std::string>();
    for (const json& matcher : object.at("matchers")) silence.matchers.push_back(to_matcher(matcher));
    silence.starts_at = to_time(object.at("starts_at")).value_or(core::Time());
    silence.ends_at = to_time(object.at("ends_at")).value_or(core::Time());
    silence.updated_at = to_time(object.at("updated_at")).value_or(core::Time());
    silence.created_by = object.at("created_by").get<std::string>();
    silence.comment = object.at("comment").get<std::string>();
    return silence;
  });
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
    notification.owner = object.value("owner", "");
    notification.evidence = object.value("evidence", std::vector<std::string>());
    notification.incident_state = object.value("incident_state", "");
    notification.integration = object.at("integration").get<std::string>();
    notification.truncated_alerts = object.at("truncated_alerts").get<std::size_t>();
    for (const json& alert : object.at("alerts")) notification.alerts.push_back(to_alert(alert));
    return notification;
  });
}

}  // namespace weir::storage
