#include "notify/pagerduty.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/reader_checks.h"
#include "notify/http_delivery.h"
#include "notify/message_text.h"
#include "notify/payload.h"

namespace weir::notify {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSummary = 1024;
constexpr std::size_t kDetails = 16'000;
constexpr std::size_t kField = 1'000;    // class, component, group, a URL
constexpr std::size_t kEvent = 500'000;  // bytes of an event; PagerDuty takes 512 KiB

struct PagerdutySettings {
  HttpTarget target;
  core::Secret routing_key;
  MessageText description;
  MessageText client;
  MessageText client_url;
  MessageText severity;
  MessageText event_class;
  MessageText component;
  MessageText group;
  MessageTextMap details;
};

PagerdutyMessage rendered(const PagerdutySettings& settings, MessageRenderer& renderer) {
  PagerdutyMessage message{.description = renderer.render(settings.description),
                           .client = renderer.render(settings.client),
                           .client_url = renderer.render(settings.client_url),
                           .severity = renderer.render(settings.severity),
                           .event_class = renderer.render(settings.event_class),
                           .component = renderer.render(settings.component),
                           .group = renderer.render(settings.group),
                           .details = renderer.render(settings.details),
                           .note = {}};
  if (message.client.empty()) message.client = PagerdutyMessage{}.client;
  message.note = renderer.problems();
  return message;
}

/// One of the four that PagerDuty knows.
std::string severity_of(const core::Notification& notification, const std::string& given) {
  constexpr std::array<std::string_view, 4> kKnown{"critical", "error", "warning", "info"};
  const std::string_view wanted = given.empty() ? worst_severity(notification.alerts) : std::string_view(given);
  return std::ranges::find(kKnown, wanted) == kKnown.end() ? "error" : std::string(wanted);
}

class Pagerduty final : public Notifier {
 public:
  Pagerduty(PagerdutySettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    MessageRenderer renderer(message.notification, tools_.external_url, context.now);
    const PagerdutyMessage event = rendered(settings_, renderer);
    const auto answer = post_json(
        tools_.http, settings_.target,
        pagerduty_payload(message.notification, settings_.routing_key, event, tools_.external_url), {}, context);
    if (!answer) return std::unexpected(answer.error());
    return Receipt{.status = answer->status, .template_problems = renderer.problems()};
  }

 private:
  PagerdutySettings settings_;
  NotifierTools tools_;
};

}  // namespace

std::string pagerduty_payload(const core::Notification& notification, const core::Secret& routing_key,
                              const PagerdutyMessage& message, const std::string& external_url) {
  const bool resolved = notification.status == "resolved";
  const std::string link = page_link(external_url, notification.incident_id);
  Json event{{"routing_key", routing_key.reveal()},
             {"event_action", resolved ? "resolve" : "trigger"},
             {"dedup_key", dedup_key(notification)},
             {"client", cut(message.client, kField)}};
  if (const std::string url = message.client_url.empty() ? link : message.client_url; !url.empty())
    event["client_url"] = cut(url, kField);
  if (!link.empty()) event["links"] = Json::array({{{"href", link}, {"text", "Open in Weir"}}});
  Json details = Json::object();
  for (const auto& [name, text] : impact_fields(notification)) details[name] = text;
  for (const auto& [name, text] : message.details) details[name] = cut(text, kDetails);
  if (!notification.cause.empty()) details["likely_cause"] = cut(plain_cause(notification), kDetails);
  details["alerts"] = cut(plain_alerts(notification, 20), kDetails);
  details["subject"] = cut(plain_subject(notification), kField);
  if (!message.note.empty()) details["note"] = message.note;
  Json payload{{"summary", cut(message.description.empty() ? headline(notification) : message.description, kSummary)},
               {"source", cut(plain_subject(notification), 200)},
               {"severity", severity_of(notification, message.severity)},
               {"custom_details", std::move(details)}};
  if (!notification.alerts.empty()) {
    const core::Alert& first = notification.alerts.front();
    payload["timestamp"] = core::format_rfc3339(first.fired_at.value_or(first.active_at));
  }
  for (const auto& [key, text] : {std::pair<const char*, const std::string*>{"class", &message.event_class},
                                  {"component", &message.component},
                                  {"group", &message.group}}) {
    if (!text->empty()) payload[key] = cut(*text, kField);
  }
  event["payload"] = std::move(payload);
  std::string text = event.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= kEvent) return text;
  Json& kept = event["payload"]["custom_details"];
  for (const auto& [name, value] : message.details) kept.erase(name);
  kept["note"] = "the details that are configured were left out: the event would have been larger than PagerDuty takes";
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ParsedNotifier parse_pagerduty(const config::Node& node, const ParseContext& context) {
  config::MapReader reader(node, context.diagnostics, context.what);
  PagerdutySettings settings;
  settings.target = parse_http_target(reader, "url", context.global.http, core::Secret(context.global.pagerduty_url));
  bool older = false;
  for (const std::string_view key : {"service_key", "service_key_file"}) {
    if (!reader.has(key)) continue;
    reader.error(key, "is of the older Events API; give routing_key, of an integration \"Events API v2\"");
    older = true;
  }
  if (!older) {
    settings.routing_key = config::required_secret(reader, "routing_key");
  }
  MessageTexts texts(reader, context.library);
  settings.description = texts.text("description");
  settings.client = texts.text("client");
  settings.client_url = texts.text("client_url");
  settings.severity = texts.text("severity");
  settings.event_class = texts.text("class");
  settings.component = texts.text("component");
  settings.group = texts.text("group");
  settings.details = texts.map("details");
  const bool send_resolved = reader.boolean("send_resolved", true);
  not_applied(reader, {"images", "links", "source"});
  reader.finish();
  return {.send_resolved = send_resolved,
          .make = [settings](const NotifierTools& tools) { return std::make_unique<Pagerduty>(settings, tools); }};
}

}  // namespace weir::notify
