#include "notify/heartbeat.h"

#include <nlohmann/json.hpp>
#include <set>

#include "config/reader.h"
#include "notify/payload.h"

namespace weir::notify {

std::vector<HeartbeatSettings> parse_heartbeats(const config::Node& section, config::Diagnostics& diagnostics) {
  constexpr std::size_t kMost = 16;
  std::vector<HeartbeatSettings> all;
  if (section.is_null()) return all;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(), "heartbeats: expected a list (begin each entry with \"- name: …\"), found " +
                                              std::string(section.kind_name()));
    return all;
  }
  if (section.items().size() > kMost)
    diagnostics.error(section.items()[kMost].position(), "heartbeats: there can be at most 16");
  std::set<std::string> names;
  for (const config::Node& node : section.items()) {
    config::MapReader reader(node, diagnostics, "heartbeats[" + std::to_string(all.size()) + "]");
    HeartbeatSettings settings;
    settings.name = reader.required_text("name");
    settings.target = parse_http_target(reader, "url");
    settings.interval = reader.duration("interval", settings.interval);
    settings.timeout = reader.duration("timeout", settings.timeout);
    if (settings.interval < std::chrono::seconds(1) || settings.interval > std::chrono::hours(24))
      reader.error("interval", "must be from 1s to 1d");
    if (settings.timeout < std::chrono::milliseconds(100)) reader.error("timeout", "must be at least 100ms");
    reader.finish();
    if (!settings.name.empty() && !names.insert(settings.name).second)
      diagnostics.error(node.position(), "heartbeats: the name \"" + settings.name + "\" is given twice");
    all.push_back(std::move(settings));
  }
  return all;
}

std::string heartbeat_payload(const HeartbeatSettings& settings, const std::string& external_url, core::Time now) {
  const nlohmann::ordered_json payload{{"heartbeat", settings.name},
                                       {"status", "alive"},
                                       {"at", core::format_rfc3339(now)},
                                       {"externalURL", page_link(external_url, "")}};
  return payload.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weir::notify
