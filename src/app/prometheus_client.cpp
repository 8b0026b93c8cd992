#include "app/prometheus_client.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace weir::app {
namespace {

using nlohmann::json;

constexpr core::Duration kTimeout = std::chrono::minutes(2);
constexpr std::size_t kMostBytes = 256U << 20U;

std::unexpected<core::Error> no_such_api(std::string_view what) {
  return core::fail(core::ErrorKind::protocol,
                    fmt::format("the answer is not that of Prometheus's HTTP API: {}", what));
}

double parse_value(const std::string& text) {
  double value = std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

core::Point parse_point(const json& pair) {
  return {core::time_from_seconds(pair.at(0).get<double>()), parse_value(pair.at(1).get<std::string>())};
}

core::Labels parse_labels(const json& metric) {
  core::LabelsBuilder labels;
  for (const auto& [name, value] : metric.items()) labels.set(name, value.get<std::string>());
  return labels.build();
}

promql::Value parse_data(const json& data) {
  const auto type = data.at("resultType").get<std::string>();
  const json& result = data.at("result");
  if (type == "scalar") return promql::Scalar{parse_point(result).value};
  if (type == "string") return promql::Text{result.at(1).get<std::string>()};
  if (type == "vector") {
    promql::Vector vector;
    for (const json& row : result) {
      const core::Point point = parse_point(row.at("value"));
      vector.push_back({parse_labels(row.at("metric")), point.time, point.value});
    }
    return vector;
  }
  promql::Matrix matrix;
  for (const json& row : result) {
    core::SeriesView series{parse_labels(row.at("metric")), {}};
    for (const json& point : row.at("values")) series.points.push_back(parse_point(point));
    matrix.push_back(std::move(series));
  }
  return matrix;
}

/// Calls `read` with the answer's data.
template <class Read>
auto parse_answer(std::string_view text, Read read) -> core::Result<decltype(read(json()))> {
  try {
    const json answer = json::parse(text);
    if (answer.at("status") == "error") {
      return core::fail(core::ErrorKind::invalid, fmt::format("{} ({})", answer.value("error", "no message"),
                                                              answer.value("errorType", "no error type")));
    }
    return read(answer.at("data"));
  } catch (const json::exception& error) {
    return no_such_api(error.what());
  }
}

std::string seconds(core::Time time) { return fmt::format("{:.3f}", core::to_seconds(time)); }

}  // namespace

std::string encode_parameters(const PrometheusClient::Parameters& parameters) {
  std::string out;
  const auto append = [&](std::string_view text) {
    for (const char c : text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                         c == '_' || c == '.' || c == '~';
      out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  };
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    append(name);
    out += '=';
    append(value);
  }
  return out;
}

PrometheusClient::PrometheusClient(net::HttpClient& http, std::string url) : http_(http), url_(std::move(url)) {
  while (url_.ends_with('/')) url_.pop_back();
}

core::Result<std::string> PrometheusClient::answer(const std::string& path, const Parameters& parameters) const {
  net::HttpRequest request;
  request.url = url_ + path;
  if (!parameters.empty()) request.url += "?" + encode_parameters(parameters);
  request.timeout = kTimeout;
  request.max_response_bytes = kMostBytes;
  auto response = http_.send(request);
  if (!response) return std::unexpected(response.error());
  if (response->status == 404 || !response->header("content-type").starts_with("application/json"))
    return no_such_api(fmt::format("status {} at {}", response->status, path));
  return std::move(response->body);
}

core::Result<promql::Value> PrometheusClient::query(const std::string& expression, std::optional<core::Time> at) const {
  Parameters parameters{{"query", expression}};
  if (at) parameters.emplace_back("time", seconds(*at));
  const auto text = answer("/api/v1/query", parameters);
  if (!text) return std::unexpected(text.error());
  return parse_query_answer(*text);
}

core::Result<promql::Matrix> PrometheusClient::query_range(const std::string& expression, core::Time start,
                                                           core::Time end, core::Duration step) const {
  const auto text = answer("/api/v1/query_range", {{"query", expression},
                                                   {"start", seconds(start)},
                                                   {"end", seconds(end)},
                                                   {"step", fmt::format("{:.3f}", core::to_seconds(step))}});
  if (!text) return std::unexpected(text.error());
  auto value = parse_query_answer(*text);
  if (!value) return std::unexpected(value.error());
  if (auto* matrix = std::get_if<promql::Matrix>(&*value)) return std::move(*matrix);
  return no_such_api("no matrix");
}

core::Result<std::vector<ServedRule>> PrometheusClient::alerting_rules() const {
  const auto text = answer("/api/v1/rules", {{"type", "alert"}});
  if (!text) return std::unexpected(text.error());
  return parse_rules_answer(*text);
}

core::Result<promql::Value> parse_query_answer(std::string_view text) { return parse_answer(text, parse_data); }

core::Result<std::vector<ServedRule>> parse_rules_answer(std::string_view text) {
  return parse_answer(text, [](const json& data) {
    std::vector<ServedRule> rules;
    for (const json& group : data.at("groups")) {
      for (const json& rule : group.at("rules")) {
        if (rule.at("type") != "alerting") continue;
        rules.push_back({group.at("name").get<std::string>(), group.value("file", ""),
                         rule.at("name").get<std::string>(), rule.at("query").get<std::string>(),
                         rule.value("state", "unknown"), rule.value("duration", 0.0)});
      }
    }
    return rules;
  });
}

}  // namespace weir::app
