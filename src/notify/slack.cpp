#include "notify/slack.h"

#include <nlohmann/json.hpp>

#include "config/reader.h"
#include "notify/registry.h"

namespace weir::notify {
namespace {

using nlohmann::json;

constexpr std::size_t kMostAlerts = 10;
constexpr std::size_t kMostText = 3000;  // of a text object in a section
constexpr std::size_t kMostTitle = 150;  // of a header

/// Cuts at a character's edge, not inside its UTF-8 bytes.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

json section(const std::string& text) {
  return {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", cut(text, kMostText)}}}};
}

std::string describe(const core::Alert& alert) {
  std::string summary(alert.annotations.get("summary"));
  if (summary.empty()) summary = alert.rule + " " + alert.labels.without("alertname").to_string();
  const std::string mark = alert.resolved_at ? ":white_check_mark: " : ":red_circle: ";
  return mark + "*" + slack_escape(alert.rule) + "* " + slack_escape(summary);
}

class Slack final : public Notifier {
 public:
  Slack(EndpointSettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  core::Result<Receipt> deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    net::HttpRequest request;
    request.method = "POST";
    request.url = settings_.url.reveal();
    request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", message.idempotency_key}};
    request.body = slack_payload(message.notification, tools_.external_url, settings_.channel);
    request.timeout = context.timeout;
    request.max_response_bytes = 64U << 10U;
    auto response = tools_.http.send(request, context.stop);
    if (!response) {
      // Slack's URL is a secret from end to end, its path included.
      core::Error error = response.error();
      error.where = "slack";
      return std::unexpected(error);
    }
    Receipt receipt = read_answer(*response);
    // Slack may answer 200 and still refuse, in words.
    if (receipt.error.empty() && response->body != "ok") {
      receipt.error = "Slack refused the message: " + response->body.substr(0, 200);
      receipt.permanent = true;
    }
    return receipt;
  }

 private:
  EndpointSettings settings_;
  NotifierTools tools_;
};

}  // namespace

std::string slack_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string slack_payload(const core::Notification& notification, const std::string& external_url,
                          const std::string& channel) {
  const bool resolved = notification.status == "resolved";
  const std::string title = (resolved ? "Resolved: " : "") + notification.incident_title;
  json blocks = json::array();
  blocks.push_back({{"type", "header"}, {"text", {{"type", "plain_text"}, {"text", cut(title, kMostTitle)}}}});
  if (!notification.cause.empty()) blocks.push_back(section("*Likely cause:* " + slack_escape(notification.cause)));
  for (std::size_t i = 0; i < std::min(kMostAlerts, notification.alerts.size()); ++i) {
    blocks.push_back(section(describe(notification.alerts[i])));
  }
  if (notification.alerts.size() > kMostAlerts) {
    blocks.push_back(section("and " + std::to_string(notification.alerts.size() - kMostAlerts) + " more"));
  }
  if (!external_url.empty()) {
    blocks.push_back(section("<" + external_url + "/#incident/" + notification.incident_id + "|Open in Weir>"));
  }
  json message = {{"text", cut(slack_escape(title), kMostText)},
                  {"attachments", json::array({{{"color", resolved ? "#2eb67d" : "#e01e5a"}, {"blocks", blocks}}})}};
  if (!channel.empty()) message["channel"] = channel;
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

EndpointSettings parse_slack(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "slack");
  EndpointSettings endpoint;
  endpoint.url = reader.secret("api_url");
  if (endpoint.url.empty()) reader.error(node, "key \"api_url\" is missing (the URL of an incoming webhook)");
  endpoint.channel = reader.text("channel");
  endpoint.send_resolved = reader.boolean("send_resolved", true);
  reader.finish();
  return endpoint;
}

std::unique_ptr<Notifier> make_slack(const EndpointSettings& settings, const NotifierTools& tools) {
  return std::make_unique<Slack>(settings, tools);
}

}  // namespace weir::notify
