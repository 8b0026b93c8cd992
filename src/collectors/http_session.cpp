#include "collectors/http_session.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "collectors/http_answer.h"
#include "collectors/json_pointer.h"
#include "collectors/jwt.h"
#include "core/percent.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using nlohmann::json;

constexpr core::Duration kTokenMargin = std::chrono::seconds(30);
constexpr double kTokenSeconds = 300;  // where the service does not say
constexpr std::size_t kMostLevels = 64;

core::Error refused(const net::HttpResponse& response, const std::string& where) {
  const int status = response.status;
  const auto error = [&](ErrorKind kind, std::string_view what) {
    return core::fail(kind, fmt::format("{} (HTTP {}){}", what, status, said(response.body)), where).error();
  };
  if (status == 401)
    return error(ErrorKind::denied, "the login is refused; check basic_auth, bearer_token, oauth2, login or jwt");
  if (status == 403) return error(ErrorKind::denied, "access is refused; the login lacks a right");
  if (status == 404) return error(ErrorKind::not_found, "not found");
  if (status == 429) return error(ErrorKind::unavailable, "too many requests");
  if (status == 202) return error(ErrorKind::unavailable, "the service has not done it yet");
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
  begun_ = std::chrono::steady_clock::now();
  skew_.reset();
  if (not_before_ && now_ < *not_before_) {
    return core::fail(ErrorKind::unavailable,
                      fmt::format("the service asked to be left alone until {}", core::format_rfc3339(*not_before_)),
                      settings_.endpoint.url);
  }
  not_before_.reset();
  return {};
}

void HttpSession::note_wait(const net::HttpResponse& response) {
  if (const auto wait = asked_to_wait(response, now_)) not_before_ = now_ + *wait;
}

void HttpSession::note_clock(const net::HttpResponse& response) {
  if (const auto date = http_date(response.header("date"))) {
    // As of now_: the cycle has gone on since.
    const auto gone = std::chrono::duration_cast<core::Duration>(std::chrono::steady_clock::now() - begun_);
    skew_ = *date - (now_ + gone);
  }
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

void HttpSession::keep_token(core::Secret token, double seconds) {
  token_ = std::move(token);
  const double bounded = std::clamp(seconds, 0.0, 86'400.0);
  token_until_ = now_ + std::max(core::Duration(1000), core::Duration(std::int64_t(bounded * 1000)) - kTokenMargin);
}

core::Result<void> HttpSession::log_on() {
  if (!token_.empty() && now_ < token_until_) return {};
  if (settings_.oauth) return fetch_token(*settings_.oauth);
  if (!settings_.jwt) return {};
  auto token = sign_jwt(settings_.jwt->private_key, settings_.jwt->claims, now_);
  if (!token) return std::unexpected(token.error());
  keep_token(std::move(*token), core::to_seconds(settings_.jwt->claims.lifetime));
  return {};
}

core::Result<net::HttpResponse> HttpSession::ask_for_token(const OauthSettings& oauth) {
  net::HttpRequest request = request_to(settings_.endpoint, oauth.token_url, deadline_);
  request.method = "POST";
  request.bearer = {};
  request.basic_auth.reset();
  std::vector<std::pair<std::string, std::string>> fields;
  if (!oauth.of_user) {
    fields.emplace_back("grant_type",
                        oauth.assertion ? "urn:ietf:params:oauth:grant-type:jwt-bearer" : "client_credentials");
  }
  if (!oauth.scope.empty() && !oauth.assertion) fields.emplace_back("scope", oauth.scope);
  std::ranges::copy(oauth.parameters, std::back_inserter(fields));
  if (oauth.assertion) {
    const auto token = sign_jwt(oauth.assertion->private_key, oauth.assertion->claims, now_);
    if (!token) return std::unexpected(token.error());
    fields.emplace_back("assertion", token->reveal());
  } else if (oauth.credentials == OauthSettings::Credentials::basic) {
    request.basic_auth.emplace(oauth.client_id, oauth.client_secret);
  } else {
    fields.emplace_back(oauth.of_user ? "username" : "client_id", oauth.client_id);
    fields.emplace_back(oauth.of_user ? "password" : "client_secret", oauth.client_secret.reveal());
  }
  const bool as_json = oauth.credentials == OauthSettings::Credentials::json;
  json members = json::object();
  for (const auto& [name, value] : fields) {
    if (as_json) {
      members[name] = value;
    } else {
      request.body +=
          (request.body.empty() ? "" : "&") + core::percent_encoded(name) + "=" + core::percent_encoded(value);
    }
  }
  if (as_json) request.body = members.dump(-1, ' ', false, json::error_handler_t::replace);
  request.headers = {{"Accept", "application/json"},
                     {"Content-Type", as_json ? "application/json" : "application/x-www-form-urlencoded"}};
  return http_.send(request, stop_);
}

core::Result<void> HttpSession::fetch_token(const OauthSettings& oauth) {
  const std::string where = shown("POST", oauth.token_url);
  const auto response = ask_for_token(oauth);
  if (!response) return std::unexpected(response.error());
  note_wait(*response);
  if (response->status != 200 && response->status != 201) return std::unexpected(refused(*response, where));
  const auto answer = parse_json(response->body, kMostLevels);
  if (!answer) return core::fail(answer.error().kind, answer.error().message, where);
  const auto token = answer->is_object() ? answer->find("access_token") : answer->end();
  if (!answer->is_object() || token == answer->end() || !token->is_string()) {
    return core::fail(ErrorKind::protocol, "the answer has no access_token", where);
  }
  const auto expires = answer->find("expires_in");
  keep_token(core::Secret(token->get<std::string>()),
             expires == answer->end() ? kTokenSeconds : json_number(*expires).value_or(kTokenSeconds));
  return {};
}

core::Result<net::HttpResponse> HttpSession::send(const std::string& method, const std::string& url,
                                                  const std::string& body) {
  if (not_before_) {
    return core::fail(ErrorKind::unavailable,
                      fmt::format("the service asked to wait until {}", core::format_rfc3339(*not_before_)),
                      settings_.endpoint.url);
  }
  if (auto done = log_on(); !done) return std::unexpected(done.error());
  auto response = exchange(method, url, body);
  // The token was taken back before its time.
  if (response && response->status == 401 && (settings_.oauth || settings_.jwt)) {
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
  note_clock(*response);
  return response;
}

core::Result<void> HttpSession::check(const std::string& method, const std::string& url,
                                      const net::HttpResponse& response) const {
  if (response.status >= 200 && response.status <= 299 && response.status != 202) return {};
  return std::unexpected(refused(response, shown(method, url)));
}

}  // namespace weir::collectors
