#include "notify/oauth2.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "config/reader_checks.h"
#include "core/percent.h"
#include "notify/http_delivery.h"

namespace weir::notify {

class OAuth2Token {
 public:
  std::mutex mutex;  // of what follows; held while one is fetched, so that one request does for all
  core::Secret token;
  std::optional<core::Time> ends;
};

namespace {

constexpr core::Duration kEarly = std::chrono::seconds(30);
constexpr std::size_t kMostBytes = 64U << 10U;
constexpr double kLongest = 86'400;  // seconds that a token is taken to be good for

std::string form_of(const OAuth2& oauth2) {
  std::string form = "grant_type=client_credentials";
  if (!oauth2.scopes.empty()) form += "&scope=" + core::form_encoded(oauth2.scopes);
  for (const auto& [name, value] : oauth2.parameters)
    form += "&" + core::form_encoded(name) + "=" + core::form_encoded(value);
  return form;
}

std::unexpected<core::Error> failed(core::ErrorKind kind, std::string message, const OAuth2& oauth2) {
  HttpTarget target;
  target.url = core::Secret(oauth2.token_url);
  target.http.bearer = oauth2.client_secret;
  return core::fail(kind, "oauth2: no token: " + shown(message, target));
}

core::Result<void> read_token(const net::HttpResponse& response, const OAuth2& oauth2, core::Time now) {
  if (response.status < 200 || response.status > 299) {
    const bool refused = response.status == 400 || response.status == 401 || response.status == 403;
    return failed(refused ? core::ErrorKind::denied : core::ErrorKind::unavailable,
                  fmt::format("answered {}: {}", response.status, response.body), oauth2);
  }
  const auto answer = nlohmann::json::parse(response.body, nullptr, false);
  if (!answer.is_object() || !answer.contains("access_token") || !answer["access_token"].is_string())
    return failed(core::ErrorKind::protocol, "the answer has no \"access_token\"", oauth2);
  oauth2.token->token = core::Secret(answer["access_token"].get<std::string>());
  oauth2.token->ends.reset();
  const auto lasts = answer.find("expires_in");
  if (lasts != answer.end() && lasts->is_number()) {
    const double seconds = std::clamp(lasts->get<double>(), 0.0, kLongest);
    oauth2.token->ends = now + core::Duration(static_cast<std::int64_t>(seconds * 1000));
  }
  return {};
}

}  // namespace

bool OAuth2::operator==(const OAuth2& other) const {
  return token_url == other.token_url && client_id == other.client_id && client_secret == other.client_secret &&
         scopes == other.scopes && parameters == other.parameters && tls == other.tls && proxy_url == other.proxy_url;
}

TlsConfig parse_tls_config(const config::Node& node, const config::MapReader& parent,
                           config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, parent.what() + ", tls_config");
  TlsConfig tls{.ca_file = config::path_beside(node, reader.text("ca_file")),
                .cert_file = config::path_beside(node, reader.text("cert_file")),
                .key_file = config::path_beside(node, reader.text("key_file")),
                .server_name = reader.text("server_name"),
                .insecure_skip_verify = reader.boolean("insecure_skip_verify", false)};
  const bool a_name = std::ranges::all_of(
      tls.server_name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; });
  if (!a_name) reader.error("server_name", "is no host's name");
  for (const std::string_view key : {"min_version", "max_version"}) {
    if (reader.has(key)) reader.error(key, "Weir does not apply this key of Alertmanager; remove it");
  }
  reader.finish();
  return tls;
}

void apply(const TlsConfig& tls, net::HttpRequest& request) {
  request.ca_file = tls.ca_file;
  request.cert_file = tls.cert_file;
  request.key_file = tls.key_file;
  request.server_name = tls.server_name;
  request.insecure_skip_verify = tls.insecure_skip_verify;
}

OAuth2 parse_oauth2(const config::Node& node, const config::MapReader& parent, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, parent.what() + ", oauth2");
  OAuth2 oauth2{.token_url = reader.required_text("token_url"),
                .client_id = reader.required_text("client_id"),
                .client_secret = reader.secret("client_secret"),
                .scopes = {},
                .parameters = reader.text_map("endpoint_params"),
                .tls = {},
                .proxy_url = reader.secret("proxy_url"),
                .token = std::make_shared<OAuth2Token>()};
  if (!oauth2.token_url.empty()) check_http_url(reader, "token_url", oauth2.token_url);
  if (!oauth2.proxy_url.empty()) check_http_url(reader, "proxy_url", oauth2.proxy_url.reveal());
  if (!reader.has("client_secret") && !reader.has("client_secret_file")) reader.missing("client_secret");
  for (const std::string& scope : reader.text_list("scopes"))
    oauth2.scopes += (oauth2.scopes.empty() ? "" : " ") + scope;
  if (const config::Node* tls = reader.child("tls_config"))
    oauth2.tls = parse_tls_config(*tls, reader, reader.diagnostics());
  reader.finish();
  return oauth2;
}

core::Result<core::Secret> take_token(const OAuth2& oauth2, net::HttpClient& http, core::Time now,
                                      core::Duration timeout, const std::stop_token& stop) {
  const std::lock_guard lock(oauth2.token->mutex);
  const bool good = !oauth2.token->token.empty() && (!oauth2.token->ends || now + kEarly < *oauth2.token->ends);
  if (good) return oauth2.token->token;
  net::HttpRequest request;
  request.method = "POST";
  request.url = oauth2.token_url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body = form_of(oauth2);
  request.timeout = timeout;
  request.max_response_bytes = kMostBytes;
  // RFC 6749, 2.3.1: both are encoded as in a form.
  request.basic_auth = {core::form_encoded(oauth2.client_id),
                        core::Secret(core::form_encoded(oauth2.client_secret.reveal()))};
  request.proxy = oauth2.proxy_url;
  apply(oauth2.tls, request);
  const auto response = http.send(request, stop);
  if (!response) return failed(response.error().kind, response.error().message, oauth2);
  if (auto read = read_token(*response, oauth2, now); !read) return std::unexpected(read.error());
  return oauth2.token->token;
}

void drop_token(const OAuth2& oauth2) {
  const std::lock_guard lock(oauth2.token->mutex);
  oauth2.token->token = {};
}

}  // namespace weir::notify
