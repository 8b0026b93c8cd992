#pragma once

#include <string>

#include "notify/registry.h"

namespace weir::notify {

/// An entry of `pagerduty_configs`: routing_key (Events API v2; service_key of the older one is a mistake), url,
/// description (instead of Weir's own), client, client_url, severity, class, component, group, details, send_resolved
/// (true), http_config.
ParsedNotifier parse_pagerduty(const config::Node& node, const ParseContext& context);

struct PagerdutyMessage {
  std::string description = {};  // "" for Weir's own
  std::string client = "Weir";
  std::string client_url = {};  // "" for the page
  std::string severity = {};    // "" for the alerts' own
  std::string event_class = {};
  std::string component = {};
  std::string group = {};
  std::vector<std::pair<std::string, std::string>> details = {};
  std::string note = {};  // among the details, of what went wrong
};

/// The body of POST /v2/enqueue (https://developer.pagerduty.com/docs/events-api-v2-overview): trigger, or resolve with
/// the same dedup_key, which is made of the group. Summaries are cut at 1024 characters.
std::string pagerduty_payload(const core::Notification& notification, const core::Secret& routing_key,
                              const PagerdutyMessage& message, const std::string& external_url);

}  // namespace weir::notify
