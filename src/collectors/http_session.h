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
  /// The body of a 2xx answer. Errors: those of HttpClient; denied (401, 403), not_found (404), protocol (a redirect),
  /// limit (too many requests of this cycle, or 429), unavailable (5xx), with what the service says of it.
  core::Result<net::HttpResponse> send(const std::string& method, const std::string& url, std::string body);
  /// How many requests this cycle made.
  std::size_t requests() const { return requests_; }

 private:
  core::Result<net::HttpResponse> exchange(const std::string& method, const std::string& url, const std::string& body);
  core::Result<void> log_on();
  void note_wait(const net::HttpResponse& response);

  const HttpJsonSettings& settings_;
  net::HttpClient& http_;
  core::Time now_;
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
  std::size_t requests_ = 0;
  core::Secret token_;
  core::Time token_until_{};
  std::optional<core::Time> not_before_;
};

}  // namespace weir::collectors
