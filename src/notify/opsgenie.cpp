#include "notify/opsgenie.h"

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

constexpr std::size_t kMessage = 130;
constexpr std::size_t kDescription = 15'000;

struct OpsgenieSettings {
  HttpTarget target;  // of /v2/alerts
  std::vector<OpsgenieMessage::Responder> responders;
  MessageText message;
  MessageText description;
  MessageText source;
  MessageText tags;
  MessageText note;
  MessageText priority;
  MessageText entity;
  MessageText actions;
  MessageTextMap details;
};

OpsgenieMessage rendered(const OpsgenieSettings& settings, MessageRenderer& renderer) {
  OpsgenieMessage message{.message = renderer.render(settings.message),
                          .description = renderer.render(settings.description),
                          .source = renderer.render(settings.source),
                          .tags = renderer.render(settings.tags),
                          .note = renderer.render(settings.note),
                          .priority = renderer.render(settings.priority),
                          .entity = renderer.render(settings.entity),
                          .actions = renderer.render(settings.actions),
                          .responders = settings.responders,
                          .details = renderer.render(settings.details),
                          .remark = {}};
  if (message.source.empty()) message.source = OpsgenieMessage{}.source;
  message.remark = renderer.note();
  return message;
}

std::string priority_of(const core::Notification& notification) {
  const std::string_view severity = worst_severity(notification.alerts);
  if (severity == "critical") return "P1";
  return severity == "warning" ? "P3" : "P4";
}

Json split(const std::string& text) {
  Json list = Json::array();
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    std::string one = text.substr(start, end - start);
    while (one.starts_with(' ')) one.erase(0, 1);
    while (one.ends_with(' ')) one.pop_back();
    if (!one.empty()) list.push_back(one);
    start = end + 1;
  }
  return list;
}

class Opsgenie final : public Notifier {
 public:
  Opsgenie(OpsgenieSettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    const core::Notification& notification = message.notification;
    HttpTarget target = settings_.target;
    MessageRenderer renderer(notification, tools_.external_url, context.now);
    const OpsgenieMessage opsgenie = rendered(settings_, renderer);
    std::string body = opsgenie_payload(notification, opsgenie, tools_.external_url);
    if (notification.status == "resolved") {
      target.url = core::Secret(target.url.reveal() + "/" + dedup_key(notification) + "/close?identifierType=alias");
      body = Json{{"source", opsgenie.source}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    const auto answer = post_json(tools_.http, target, std::move(body), {}, context);
    if (!answer) return std::unexpected(answer.error());
    return Receipt{.status = answer->status, .template_problems = renderer.problems()};
  }

 private:
  OpsgenieSettings settings_;
  NotifierTools tools_;
};

void read_responders(config::MapReader& reader, OpsgenieSettings& settings) {
  for (const config::Node* item : reader.list("responders")) {
    config::MapReader one(*item, reader.diagnostics(), reader.what() + ", responders");
    OpsgenieMessage::Responder responder;
    responder.type = one.choice("type", "team", {"team", "user", "escalation", "schedule"});
    for (const std::string key : {"id", "name", "username"}) {
      if (!one.has(key)) continue;
      responder.key = key;
      responder.value = one.text(key);
    }
    if (responder.key.empty()) one.missing({"id", "name", "username"}, "give one of id, name and username");
    one.finish();
    settings.responders.push_back(std::move(responder));
  }
}

}  // namespace

std::string opsgenie_payload(const core::Notification& notification, const OpsgenieMessage& message,
                             const std::string& external_url) {
  std::string description = message.description;
  if (description.empty()) {
    if (!notification.cause.empty()) description = "Likely cause: " + notification.cause + "\n\n";
    description += plain_alerts(notification, 50);
    if (const std::string link = page_link(external_url, notification.incident_id); !link.empty())
      description += "\n\n" + link;
  }
  Json details = Json::object();
  for (const auto& [name, value] : common_labels(notification.alerts)) details[std::string(name)] = value;
  for (const auto& [name, value] : impact_fields(notification)) details[name] = value;
  for (const auto& [name, value] : message.details) details[name] = value;
  Json body{{"alias", dedup_key(notification)},
            {"message", cut(message.message.empty() ? headline(notification) : message.message, kMessage)},
            {"description", cut(description, kDescription - message.remark.size()) + message.remark},
            {"details", std::move(details)},
            {"source", message.source},
            {"priority", message.priority.empty() ? priority_of(notification) : message.priority}};
  if (!message.note.empty()) body["note"] = message.note;
  if (!message.entity.empty()) body["entity"] = message.entity;
  if (!message.tags.empty()) body["tags"] = split(message.tags);
  if (!message.actions.empty()) body["actions"] = split(message.actions);
  for (const auto& [type, key, value] : message.responders)
    body["responders"].push_back({{"type", type}, {key, value}});
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ParsedNotifier parse_opsgenie(const config::Node& node, const ParseContext& context) {
  config::MapReader reader(node, context.diagnostics, context.what);
  OpsgenieSettings settings;
  settings.target =
      parse_http_target(reader, "api_url", context.global.http, core::Secret(context.global.opsgenie_api_url));
  std::string url = settings.target.url.reveal();
  while (url.ends_with('/')) url.pop_back();
  settings.target.url = core::Secret(url + "/v2/alerts");
  const bool own_key = reader.has("api_key") || reader.has("api_key_file");
  const core::Secret key = own_key || context.global.opsgenie_api_key.empty()
                               ? config::required_secret(reader, "api_key")
                               : context.global.opsgenie_api_key;
  settings.target.http.authorization = core::Secret("GenieKey " + key.reveal());
  MessageTexts texts(reader, context.library);
  settings.message = texts.text("message");
  settings.description = texts.text("description");
  settings.source = texts.text("source");
  settings.tags = texts.text("tags");
  settings.note = texts.text("note");
  settings.priority = texts.text("priority");
  settings.entity = texts.text("entity");
  settings.actions = texts.text("actions");
  settings.details = texts.map("details");
  read_responders(reader, settings);
  if (reader.boolean("update_alerts", false))
    reader.error("update_alerts", "Weir does not apply this key of Alertmanager; remove it");
  const bool send_resolved = reader.boolean("send_resolved", true);
  reader.finish();
  return {.send_resolved = send_resolved,
          .make = [settings](const NotifierTools& tools) { return std::make_unique<Opsgenie>(settings, tools); }};
}

}  // namespace weir::notify
