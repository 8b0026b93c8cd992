#include "notify/opsgenie.h"

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

// What Opsgenie takes (https://docs.opsgenie.com/docs/alert-api); what is more is refused, and would be lost.
constexpr std::size_t kMessage = 130;
constexpr std::size_t kDescription = 15'000;
constexpr std::size_t kDetails = 8'000;  // names and values of all
constexpr std::size_t kDetail = 1'000;   // of one, so that there is room for others
constexpr std::size_t kSource = 100;
constexpr std::size_t kEntity = 512;
constexpr std::size_t kNote = 25'000;
constexpr std::size_t kWord = 50;  // a tag, an action
constexpr std::size_t kTags = 20;
constexpr std::size_t kActions = 10;
constexpr std::size_t kResponders = 50;

/// Whom an entry names; what is a template may be somebody else with each message, or nobody.
struct ResponderTexts {
  std::string type;
  MessageText id;
  MessageText name;
  MessageText username;
};

struct OpsgenieSettings {
  HttpTarget target;  // of /v2/alerts
  std::vector<ResponderTexts> responders;
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

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> list;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    std::string one = text.substr(start, end - start);
    while (one.starts_with(' ')) one.erase(0, 1);
    while (one.ends_with(' ')) one.pop_back();
    if (!one.empty()) list.push_back(std::move(one));
    start = end + 1;
  }
  return list;
}

std::vector<OpsgenieMessage::Responder> rendered(const std::vector<ResponderTexts>& all, MessageRenderer& renderer) {
  std::vector<OpsgenieMessage::Responder> found;
  for (const ResponderTexts& one : all) {
    for (const auto& [key, text] :
         {std::pair("id", &one.id), std::pair("name", &one.name), std::pair("username", &one.username)}) {
      const std::string value = renderer.render(*text);
      const bool teams = one.type == "teams";
      for (std::string& each : teams ? split(value) : std::vector<std::string>{value}) {
        if (!each.empty() && found.size() < kResponders)
          found.push_back({.type = teams ? "team" : one.type, .key = key, .value = std::move(each)});
      }
    }
  }
  return found;
}

OpsgenieMessage rendered(const OpsgenieSettings& settings, MessageRenderer& renderer) {
  OpsgenieMessage message{.message = renderer.render(settings.message),
                          .description = renderer.render(settings.description),
                          .source = renderer.render(settings.source),
                          .tags = renderer.render(settings.tags),
                          .note = renderer.render(settings.note),
                          .priority = renderer.render(settings.priority),
                          .entity = renderer.render(settings.entity),
                          .actions = renderer.render(settings.actions),
                          .responders = rendered(settings.responders, renderer),
                          .details = renderer.render(settings.details),
                          .remark = {}};
  if (message.source.empty()) message.source = OpsgenieMessage{}.source;
  message.remark = renderer.note();
  return message;
}

std::string priority_of(const core::Notification& notification) {
  const std::string_view severity = worst_severity(notification.alerts);
  if (severity == "critical") return "P1";
  if (severity == "error") return "P2";
  return severity == "warning" ? "P3" : "P4";
}

bool is_priority(const std::string& text) {
  return text.size() == 2 && text[0] == 'P' && text[1] >= '1' && text[1] <= '5';
}

Json words(const std::string& text, std::size_t most) {
  Json list = Json::array();
  for (const std::string& one : split(text)) {
    if (list.size() < most) list.push_back(cut(one, kWord));
  }
  return list;
}

/// What was given first, then what the graph knows, then the labels, as far as there is room.
Json details_of(const core::Notification& notification, const OpsgenieMessage& message) {
  Json details = Json::object();
  std::size_t left = kDetails;
  const auto add = [&](const std::string& name, std::string_view value) {
    std::string text = cut(value, kDetail);
    if (details.contains(name) || name.size() + text.size() > left) return;
    left -= name.size() + text.size();
    details[name] = std::move(text);
  };
  for (const auto& [name, value] : message.details) add(name, value);
  for (const auto& [name, value] : impact_fields(notification)) add(name, value);
  for (const auto& [name, value] : common_labels(notification.alerts)) add(std::string(name), value);
  return details;
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
      body = Json{{"source", cut(opsgenie.source, kSource)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    const auto answer = post_json(tools_.http, target, std::move(body), {}, context);
    if (!answer) return std::unexpected(answer.error());
    return Receipt{.status = answer->status, .template_problems = renderer.problems()};
  }

 private:
  OpsgenieSettings settings_;
  NotifierTools tools_;
};

void read_responders(config::MapReader& reader, const ParseContext& context, OpsgenieSettings& settings) {
  for (const config::Node* item : reader.list("responders")) {
    config::MapReader one(*item, reader.diagnostics(), reader.what() + ", responders");
    MessageTexts texts(one, context.library);
    ResponderTexts responder{.type = one.choice("type", "team", {"team", "teams", "user", "escalation", "schedule"}),
                             .id = texts.text("id"),
                             .name = texts.text("name"),
                             .username = texts.text("username")};
    if (!responder.id.given() && !responder.name.given() && !responder.username.given())
      one.missing({"id", "name", "username"}, "give one of id, name and username");
    one.finish();
    settings.responders.push_back(std::move(responder));
  }
}

}  // namespace

std::string opsgenie_payload(const core::Notification& notification, const OpsgenieMessage& message,
                             const std::string& external_url) {
  std::string description = message.description;
  if (description.empty()) {
    if (!notification.cause.empty())
      description = fmt::format("{}: {}\n\n", cause_label(notification), notification.cause);
    description += plain_alerts(notification, 50);
    if (const std::string link = page_link(external_url, notification.incident_id); !link.empty())
      description += "\n\n" + link;
  }
  Json body{{"alias", dedup_key(notification)},
            {"message", cut(message.message.empty() ? headline(notification) : message.message, kMessage)},
            {"description", cut(description, kDescription - message.remark.size()) + message.remark},
            {"details", details_of(notification, message)},
            {"source", cut(message.source, kSource)},
            {"priority", is_priority(message.priority) ? message.priority : priority_of(notification)}};
  if (!message.note.empty()) body["note"] = cut(message.note, kNote);
  if (!message.entity.empty()) body["entity"] = cut(message.entity, kEntity);
  if (!message.tags.empty()) body["tags"] = words(message.tags, kTags);
  if (!message.actions.empty()) body["actions"] = words(message.actions, kActions);
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
  settings.target.http.authorization = key;
  settings.target.http.authorization_type = "GenieKey";
  settings.target.http.credentials_file = own_key ? config::placed(reader.text("api_key_file"), node) : std::string();
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
  read_responders(reader, context, settings);
  if (reader.boolean("update_alerts", false))
    reader.error("update_alerts", "Weir does not apply this key of Alertmanager; remove it");
  const bool send_resolved = reader.boolean("send_resolved", true);
  reader.finish();
  return {.send_resolved = send_resolved,
          .make = [settings](const NotifierTools& tools) { return std::make_unique<Opsgenie>(settings, tools); }};
}

}  // namespace weir::notify
