#pragma once

#include <string>

#include "core/incident.h"

namespace weir::notify {

/// A message for Slack's incoming webhooks (https://api.slack.com/messaging/webhooks): one attachment with
/// the colour of the state, in Block Kit. Bounded: 10 alerts are spelled out, 3,000 characters a block.
std::string slack_payload(const core::Notification& notification, const std::string& external_url,
                          const std::string& channel);

/// Text with Slack's control characters escaped: & < >.
std::string slack_escape(std::string_view text);

}  // namespace weir::notify
