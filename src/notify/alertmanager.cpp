#include "notify/alertmanager.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "config/reader.h"
#include "notify/payload.h"

namespace weir::notify {
namespace {

using Json = nlohmann::ordered_json;

bool is_resolved(const core::Alert& alert) { return alert.resolved_at && alert.state != core::AlertState::firing; }

/// Without what may be a credential.
std::string shown_url(const std::string& url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find_first_of("/?#", host), url.size());
  const std::size_t user = url.rfind('@', path);
  std::string text = url.substr(0, std::min(url.find_first_of("?#", host), url.size()));
  if (user != std::string::npos && user >= host && user < path) text.erase(host, user + 1 - host);
  return text;
}

AlertmanagerSettings parse_one(const config::Node& node, std::size_t index, config::Diagnostics& diagnostics) {
  const std::size_t mistakes = diagnostics.errors().size();
  config::MapReader reader(node, diagnostics, "alertmanagers[" + std::to_string(index) + "]");
  AlertmanagerSettings settings;
  settings.target = parse_http_target(reader, "url");
  settings.timeout = reader.duration("timeout", settings.timeout);
  if (settings.timeout < std::chrono::milliseconds(100)) reader.error("timeout", "must be at least 100ms");
  reader.finish();
  if (diagnostics.errors().size() != mistakes) return settings;
  std::string url = settings.target.url.reveal();
  while (url.ends_with('/')) url.pop_back();
  settings.name = shown_url(url);
  settings.target.url = core::Secret(url + "/api/v2/alerts");
  return settings;
}

Json json_of(const core::Labels& labels) {
  Json object = Json::object();
  for (const auto& [name, value] : labels) object[std::string(name)] = value;
  return object;
}

}  // namespace

std::vector<AlertmanagerSettings> parse_alertmanagers(const config::Node& section, config::Diagnostics& diagnostics) {
  constexpr std::size_t kMost = 16;
  std::vector<AlertmanagerSettings> all;
  if (section.is_null()) return all;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(),
                      "alertmanagers: expected a list (begin each entry with \"- url: …\"), found " +
                          std::string(section.kind_name()));
    return all;
  }
  if (section.items().size() > kMost)
    diagnostics.error(section.items()[kMost].position(), "alertmanagers: at most 16 can be told");
  std::set<std::string> names;
  for (const config::Node& node : section.items()) {
    all.push_back(parse_one(node, all.size(), diagnostics));
    const std::string& name = all.back().name;
    if (!name.empty() && !names.insert(name).second)
      diagnostics.error(node.position(), "alertmanagers: \"" + name + "\" is given twice");
  }
  return all;
}

std::vector<PostedAlert> AlertSchedule::due(std::span<const core::GeneratedAlert> alerts, core::Time now) {
  std::vector<PostedAlert> due;
  std::set<Key> present;
  for (const auto& [alert, interval] : alerts) {
    if (!alert.fired_at || alert.state == core::AlertState::pending) continue;
    const auto key = present.emplace(alert.group, alert.labels).first;
    const auto before = sent_.find(*key);
    const bool changed = before == sent_.end() || is_resolved(alert) != is_resolved(before->second.alert) ||
                         alert.fired_at != before->second.alert.fired_at;
    if (!changed && now - before->second.at < kResendDelay) continue;
    const core::Time ends_at = is_resolved(alert) ? *alert.resolved_at : now + 4 * std::max(interval, kResendDelay);
    due.push_back({alert, *alert.fired_at, ends_at});
  }
  std::erase_if(sent_,
                [&](const auto& entry) { return !present.contains(entry.first) && is_resolved(entry.second.alert); });
  for (const auto& [key, sent] : sent_) {
    if (present.contains(key)) continue;
    core::Alert ended = sent.alert;
    ended.state = core::AlertState::inactive;
    ended.resolved_at = now;
    due.push_back({ended, *ended.fired_at, now});
  }
  return due;
}

void AlertSchedule::sent(std::span<const PostedAlert> posted, core::Time now) {
  for (const PostedAlert& each : posted)
    sent_.insert_or_assign(Key{each.alert.group, each.alert.labels}, Sent{now, each.alert});
}

std::string alertmanager_payload(std::span<const PostedAlert> alerts, const std::string& external_url) {
  Json list = Json::array();
  for (const PostedAlert& each : alerts) {
    list.push_back({{"labels", json_of(each.alert.labels)},
                    {"annotations", json_of(each.alert.annotations)},
                    {"startsAt", core::format_rfc3339(each.starts_at)},
                    {"endsAt", core::format_rfc3339(each.ends_at)},
                    {"generatorURL", page_link(external_url, "")}});
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weir::notify
