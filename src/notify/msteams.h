#pragma once

#include <string>

#include "notify/registry.h"

namespace weir::notify {

/// An entry of `msteams_configs` (also `msteamsv2_configs`): webhook_url (or webhook_url_file) of a workflow "post to a
/// channel when a webhook request is received", title and text (instead of Weir's own), send_resolved (true),
/// http_config.
ParsedNotifier parse_msteams(const config::Node& node, const ParseContext& context);

struct TeamsMessage {
  std::string title = {};  // "" for Weir's own
  std::string text = {};   // "" for the likely cause
  std::string note = {};   // below all, of what went wrong
};

/// A message with one adaptive card, which both workflows and the older connectors take. At most 25 KiB, for Teams
/// refuses more than 28.
std::string msteams_payload(const core::Notification& notification, const TeamsMessage& message,
                            const std::string& external_url);

}  // namespace weir::notify
