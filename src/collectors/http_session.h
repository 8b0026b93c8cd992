#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "collectors/http_json.h"

namespace weir::collectors {

/// Requests of one service within a cycle: bounded in number, with its login, and none while the service asked to be
/// left alone. Used by one thread.
class HttpSession {
 public:
  /// Both outlive the session.
  HttpSession(const HttpJsonSettings& settings, net::HttpClient& http) : settings_(settings), http_(http) {}

  /// Errors (unavailable): the service asked to wait until later.
  core::Result<void> begin(const core::CollectContext& context);
  /// Any answer, after a new login where the token was refused. Errors: those of HttpClient; of the login; limit (too
  /// many requests of this cycle), unavailable (the service asked to wait).
  core::Result<net::HttpResponse> send(const std::string& method, const std::string& url, const std::string& body);
  /// Nothing for an answer that has what was asked for. Errors: denied (401, 403), not_found (404), protocol (a
  /// redirect, another refusal), unavailable (202, 429, 5xx), with what the service says of it.
  core::Result<void> check(const std::string& method, const std::string& url, const net::HttpResponse& response) const;
  /// By how much the service's clock was ahead of `now` in this cycle's last answer; nothing where it does not say.
  std::optional<core::Duration> skew() const { return skew_; }
  /// How many requests this cycle made.
  std::size_t requests() const { return requests_; }

 private:
  core::Result<net::HttpResponse> exchange(const std::string& method, const std::string& url, const std::string& body);
  core::Result<void> log_on();
  core::Result<void> fetch_token(const OauthSettings& oauth);
  core::Result<net::HttpResponse> ask_for_token(const OauthSettings& oauth);
  void keep_token(core::Secret token, double seconds);
  void note_clock(const net::HttpResponse& response);
  void note_wait(const net::HttpResponse& response);

  const HttpJsonSettings& settings_;
  net::HttpClient& http_;
  core::Time now_;
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point begun_;
  std::size_t requests_ = 0;
  core::Secret token_;
  core::Time token_until_{};
  std::optional<core::Time> not_before_;
  std::optional<core::Duration> skew_;
};

}  // namespace weir::collectors
