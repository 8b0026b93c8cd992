#include "notify/webhook.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/reader.h"
#include "notify/http_delivery.h"
#include "notify/payload.h"

namespace weir::notify {
namespace {

using Json = nlohmann::ordered_json;

struct WebhookSettings {
  HttpTarget target;
  std::size_t max_alerts = 0;
};

Json json_of(const core::Labels& labels) {
  Json object = Json::object();
  for (const auto& [name, value] : labels) object[std::string(name)] = value;
  return object;
}

Json json_of(const core::Alert& alert, const std::string& link) {
  // Go's zero time stands for "has not ended".
  constexpr const char* kNoEnd = "0001-01-01T00:00:00Z";
  const bool ended = alert.state != core::AlertState::firing && alert.resolved_at;
  return {{"status", status_of(alert)},
          {"labels", json_of(alert.labels)},
          {"annotations", json_of(alert.annotations)},
          {"startsAt", core::format_rfc3339(alert.fired_at.value_or(alert.active_at))},
          {"endsAt", ended ? core::format_rfc3339(*alert.resolved_at) : kNoEnd},
          {"generatorURL", link},
          {"fingerprint", fmt::format("{:016x}", alert.fingerprint)}};
}

class Webhook final : public Notifier {
 public:
  Webhook(WebhookSettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    std::string body = webhook_payload(message.notification, settings_.max_alerts, tools_.external_url);
    const auto answer = post_json(tools_.http, settings_.target, std::move(body),
                                  {{"Idempotency-Key", message.idempotency_key}}, context);
    if (!answer) return std::unexpected(answer.error());
    return Receipt{.status = answer->status};
  }

 private:
  WebhookSettings settings_;
  NotifierTools tools_;
};

}  // namespace

std::string webhook_payload(const core::Notification& notification, std::size_t max_alerts,
                            const std::string& external_url) {
  std::vector<core::Alert> alerts = notification.alerts;
  std::size_t truncated = notification.truncated_alerts;
  if (max_alerts != 0 && alerts.size() > max_alerts) {
    truncated += alerts.size() - max_alerts;
    alerts.resize(max_alerts);
  }
  const std::string link = page_link(external_url, notification.incident_id);
  Json list = Json::array();
  for (const core::Alert& alert : alerts) list.push_back(json_of(alert, link));
  const Json payload{{"receiver", notification.receiver},
                     {"status", notification.status},
                     {"alerts", std::move(list)},
                     {"groupLabels", json_of(notification.group_labels)},
                     {"commonLabels", json_of(common_labels(alerts))},
                     {"commonAnnotations", json_of(common_annotations(alerts))},
                     {"externalURL", external_url},
                     {"version", "4"},
                     {"groupKey", notification.group_key},
                     {"truncatedAlerts", truncated},
                     {"incident_id", notification.incident_id},
                     {"incident_state", notification.incident_state},
                     {"cause", plain_cause(notification)}};
  return payload.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ParsedNotifier parse_webhook(const config::Node& node, const ParseContext& context) {
  config::MapReader reader(node, context.diagnostics, context.what);
  WebhookSettings settings{.target = parse_http_target(reader, "url", context.global.http)};
  settings.max_alerts = static_cast<std::size_t>(reader.integer("max_alerts", 0, 0, 1'000'000));
  const bool send_resolved = reader.boolean("send_resolved", true);
  reader.finish();
  return {.send_resolved = send_resolved,
          .make = [settings](const NotifierTools& tools) { return std::make_unique<Webhook>(settings, tools); }};
}

}  // namespace weir::notify
