#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/incident.h"
#include "net/http_client.h"
#include "notify/http_delivery.h"
#include "notify/notifier.h"
#include "notify/registry.h"

namespace weir::notify {

/// An entry of `slack_configs`: api_url (or api_url_file) of an incoming webhook or of chat.postMessage, bot_token,
/// channel, send_resolved (false, as in Alertmanager), title, title_link, pretext, text, color and fallback (instead of
/// Weir's own), username, icon_emoji, icon_url, link_names, http_config. Alertmanager's other keys are of its own
/// layout and have no effect, which a hint says.
ParsedNotifier parse_slack(const config::Node& node, const ParseContext& context);

struct SlackMessage {
  std::string channel = {};
  std::string title = {};  // in Slack's markup; "" for "[FIRING:2] <the incident's title>"
  std::string text = {};   // in Slack's markup; "" for the likely cause
  std::string title_link = {};
  std::string pretext = {};
  std::string color = {};     // "" for that of state and severity
  std::string fallback = {};  // "" for the title
  std::string note = {};      // below all, of what went wrong
  std::string username = {};
  std::string icon_emoji = {};
  std::string icon_url = {};
  bool link_names = false;
};

/// The body for an incoming webhook: one attachment with the colour of the state and severity, blocks for title,
/// cause, alerts and what they are about, and the link to the page. Stays within Slack's limits
/// (https://api.slack.com/reference/block-kit/blocks): 3000 characters a section, 2000 a field, 10 fields.
std::string slack_payload(const core::Notification& notification, const SlackMessage& message,
                          const std::string& external_url);

/// Slack's answer with status 2xx: "ok" in an incoming webhook's, {"ok": true} from newer ones. Anything else is an
/// error, retryable where it can pass by itself.
DeliveryResult read_slack_answer(const net::HttpResponse& response, const HttpTarget& target);

/// Whether &, < and > are Slack's markup or to be shown.
enum class SlackMarkup { escaped, kept };

/// `text` with &, < and > escaped (unless they are kept), at most `limit` UTF-16 units of it, cut between characters
/// with "…". Bytes that are not UTF-8 become U+FFFD.
std::string slack_text(std::string_view text, std::size_t limit, SlackMarkup markup = SlackMarkup::escaped);

}  // namespace weir::notify
