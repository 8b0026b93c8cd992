#include "notify/webhook.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/reader.h"
#include "notify/registry.h"

namespace weir::notify {
namespace {

using nlohmann::json;

json of_labels(const core::Labels& labels) {
  json object = json::object();
  for (const auto& [name, value] : labels) object[std::string(name)] = value;
  return object;
}

json of_alert(const core::Alert& alert, const std::string& external_url) {
  const bool resolved = alert.resolved_at.has_value();
  return {{"status", resolved ? "resolved" : "firing"},
          {"labels", of_labels(alert.labels)},
          {"annotations", of_labels(alert.annotations)},
          {"startsAt", core::format_rfc3339(alert.fired_at.value_or(alert.active_at))},
          {"endsAt", resolved ? core::format_rfc3339(*alert.resolved_at) : "0001-01-01T00:00:00Z"},
          {"generatorURL", external_url},
          {"fingerprint", fmt::format("{:016x}", alert.fingerprint)}};
}

/// What all alerts have with the same value.
core::Labels common(const std::vector<core::Alert>& alerts, core::Labels core::Alert::*member) {
  core::LabelsBuilder builder;
  if (alerts.empty()) return builder.build();
  for (const auto& [name, value] : alerts.front().*member) {
    const bool everywhere =
        std::ranges::all_of(alerts, [&](const core::Alert& alert) { return (alert.*member).get(name) == value; });
    if (everywhere) builder.set(name, value);
  }
  return builder.build();
}

class Webhook final : public Notifier {
 public:
  Webhook(EndpointSettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  core::Result<Receipt> deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    net::HttpRequest request;
    request.method = "POST";
    request.url = settings_.url.reveal();
    request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", message.idempotency_key}};
    request.body = webhook_payload(message.notification, tools_.external_url, settings_.max_alerts);
    request.timeout = context.timeout;
    request.max_response_bytes = 64U << 10U;
    if (!settings_.username.empty()) request.basic_auth = {{settings_.username, settings_.password}};
    request.bearer = settings_.bearer;
    auto response = tools_.http.send(request, context.stop);
    if (!response) return std::unexpected(response.error());
    return read_answer(*response);
  }

 private:
  EndpointSettings settings_;
  NotifierTools tools_;
};

void parse_http_config(config::MapReader& reader, EndpointSettings& endpoint) {
  const config::Node* http = reader.child("http_config");
  if (http == nullptr) return;
  config::MapReader http_reader(*http, reader.diagnostics(), "http_config");
  if (const config::Node* basic = http_reader.child("basic_auth")) {
    config::MapReader basic_reader(*basic, reader.diagnostics(), "basic_auth");
    endpoint.username = basic_reader.required_text("username");
    endpoint.password = basic_reader.secret("password");
    basic_reader.finish();
  }
  if (const config::Node* authorization = http_reader.child("authorization")) {
    config::MapReader auth_reader(*authorization, reader.diagnostics(), "authorization");
    auth_reader.choice("type", "Bearer", {"Bearer"});
    endpoint.bearer = auth_reader.secret("credentials");
    auth_reader.finish();
  }
  http_reader.finish();
}

}  // namespace

std::string webhook_payload(const core::Notification& notification, const std::string& external_url,
                            std::size_t max_alerts) {
  const std::size_t kept =
      max_alerts == 0 ? notification.alerts.size() : std::min(max_alerts, notification.alerts.size());
  json alerts = json::array();
  for (std::size_t i = 0; i < kept; ++i) alerts.push_back(of_alert(notification.alerts[i], external_url));
  const json payload = {{"version", "4"},
                        {"groupKey", notification.group_key},
                        {"truncatedAlerts", notification.alerts.size() - kept},
                        {"status", notification.status},
                        {"receiver", notification.receiver},
                        {"groupLabels", of_labels(notification.group_labels)},
                        {"commonLabels", of_labels(common(notification.alerts, &core::Alert::labels))},
                        {"commonAnnotations", of_labels(common(notification.alerts, &core::Alert::annotations))},
                        {"externalURL", external_url},
                        {"alerts", alerts},
                        {"incident_id", notification.incident_id},
                        {"cause", notification.cause}};
  return payload.dump(-1, ' ', false, json::error_handler_t::replace);
}

EndpointSettings parse_webhook(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "webhook");
  EndpointSettings endpoint;
  endpoint.url = reader.secret("url");
  if (endpoint.url.empty()) reader.error(node, "key \"url\" is missing");
  endpoint.send_resolved = reader.boolean("send_resolved", true);
  endpoint.max_alerts = static_cast<std::size_t>(reader.integer("max_alerts", 0, 0, 1'000'000));
  parse_http_config(reader, endpoint);
  reader.finish();
  return endpoint;
}

std::unique_ptr<Notifier> make_webhook(const EndpointSettings& settings, const NotifierTools& tools) {
  return std::make_unique<Webhook>(settings, tools);
}

}  // namespace weir::notify
