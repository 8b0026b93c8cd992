#include "notify/slack_bot.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "notify/payload.h"

namespace weir::notify {
namespace {

using nlohmann::json;

constexpr std::string_view kPost = "/chat.postMessage";

/// A message of a bot's: where it is and which.
struct Posted {
  std::string channel;
  std::string ts;
};

Posted read_reference(const std::string& reference) {
  const std::size_t space = reference.find(' ');
  if (space == std::string::npos) return {};
  return {reference.substr(0, space), reference.substr(space + 1)};
}

HttpTarget method(const HttpTarget& target, std::string_view name) {
  HttpTarget other = target;
  const std::string& url = target.url.reveal();
  other.url = core::Secret(url.substr(0, url.size() - kPost.size()) + "/" + std::string(name));
  return other;
}

/// The message that Slack says it has.
std::expected<Posted, DeliveryError> call(net::HttpClient& http, const HttpTarget& target, const json& body,
                                          const DeliveryContext& context) {
  const auto answer = post_json(http, target, body.dump(-1, ' ', false, json::error_handler_t::replace), {}, context);
  if (!answer) return std::unexpected(answer.error());
  if (auto taken = read_slack_answer(*answer, target); !taken) return std::unexpected(taken.error());
  const json read = json::parse(answer->body, nullptr, false);
  Posted posted;
  if (read.is_object() && read.contains("ts") && read["ts"].is_string()) posted.ts = read["ts"].get<std::string>();
  if (read.is_object() && read.contains("channel") && read["channel"].is_string())
    posted.channel = read["channel"].get<std::string>();
  return posted;
}

bool is_gone(const DeliveryError& error) {
  for (const char* name : {"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"}) {
    if (error.error.message.contains(name)) return true;
  }
  return false;
}

}  // namespace

bool is_bot_url(const std::string& url) { return url.ends_with(kPost); }

DeliveryResult deliver_by_bot(net::HttpClient& http, const HttpTarget& target, const core::OutboxMessage& message,
                              const SlackMessage& settings, const std::string& external_url,
                              const DeliveryContext& context) {
  const core::Notification& notification = message.notification;
  const bool resolved = notification.status == "resolved";
  json body = json::parse(slack_payload(notification, settings, external_url));
  const Posted before = read_reference(message.reference);
  if (!before.ts.empty()) {
    json update = body;
    update["channel"] = before.channel;
    update["ts"] = before.ts;
    const auto changed = call(http, method(target, "chat.update"), update, context);
    if (!changed && !is_gone(changed.error())) return std::unexpected(changed.error());
    if (changed && !resolved) return Receipt{.status = 200};
    if (changed) {
      body["channel"] = before.channel;
      body["thread_ts"] = before.ts;
      body["reply_broadcast"] = false;
    }
  }
  const auto posted = call(http, target, body, context);
  if (!posted) return std::unexpected(posted.error());
  Receipt receipt{.status = 200};
  if (resolved) {
    receipt.reference = "";
  } else if (!posted->ts.empty()) {
    receipt.reference = fmt::format("{} {}", posted->channel.empty() ? settings.channel : posted->channel, posted->ts);
  }
  return receipt;
}

}  // namespace weir::notify
