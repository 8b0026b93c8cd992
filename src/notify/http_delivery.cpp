#include "notify/http_delivery.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fmt/format.h>
#include <iomanip>
#include <locale>
#include <sstream>

#include "config/reader_checks.h"
#include "core/masking.h"
#include "net/http_server.h"

namespace weir::notify {
namespace {

constexpr std::size_t kShownBytes = 200;
constexpr std::size_t kMaxAnswer = 64U << 10U;
constexpr std::size_t kTokenLength = 8;  // shorter parts of a path are words rather than tokens

void read_basic_auth(const config::Node& node, config::MapReader& parent, HttpConfig& http) {
  config::MapReader reader(node, parent.diagnostics(), parent.what() + ", basic_auth");
  std::string username = reader.required_text("username");
  http.basic_auth = {std::move(username), reader.secret("password")};
  http.credentials_file = config::placed(reader.text("password_file"), node);
  reader.finish();
}

void read_authorization(const config::Node& node, config::MapReader& parent, HttpConfig& http) {
  config::MapReader reader(node, parent.diagnostics(), parent.what() + ", authorization");
  const std::string type = reader.text("type", "Bearer");
  core::Secret credentials = config::required_secret(reader, "credentials");
  if (type == "Basic") reader.error("type", "\"Basic\" has a key of its own: basic_auth");
  if (type == "Bearer") {
    http.bearer = std::move(credentials);
  } else {
    http.authorization = std::move(credentials);
    http.authorization_type = type;
  }
  http.credentials_file = config::placed(reader.text("credentials_file"), node);
  reader.finish();
}

/// Others renew such files while Weir runs. One that cannot be read now leaves what was read before.
void renew(HttpConfig& http) {
  if (http.credentials_file.empty()) return;
  auto read = config::read_first_line(http.credentials_file);
  if (!read || read->empty()) return;
  core::Secret& password = http.basic_auth ? http.basic_auth->second : http.bearer;
  (http.authorization_type.empty() ? password : http.authorization) = core::Secret(std::move(*read));
}

bool is_http_url(const std::string& url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.starts_with(scheme) && url.size() > scheme.size() && url[scheme.size()] != '/') {
      return std::ranges::none_of(url, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
    }
  }
  return false;
}

/// The URL's parts that may be secret, longest first.
std::vector<std::string> secrets_of(const HttpTarget& target) {
  const std::string& url = target.url.reveal();
  std::vector<std::string> secrets{url};
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(url.find_first_of("/?#", host), url.size());
  const std::size_t user = url.rfind('@', path);
  if (user != std::string::npos && user >= host && user < path) secrets.push_back(url.substr(host, user - host));
  if (url.size() - path > 1) secrets.push_back(url.substr(path));
  std::size_t start = path;
  for (std::size_t i = path; i <= url.size(); ++i) {
    if (i < url.size() && std::string_view("/?#&=").find(url[i]) == std::string_view::npos) continue;
    if (i - start >= kTokenLength) secrets.push_back(url.substr(start, i - start));
    start = i + 1;
  }
  if (target.http.basic_auth) secrets.push_back(target.http.basic_auth->second.reveal());
  for (const core::Secret* secret : {&target.http.bearer, &target.http.authorization, &target.http.proxy_url})
    secrets.push_back(secret->reveal());
  std::ranges::sort(secrets, std::ranges::greater(), &std::string::size);
  return secrets;
}

bool is_transient(int status) { return status >= 500 || status == 408 || status == 425 || status == 429; }

DeliveryError refusal(const net::HttpResponse& response, const HttpTarget& target, const DeliveryContext& context) {
  DeliveryError refused;
  refused.error.kind = is_transient(response.status) ? core::ErrorKind::unavailable : core::ErrorKind::invalid;
  if (response.status == 401 || response.status == 403) refused.error.kind = core::ErrorKind::denied;
  refused.error.retryable = is_transient(response.status);
  refused.error.where = target.name;
  refused.error.message = fmt::format("answered {}", response.status);
  if (response.status >= 300 && response.status < 400) {
    refused.error.message += ", a redirect, which is not followed; configure the final URL";
  } else if (const std::string body = shown(response.body, target); !body.empty()) {
    refused.error.message += ": " + body;
  }
  if (refused.error.retryable) refused.retry_after = parse_retry_after(response.header("retry-after"), context.now);
  return refused;
}

/// With the token where one is asked for. A server may end it before its time.
core::Result<net::HttpResponse> send(net::HttpClient& http, const HttpTarget& target, net::HttpRequest& request,
                                     const DeliveryContext& context) {
  if (!target.http.oauth2) return http.send(request, context.stop);
  for (int attempt = 0;; ++attempt) {
    auto token = take_token(*target.http.oauth2, http, context.now, context.timeout, context.stop);
    if (!token) return std::unexpected(token.error());
    request.bearer = std::move(*token);
    auto response = http.send(request, context.stop);
    if (!response || response->status != 401) return response;
    drop_token(*target.http.oauth2);
    if (attempt > 0) return response;
  }
}

}  // namespace

HttpConfig parse_http_config(const config::Node& node, config::MapReader& parent) {
  config::MapReader reader(node, parent.diagnostics(), parent.what() + ", http_config");
  HttpConfig http;
  http.bearer = reader.secret("bearer_token");
  http.credentials_file = config::placed(reader.text("bearer_token_file"), node);
  if (const config::Node* child = reader.child("basic_auth")) read_basic_auth(*child, reader, http);
  if (const config::Node* child = reader.child("authorization")) {
    if (!http.bearer.empty()) reader.error(*child, "give either \"bearer_token\" or \"authorization\", not both");
    read_authorization(*child, reader, http);
  }
  if (const config::Node* child = reader.child("tls_config"))
    http.tls = parse_tls_config(*child, reader, reader.diagnostics());
  if (const config::Node* child = reader.child("oauth2"))
    http.oauth2 = parse_oauth2(*child, reader, reader.diagnostics());
  const bool bearer = !(http.bearer.empty() && http.authorization.empty());
  if (http.basic_auth && bearer) reader.error(node, "give either \"basic_auth\" or a bearer token, not both");
  if (http.oauth2 && (http.basic_auth || bearer))
    reader.error(node, "give either \"oauth2\" or another authentication, not both");
  http.proxy_url = reader.secret("proxy_url");
  if (!http.proxy_url.empty()) check_http_url(reader, "proxy_url", http.proxy_url.reveal());
  if (reader.has("follow_redirects") && reader.boolean("follow_redirects", true))
    reader.diagnostics().hint(reader.child("follow_redirects")->position(),
                              reader.what() + ": redirects are not followed; configure the final URL");
  (void)reader.boolean("enable_http2", true);
  // Of later Alertmanagers.
  for (const std::string_view key : {"no_proxy", "proxy_connect_header", "http_headers"}) {
    if (reader.has(key)) reader.error(key, "Weir does not apply this key of Alertmanager; remove it");
  }
  if (reader.boolean("proxy_from_environment", false))
    reader.error("proxy_from_environment", "Weir does not look there; give proxy_url");
  reader.finish();
  return http;
}

void check_http_url(config::MapReader& reader, std::string_view key, const std::string& url) {
  if (!is_http_url(url)) {
    reader.error(key, "is not a URL that begins with http:// or https://");
  } else if (net::url_host(url).empty()) {
    reader.error(key, "has a host or port that cannot be one");
  }
}

HttpTarget parse_http_target(config::MapReader& reader, std::string_view url_key, const HttpConfig& defaults,
                             const core::Secret& otherwise) {
  HttpTarget target;
  target.name = reader.what();
  target.http = defaults;
  const std::size_t mistakes = reader.diagnostics().errors().size();
  target.url = reader.secret(url_key);
  const bool given = reader.has(url_key) || reader.has(std::string(url_key) + "_file");
  if (!given && !otherwise.empty()) {
    target.url = otherwise;
  } else if (!given) {
    reader.missing(url_key, fmt::format("key \"{0}\" is missing; give it here or in \"{0}_file\"", url_key));
  } else if (reader.diagnostics().errors().size() == mistakes) {
    check_http_url(reader, url_key, target.url.reveal());
  }
  if (const config::Node* node = reader.child("http_config")) target.http = parse_http_config(*node, reader);
  return target;
}

std::expected<net::HttpResponse, DeliveryError> post_json(net::HttpClient& http, HttpTarget target, std::string body,
                                                          std::vector<std::pair<std::string, std::string>> headers,
                                                          const DeliveryContext& context) {
  renew(target.http);
  net::HttpRequest request;
  request.method = "POST";
  request.url = target.url.reveal();
  request.headers = std::move(headers);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  request.timeout = context.timeout;
  request.max_response_bytes = kMaxAnswer;
  request.basic_auth = target.http.basic_auth;
  request.bearer = target.http.bearer;
  if (!target.http.authorization.empty())
    request.headers.emplace_back("Authorization",
                                 target.http.authorization_type + " " + target.http.authorization.reveal());
  apply(target.http.tls, request);
  request.proxy = target.http.proxy_url;
  auto response = send(http, target, request, context);
  if (!response) {
    DeliveryError failed{.error = response.error()};
    failed.error.message = shown(failed.error.message, target);
    failed.error.where = target.name;
    // A certificate gets renewed and a garbled answer may be a proxy's: only a bad URL stays bad.
    failed.error.retryable = failed.error.kind != core::ErrorKind::invalid;
    return std::unexpected(std::move(failed));
  }
  if (response->status < 200 || response->status > 299) return std::unexpected(refusal(*response, target, context));
  return std::move(*response);
}

std::string shown(std::string_view text, const HttpTarget& target) {
  // Far more than is shown is searched, so that no secret is cut in two.
  std::string out(text.substr(0, 16 * kShownBytes));
  for (const std::string& secret : secrets_of(target)) out = core::without_secret(std::move(out), secret);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  if (out.size() > kShownBytes) {
    std::size_t end = kShownBytes;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;  // whole characters only
    out = out.substr(0, end) + "…";
  }
  const auto last = out.find_last_not_of(' ');
  return last == std::string::npos ? std::string() : out.substr(0, last + 1);
}

std::optional<core::Duration> parse_retry_after(std::string_view value, core::Time now) {
  constexpr core::Duration kLongest = std::chrono::days(1);
  if (value.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (end == value.data() + value.size()) {
    if (failed == std::errc::result_out_of_range && value.front() != '-') return kLongest;
    if (failed != std::errc() || seconds < 0) return std::nullopt;
    return std::min<core::Duration>(kLongest, std::chrono::seconds(std::min<std::int64_t>(seconds, 1'000'000)));
  }
  std::tm date{};
  std::istringstream stream{std::string(value)};
  stream.imbue(std::locale::classic());
  stream >> std::get_time(&date, "%a, %d %b %Y %H:%M:%S GMT");
  if (stream.fail()) return std::nullopt;
  const core::Time until{std::chrono::seconds(::timegm(&date))};
  return std::clamp<core::Duration>(until - now, core::Duration(0), kLongest);
}

}  // namespace weir::notify
