#include "collectors/http_session.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "collectors/json_pointer.h"
#include "collectors/schema_registry_client.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using nlohmann::json;

constexpr core::Duration kLongestWait = std::chrono::hours(1);
constexpr core::Duration kTokenMargin = std::chrono::seconds(30);
constexpr double kTokenSeconds = 300;  // where the service does not say
constexpr std::size_t kLongestMessage = 300;
constexpr std::size_t kMostLevels = 64;

/// What a service says of its refusal, on one line and short.
std::string said(const std::string& body) {
  const auto answer = parse_json(body, kMostLevels);
  if (!answer || !answer->is_object()) return {};
  for (const char* key : {"message", "error_description", "detail", "title", "error", "errorMessage"}) {
    const auto found = answer->find(key);
    if (found == answer->end() || !found->is_string()) continue;
    std::string text = found->get<std::string>().substr(0, kLongestMessage);
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return ": " + text;
  }
  return {};
}

core::Error refused(const net::HttpResponse& response, const std::string& where) {
  const int status = response.status;
  const auto error = [&](ErrorKind kind, std::string_view what) {
    return core::fail(kind, fmt::format("{} (HTTP {}){}", what, status, said(response.body)), where).error();
  };
  if (status == 401) return error(ErrorKind::denied, "the login is refused; check basic_auth, bearer_token or oauth2");
  if (status == 403) return error(ErrorKind::denied, "access is refused; the login lacks a right");
  if (status == 404) return error(ErrorKind::not_found, "not found");
  if (status == 429) return error(ErrorKind::unavailable, "too many requests");
  if (status >= 300 && status < 400) return error(ErrorKind::protocol, "redirected; give the last URL");
  if (status >= 500) return error(ErrorKind::unavailable, "the service fails");
  return error(ErrorKind::protocol, "the request is refused");
}

/// Without the query, which may hold a token.
std::string shown(const std::string& method, const std::string& url) {
  return fmt::format("{} {}", method, url.substr(0, url.find('?')));
}

}  // namespace

core::Result<void> HttpSession::begin(const core::CollectContext& context) {
  now_ = context.now;
  deadline_ = context.deadline;
  stop_ = context.stop;
  requests_ = 0;
  if (not_before_ && now_ < *not_before_) {
    return core::fail(ErrorKind::unavailable,
                      fmt::format("the service asked to be left alone until {}", core::format_rfc3339(*not_before_)),
                      settings_.endpoint.url);
  }
  not_before_.reset();
  return {};
}

/// Retry-After (RFC 9110, 10.2.3) in seconds; a date is taken for a minute.
void HttpSession::note_wait(const net::HttpResponse& response) {
  const std::string_view text = response.header("retry-after");
  if (text.empty() || (response.status != 429 && response.status != 503)) return;
  std::int64_t seconds = 60;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc() || end != text.data() + text.size() || seconds < 0) seconds = 60;
  const auto most = std::chrono::duration_cast<std::chrono::seconds>(kLongestWait).count();
  not_before_ = now_ + std::chrono::seconds(std::min<std::int64_t>(seconds, most));
}

core::Result<net::HttpResponse> HttpSession::exchange(const std::string& method, const std::string& url,
                                                      const std::string& body) {
  if (requests_ >= settings_.request_limit) {
    return core::fail(ErrorKind::limit,
                      fmt::format("a cycle may make {} requests; raise request_limit, or have less asked for",
                                  settings_.request_limit),
                      settings_.endpoint.url);
  }
  ++requests_;
  net::HttpRequest request = request_to(settings_.endpoint, url, deadline_);
  request.method = method;
  request.max_response_bytes = settings_.body_size_limit;
  request.headers.emplace_back("Accept", "application/json");
  for (const auto& [name, value] : settings_.headers) request.headers.emplace_back(name, value.reveal());
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  if (!token_.empty()) request.bearer = token_;
  return http_.send(request, stop_);
}

core::Result<void> HttpSession::log_on() {
  if (!settings_.oauth || (!token_.empty() && now_ < token_until_)) return {};
  const OauthSettings& oauth = *settings_.oauth;
  net::HttpRequest request = request_to(settings_.endpoint, oauth.token_url, deadline_);
  request.method = "POST";
  request.bearer = {};
  request.basic_auth.reset();
  request.headers = {{"Accept", "application/json"}, {"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = "grant_type=client_credentials";
  if (!oauth.scope.empty()) request.body += "&scope=" + percent_encode(oauth.scope);
  if (oauth.in_body) {
    request.body += fmt::format("&client_id={}&client_secret={}", percent_encode(oauth.client_id),
                                percent_encode(oauth.client_secret.reveal()));
  } else {
    request.basic_auth.emplace(oauth.client_id, oauth.client_secret);
  }
  const std::string where = shown("POST", oauth.token_url);
  const auto response = http_.send(request, stop_);
  if (!response) return std::unexpected(response.error());
  if (response->status != 200) return std::unexpected(refused(*response, where));
  const auto answer = parse_json(response->body, kMostLevels);
  if (!answer) return core::fail(answer.error().kind, answer.error().message, where);
  const auto token = answer->is_object() ? answer->find("access_token") : answer->end();
  if (!answer->is_object() || token == answer->end() || !token->is_string()) {
    return core::fail(ErrorKind::protocol, "the answer has no access_token", where);
  }
  token_ = core::Secret(token->get<std::string>());
  const auto expires = answer->find("expires_in");
  const double seconds = expires == answer->end() ? kTokenSeconds : json_number(*expires).value_or(kTokenSeconds);
  const double bounded = std::clamp(seconds, 0.0, 86'400.0);
  token_until_ = now_ + std::max(core::Duration(1000), core::Duration(std::int64_t(bounded * 1000)) - kTokenMargin);
  return {};
}

core::Result<net::HttpResponse> HttpSession::send(const std::string& method, const std::string& url, std::string body) {
  if (not_before_) return core::fail(ErrorKind::unavailable, "the service asked to wait", settings_.endpoint.url);
  if (auto done = log_on(); !done) return std::unexpected(done.error());
  auto response = exchange(method, url, body);
  if (response && response->status == 401 && settings_.oauth) {  // the token was taken back before its time
    token_ = {};
    if (auto done = log_on(); !done) return std::unexpected(done.error());
    response = exchange(method, url, body);
  }
  if (!response) {
    core::Error error = std::move(response.error());
    error.where = shown(method, url);
    return std::unexpected(std::move(error));
  }
  note_wait(*response);
  if (response->status < 200 || response->status > 299) {
    return std::unexpected(refused(*response, shown(method, url)));
  }
  return response;
}

}  // namespace weir::collectors
