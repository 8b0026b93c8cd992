#include "notify/global.h"

#include <array>
#include <chrono>
#include <string_view>

#include "config/reader.h"

namespace weir::notify {
namespace {

/// Of receivers that Weir does not have: named where they are used.
constexpr std::array kOfOthers = std::to_array<std::string_view>(
    {"victorops_api_url",      "victorops_api_key",          "victorops_api_key_file", "wechat_api_url",
     "wechat_api_secret",      "wechat_api_secret_file",     "wechat_api_corp_id",     "telegram_api_url",
     "telegram_bot_token",     "telegram_bot_token_file",    "webex_api_url",          "hipchat_url",
     "hipchat_api_url",        "hipchat_auth_token",         "jira_api_url",           "rocketchat_api_url",
     "rocketchat_token",       "rocketchat_token_file",      "rocketchat_token_id",    "rocketchat_token_id_file",
     "mattermost_webhook_url", "mattermost_webhook_url_file"});

}  // namespace

GlobalSettings parse_global(const config::Node* section, config::Diagnostics& diagnostics) {
  GlobalSettings settings;
  if (section == nullptr || section->is_null()) return settings;
  config::MapReader reader(*section, diagnostics, "global");
  // Alerts say themselves when they end; the key concerns clients that do not.
  (void)reader.duration("resolve_timeout", std::chrono::minutes(5));
  if (const config::Node* node = reader.child("http_config")) settings.http = parse_http_config(*node, reader);
  settings.smtp.smarthost = reader.text("smtp_smarthost");
  settings.smtp.from = reader.text("smtp_from");
  settings.smtp.hello = reader.text("smtp_hello", settings.smtp.hello);
  settings.smtp.username = reader.text("smtp_auth_username");
  settings.smtp.password = reader.secret("smtp_auth_password");
  settings.smtp.identity = reader.text("smtp_auth_identity");
  settings.smtp.secret = reader.secret("smtp_auth_secret");
  settings.smtp.require_tls = reader.boolean("smtp_require_tls", true);
  if (const config::Node* tls = reader.child("smtp_tls_config"))
    settings.smtp.tls = parse_tls_config(*tls, reader, diagnostics);
  settings.slack_api_url = reader.secret("slack_api_url");
  settings.pagerduty_url = reader.text("pagerduty_url", settings.pagerduty_url);
  settings.opsgenie_api_url = reader.text("opsgenie_api_url", settings.opsgenie_api_url);
  const auto check_url = [&](std::string_view key, const std::string& url) {
    if (!url.empty()) check_http_url(reader, key, url);
  };
  check_url("slack_api_url", settings.slack_api_url.reveal());
  check_url("pagerduty_url", settings.pagerduty_url);
  check_url("opsgenie_api_url", settings.opsgenie_api_url);
  settings.opsgenie_api_key = reader.secret("opsgenie_api_key");
  for (const std::string_view key : kOfOthers) (void)reader.child(key);
  reader.finish();
  return settings;
}

}  // namespace weir::notify
