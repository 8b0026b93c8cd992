#include "notify/msteams.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/reader.h"
#include "notify/http_delivery.h"
#include "notify/message_text.h"
#include "notify/payload.h"

namespace weir::notify {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTitle = 500;
constexpr std::array<std::size_t, 3> kTexts{4000, 1500, 400};  // the first with which it stays within kMessage
constexpr std::size_t kAlerts = 15;
constexpr std::size_t kMessage = 25'000;  // Teams takes 28 KB

struct TeamsSettings {
  HttpTarget target;
  MessageText title;
  MessageText text;
};

Json block(const std::string& text) { return {{"type", "TextBlock"}, {"text", text}, {"wrap", true}}; }

class Teams final : public Notifier {
 public:
  Teams(TeamsSettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    MessageRenderer renderer(message.notification, tools_.external_url, context.now);
    TeamsMessage teams{.title = renderer.render(settings_.title), .text = renderer.render(settings_.text), .note = {}};
    teams.note = renderer.problems();
    const auto answer = post_json(tools_.http, settings_.target,
                                  msteams_payload(message.notification, teams, tools_.external_url), {}, context);
    if (!answer) return std::unexpected(answer.error());
    // A connector answers 200 also where Teams took nothing; the text tells.
    if (answer->body.contains("HTTP error 429") || answer->body.contains("failed with HTTP error")) {
      return std::unexpected(
          DeliveryError{.error = {.kind = core::ErrorKind::unavailable,
                                  .message = "answered 200, but: " + shown(answer->body, settings_.target),
                                  .retryable = true,
                                  .where = settings_.target.name}});
    }
    return Receipt{.status = answer->status, .template_problems = renderer.problems()};
  }

 private:
  TeamsSettings settings_;
  NotifierTools tools_;
};

std::string payload_with(std::size_t most, const core::Notification& notification, const TeamsMessage& message,
                         const std::string& external_url) {
  const auto& [title, text, note] = message;
  const bool resolved = notification.status == "resolved";
  Json heading = block(cut(title.empty() ? headline(notification) : title, std::min(kTitle, most)));
  heading["weight"] = "Bolder";
  heading["size"] = "Medium";
  const std::string_view severity = worst_severity(notification.alerts);
  const bool grave = severity == "critical" || severity == "error";
  heading["color"] = resolved ? "Good" : grave ? "Attention" : "Warning";
  Json body = Json::array({std::move(heading)});
  if (!text.empty()) body.push_back(block(cut(text, most)));
  if (text.empty() && !notification.cause.empty())
    body.push_back(block(fmt::format("{}: {}", cause_label(notification), cut(notification.cause, most))));
  if (!notification.alerts.empty()) body.push_back(block(cut(plain_alerts(notification, kAlerts), most)));
  Json facts = Json::array();
  for (const auto& [name, value] : subject_facts(notification))
    facts.push_back({{"title", name}, {"value", cut(value, 200)}});
  for (const auto& [name, value] : impact_facts(notification)) facts.push_back({{"title", name}, {"value", value}});
  if (!facts.empty()) body.push_back({{"type", "FactSet"}, {"facts", std::move(facts)}});
  if (!note.empty()) body.push_back(block(cut(note, most)));
  Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
            {"type", "AdaptiveCard"},
            {"version", "1.4"},
            {"msteams", {{"width", "Full"}}},
            {"body", std::move(body)}};
  if (const std::string link = page_link(external_url, notification.incident_id); !link.empty())
    card["actions"] = Json::array({{{"type", "Action.OpenUrl"}, {"title", "Open in Weir"}, {"url", link}}});
  const Json payload{{"type", "message"},
                     {"attachments", Json::array({{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                                   {"contentUrl", nullptr},
                                                   {"content", std::move(card)}}})}};
  return payload.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string msteams_payload(const core::Notification& notification, const TeamsMessage& message,
                            const std::string& external_url) {
  std::string payload;
  // What is no UTF-8, and what JSON escapes, takes more room than it had.
  for (const std::size_t most : kTexts) {
    payload = payload_with(most, notification, message, external_url);
    if (payload.size() <= kMessage) break;
  }
  return payload;
}

ParsedNotifier parse_msteams(const config::Node& node, const ParseContext& context) {
  config::MapReader reader(node, context.diagnostics, context.what);
  TeamsSettings settings{
      .target = parse_http_target(reader, "webhook_url", context.global.http), .title = {}, .text = {}};
  MessageTexts texts(reader, context.library);
  settings.title = texts.text("title");
  settings.text = texts.text("text");
  not_applied(reader, {"summary"});
  const bool send_resolved = reader.boolean("send_resolved", true);
  reader.finish();
  return {.send_resolved = send_resolved,
          .make = [settings](const NotifierTools& tools) { return std::make_unique<Teams>(settings, tools); }};
}

}  // namespace weir::notify
