#include "notify/slack.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/reader_checks.h"
#include "notify/http_delivery.h"
#include "notify/message_text.h"
#include "notify/payload.h"
#include "notify/slack_bot.h"

namespace weir::notify {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSection = 3000;
constexpr std::size_t kTitle = 250;
constexpr std::size_t kAlertLine = 260;
constexpr std::size_t kAlertLines = 10;
constexpr std::size_t kFieldValue = 300;
constexpr std::size_t kFields = 10;

/// What names the thing in trouble, in the order shown.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kSubjects{{{"cluster", "Cluster"},
                                                                                   {"consumergroup", "Consumer group"},
                                                                                   {"topic", "Topic"},
                                                                                   {"partition", "Partition"},
                                                                                   {"registry", "Schema registry"},
                                                                                   {"subject", "Subject"},
                                                                                   {"source", "Source"},
                                                                                   {"dataset", "Table"},
                                                                                   {"check", "Check"},
                                                                                   {"collector", "Collector"},
                                                                                   {"severity", "Severity"}}};

/// Errors of Slack's that a person must mend, with the way to.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kHints{
    {{"no_service", "the webhook was removed or disabled; create a new one and change api_url"},
     {"no_team", "the workspace is gone; change api_url"},
     {"team_disabled", "the workspace is disabled"},
     {"invalid_token", "api_url is not a webhook of the workspace; copy it again"},
     {"channel_not_found", "check \"channel\""},
     {"channel_is_archived", "check \"channel\""},
     {"action_prohibited", "an administrator of the workspace forbids it"},
     {"posting_to_general_channel_denied", "an administrator of the workspace forbids it"},
     {"invalid_payload", "Slack does not take the message as it is"}}};

constexpr std::array<std::string_view, 8> kPassing{"rollup_error",    "ratelimited",      "rate_limited",
                                                   "internal_error",  "fatal_error",      "service_unavailable",
                                                   "request_timeout", "team_added_to_org"};

/// Length in bytes of the UTF-8 character at the front, 0 when it is none.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0U) == 0xe0 ? 3 : 4;
  if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) return 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
  }
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;  // longer than need be
  if (lead == 0xed && byte(1) > 0x9f) return 0;  // a surrogate
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

/// One character as Slack wants it.
std::string_view escaped(std::string_view one, SlackMarkup markup) {
  if (markup == SlackMarkup::kept && std::string_view("&<>").find(one.front()) != std::string_view::npos) return one;
  switch (one.front()) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '\r':
    case '\0': return " ";
    default: return one;
  }
}

std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

std::string colour_of(const core::Notification& notification) {
  if (notification.status == "resolved") return "#2eb886";
  const std::string_view severity = worst_severity(notification.alerts);
  if (severity == "critical" || severity == "error") return "#d72b3f";
  return severity == "warning" ? "#daa038" : "#439fe0";
}

Json section(std::string text) {
  return {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", std::move(text)}}}};
}

/// The title as Slack wants it: what was given may hold markup, Weir's own holds none.
std::string title_text(const core::Notification& notification, const SlackMessage& message) {
  if (!message.title.empty()) return slack_text(one_line(message.title), kTitle, SlackMarkup::kept);
  return slack_text(headline(notification), kTitle);
}

std::string alert_lines(const core::Notification& notification) {
  std::string lines;
  std::size_t shown = 0;
  for (const core::Alert& alert : notification.alerts) {
    if (shown == kAlertLines) break;
    std::string_view text = alert.annotations.get("summary");
    if (text.empty()) text = alert.annotations.get("description");
    const std::string_view mark = alert.state == core::AlertState::firing ? "" : " (resolved)";
    lines +=
        fmt::format("{}• *{}*{} {}", shown == 0 ? "" : "\n", slack_text(one_line(alert.labels.get("alertname")), 100),
                    mark, slack_text(one_line(text), kAlertLine - 130));
    ++shown;
  }
  const std::size_t more = notification.alerts.size() - shown + notification.truncated_alerts;
  if (more > 0) lines += fmt::format("\nand {} more", more);
  return lines;
}

Json fields_of(const core::Notification& notification) {
  const core::Labels labels = common_labels(notification.alerts);
  Json fields = Json::array();
  for (const auto& [name, title] : kSubjects) {
    if (!labels.has(name) || fields.size() == kFields) continue;
    fields.push_back({{"type", "mrkdwn"},
                      {"text", fmt::format("*{}*\n{}", title, slack_text(one_line(labels.get(name)), kFieldValue))}});
  }
  return fields;
}

/// Who is in charge, and what the trouble reaches.
Json impact_of(const core::Notification& notification) {
  Json fields = Json::array();
  for (const auto& [title, value] : impact_facts(notification))
    fields.push_back({{"type", "mrkdwn"}, {"text", fmt::format("*{}*\n{}", title, slack_text(value, kSection / 2))}});
  return fields;
}

struct SlackTexts {
  MessageText channel;
  MessageText title;
  MessageText title_link;
  MessageText pretext;
  MessageText text;
  MessageText color;
  MessageText fallback;
  MessageText username;
  MessageText icon_emoji;
  MessageText icon_url;
};

struct SlackSettings {
  HttpTarget target;
  SlackTexts texts;
  bool link_names = false;
};

SlackMessage rendered(const SlackSettings& settings, MessageRenderer& renderer) {
  const SlackTexts& texts = settings.texts;
  SlackMessage message{.channel = renderer.render(texts.channel),
                       .title = renderer.render(texts.title),
                       .text = renderer.render(texts.text),
                       .title_link = renderer.render(texts.title_link),
                       .pretext = renderer.render(texts.pretext),
                       .color = renderer.render(texts.color),
                       .fallback = renderer.render(texts.fallback),
                       .note = {},
                       .username = renderer.render(texts.username),
                       .icon_emoji = renderer.render(texts.icon_emoji),
                       .icon_url = renderer.render(texts.icon_url),
                       .link_names = settings.link_names};
  message.note = renderer.problems();
  return message;
}

class Slack final : public Notifier {
 public:
  Slack(SlackSettings settings, const NotifierTools& tools) : settings_(std::move(settings)), tools_(tools) {}

  DeliveryResult deliver(const core::OutboxMessage& message, const DeliveryContext& context) override {
    MessageRenderer renderer(message.notification, tools_.external_url, context.now);
    const SlackMessage slack = rendered(settings_, renderer);
    DeliveryResult result =
        is_bot_url(settings_.target.url.reveal())
            ? deliver_by_bot(tools_.http, settings_.target, message, slack, tools_.external_url, context)
            : by_webhook(message, slack, context);
    if (result) result->template_problems = renderer.problems();
    return result;
  }

 private:
  DeliveryResult by_webhook(const core::OutboxMessage& message, const SlackMessage& slack,
                            const DeliveryContext& context) {
    auto answer = post_json(tools_.http, settings_.target,
                            slack_payload(message.notification, slack, tools_.external_url), {}, context);
    if (answer) return read_slack_answer(*answer, settings_.target);
    DeliveryError failed = answer.error();
    for (const auto& [error, hint] : kHints) {
      if (failed.error.message.ends_with(error)) failed.error.message += fmt::format(" ({})", hint);
    }
    return std::unexpected(std::move(failed));
  }

  SlackSettings settings_;
  NotifierTools tools_;
};

/// The error's name in an answer, {"ok": false, "error": "channel_not_found"} or plain text; "" when it is a success.
std::string slack_error(const std::string& body) {
  if (body == "ok") return {};
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("ok")) return body.empty() ? "an empty answer" : body;
  if (json["ok"] == true) return {};
  const auto error = json.find("error");
  return error != json.end() && error->is_string() ? error->get<std::string>() : body;
}

}  // namespace

std::string slack_text(std::string_view text, std::size_t limit, SlackMarkup markup) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  constexpr std::string_view kCut = "…";
  std::string out;
  std::size_t used = 0;
  std::size_t cut_at = 0;  // where "…" would still fit
  while (!text.empty()) {
    const std::size_t length = character(text);
    const std::string_view piece = length == 0 ? kReplacement : escaped(text.substr(0, length), markup);
    // Entities count as they are written; a character beyond the basic plane counts twice.
    const std::size_t units = length == 4 ? 2 : length == 1 ? piece.size() : 1;
    if (used + units > limit) return limit == 0 ? std::string() : out.substr(0, cut_at).append(kCut);
    out += piece;
    used += units;
    if (used + 1 <= limit) cut_at = out.size();
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string slack_payload(const core::Notification& notification, const SlackMessage& message,
                          const std::string& external_url) {
  const std::string title = title_text(notification, message);
  const std::string title_link = slack_text(one_line(message.title_link), kSection - kTitle - 10);
  const std::string link = page_link(external_url, notification.incident_id);
  Json blocks = Json::array();
  if (!message.pretext.empty()) blocks.push_back(section(slack_text(message.pretext, kSection, SlackMarkup::kept)));
  if (!message.text.empty()) {
    blocks.push_back(section(slack_text(message.text, kSection, SlackMarkup::kept)));
  } else if (!notification.cause.empty()) {
    const std::string label = fmt::format("*{}:* ", cause_label(notification));
    blocks.push_back(section(label + slack_text(one_line(notification.cause), kSection - 100)));
  }
  if (!notification.alerts.empty()) blocks.push_back(section(alert_lines(notification)));
  for (Json fields : {fields_of(notification), impact_of(notification)}) {
    if (!fields.empty()) blocks.push_back({{"type", "section"}, {"fields", std::move(fields)}});
  }
  if (!link.empty() && link.size() < kSection - 100) {
    blocks.push_back(section(fmt::format("<{}|Open in Weir>", slack_text(link, kSection - 100))));
  }
  if (!message.note.empty()) blocks.push_back(section("_" + slack_text(one_line(message.note), kSection - 10) + "_"));
  Json payload = Json::object();
  if (!message.channel.empty()) payload["channel"] = message.channel;
  if (!message.username.empty()) payload["username"] = message.username;
  if (!message.icon_emoji.empty()) payload["icon_emoji"] = message.icon_emoji;
  if (!message.icon_url.empty()) payload["icon_url"] = message.icon_url;
  if (message.link_names) payload["link_names"] = 1;
  payload["text"] = title_link.empty() ? "*" + title + "*" : fmt::format("*<{}|{}>*", title_link, title);
  Json attachment{
      {"color", message.color.empty() ? colour_of(notification) : cut(message.color, 20)},
      {"fallback",
       message.fallback.empty() ? title : slack_text(one_line(message.fallback), kSection, SlackMarkup::kept)}};
  if (!blocks.empty()) attachment["blocks"] = std::move(blocks);
  payload["attachments"] = Json::array({std::move(attachment)});
  return payload.dump(-1, ' ', false, Json::error_handler_t::replace);
}

DeliveryResult read_slack_answer(const net::HttpResponse& response, const HttpTarget& target) {
  const std::string raw = slack_error(response.body);
  const std::string error = shown(raw, target);
  if (raw.empty()) return Receipt{.status = response.status};
  const auto* const hint = std::ranges::find(kHints, error, &std::pair<std::string_view, std::string_view>::first);
  // An error of Slack's is one word; anything longer is a proxy's or a portal's page, which can pass.
  const bool a_word = std::ranges::all_of(error, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  const bool passing = !a_word || std::ranges::find(kPassing, error) != kPassing.end();
  DeliveryError failed;
  failed.error = {.kind = passing ? core::ErrorKind::protocol : core::ErrorKind::invalid,
                  .message = fmt::format("answered {}, but not \"ok\": {}", response.status, error),
                  .retryable = passing,
                  .where = target.name};
  if (hint != kHints.end()) failed.error.message += fmt::format(" ({})", hint->second);
  return std::unexpected(std::move(failed));
}

ParsedNotifier parse_slack(const config::Node& node, const ParseContext& context) {
  config::MapReader reader(node, context.diagnostics, context.what);
  SlackSettings settings;
  const bool by_bot = reader.has("bot_token") || reader.has("bot_token_file");
  const core::Secret bot_token = by_bot ? config::required_secret(reader, "bot_token") : core::Secret();
  const core::Secret otherwise =
      bot_token.empty() ? context.global.slack_api_url : core::Secret("https://slack.com/api/chat.postMessage");
  settings.target = parse_http_target(reader, "api_url", context.global.http, otherwise);
  if (!bot_token.empty()) {
    settings.target.http.bearer = bot_token;
    settings.target.http.credentials_file = config::placed(reader.text("bot_token_file"), node);
  }
  MessageTexts texts(reader, context.library);
  settings.texts = {.channel = texts.text("channel"),
                    .title = texts.text("title"),
                    .title_link = texts.text("title_link"),
                    .pretext = texts.text("pretext"),
                    .text = texts.text("text"),
                    .color = texts.text("color"),
                    .fallback = texts.text("fallback"),
                    .username = texts.text("username"),
                    .icon_emoji = texts.text("icon_emoji"),
                    .icon_url = texts.text("icon_url")};
  settings.link_names = reader.boolean("link_names", false);
  if (is_bot_url(settings.target.url.reveal()) && !reader.has("channel")) reader.missing("channel");
  not_applied(reader,
              {"fields", "short_fields", "footer", "callback_id", "image_url", "thumb_url", "mrkdwn_in", "actions"});
  const bool send_resolved = reader.boolean("send_resolved", false);
  reader.finish();
  return {.send_resolved = send_resolved,
          .make = [settings](const NotifierTools& tools) { return std::make_unique<Slack>(settings, tools); }};
}

}  // namespace weir::notify
