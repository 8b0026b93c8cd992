#pragma once

#include <string>

#include "notify/registry.h"

namespace weir::notify {

/// An entry of `opsgenie_configs`, also for services with the same API (Jira Service Management, ilert …): api_key,
/// api_url, message, description, source, tags, note, priority, responders, details, entity, actions, send_resolved
/// (true), http_config.
ParsedNotifier parse_opsgenie(const config::Node& node, const ParseContext& context);

struct OpsgenieMessage {
  std::string message = {};
  std::string description = {};
  std::string source = "Weir";
  std::string tags = {};  // comma-separated
  std::string note = {};
  std::string priority = {};  // P1 … P5; anything else by severity
  std::string entity = {};
  std::string actions = {};  // comma-separated
  struct Responder {
    std::string type;  // "team", "user", "escalation" or "schedule"
    std::string key;   // "id", "name" or "username"
    std::string value;
  };
  std::vector<Responder> responders = {};
  std::vector<std::pair<std::string, std::string>> details = {};
  std::string remark = {};  // below the description, of what went wrong
};

/// The body of POST /v2/alerts; the alias is made of the group. What is longer than Opsgenie takes is cut.
std::string opsgenie_payload(const core::Notification& notification, const OpsgenieMessage& message,
                             const std::string& external_url);

}  // namespace weir::notify
