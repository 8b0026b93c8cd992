#pragma once

#include <string>

#include "notify/slack.h"

namespace weir::notify {

/// Whether the URL is of Slack's method chat.postMessage, so that what is posted can be changed.
bool is_bot_url(const std::string& url);

/// Tells by a bot: the group's first message is posted, a later one changes it (chat.update), and when all is over it
/// is changed and answered in its thread. Receipt::reference is "<channel> <ts>" while the group's message stands. A
/// message that is gone is posted anew.
DeliveryResult deliver_by_bot(net::HttpClient& http, const HttpTarget& target, const core::OutboxMessage& message,
                              const SlackMessage& settings, const std::string& external_url,
                              const DeliveryContext& context);

}  // namespace weir::notify
