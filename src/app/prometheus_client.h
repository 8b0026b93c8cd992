#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "net/http_client.h"
#include "promql/value.h"

namespace weir::app {

/// An alerting rule as /api/v1/rules has it.
struct ServedRule {
  std::string group;
  std::string file;
  std::string name;
  std::string query;
  std::string state;  // inactive, pending or firing
  double hold_seconds = 0;
};

/// Asks Weir, or any server with Prometheus's HTTP API. Blocking.
class PrometheusClient {
 public:
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  /// `url` is the server's, with or without a "/" at its end. The client must outlive it.
  PrometheusClient(net::HttpClient& http, std::string url);

  /// The JSON that the server answers, also when it says "error". Errors: those of net::HttpClient; protocol, when
  /// there is no JSON of that API.
  core::Result<std::string> answer(const std::string& path, const Parameters& parameters) const;

  /// Errors: as above; invalid, with the server's message.
  core::Result<promql::Value> query(const std::string& expression, std::optional<core::Time> at = {}) const;
  core::Result<promql::Matrix> query_range(const std::string& expression, core::Time start, core::Time end,
                                           core::Duration step) const;
  core::Result<std::vector<ServedRule>> alerting_rules() const;

 private:
  net::HttpClient& http_;
  std::string url_;
};

/// The `data` of an answer as a value. Errors: protocol; invalid, when the answer says "error".
core::Result<promql::Value> parse_query_answer(std::string_view text);
core::Result<std::vector<ServedRule>> parse_rules_answer(std::string_view text);

/// `name=value&…` with percent escapes.
std::string encode_parameters(const PrometheusClient::Parameters& parameters);

}  // namespace weir::app
