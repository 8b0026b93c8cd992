#include "api/prometheus_api.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/json_values.h"
#include "promql/engine.h"
#include "promql/format.h"

namespace weir::api {
namespace {

using nlohmann::json;

net::ServerResponse failure(int status, const std::string& type, const std::string& message) {
  return net::ServerResponse::json(status, dump({{"status", "error"}, {"errorType", type}, {"error", message}}));
}

/// Seconds as Prometheus prints them: whole ones without a fraction.
json seconds(core::Time at) {
  const auto ms = at.time_since_epoch().count();
  return ms % 1000 == 0 ? json(ms / 1000) : json(core::to_seconds(at));
}

json pair(core::Time at, double value) { return json::array({seconds(at), promql::format_value(value)}); }

json result_of(const promql::Value& value, core::Time at) {
  if (const auto* scalar = std::get_if<promql::Scalar>(&value))
    return {{"resultType", "scalar"}, {"result", pair(at, scalar->value)}};
  if (const auto* text = std::get_if<promql::Text>(&value)) {
    return {{"resultType", "string"}, {"result", json::array({seconds(at), text->text})}};
  }
  json rows = json::array();
  if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    for (const promql::VectorSample& sample : *vector)
      rows.push_back({{"metric", to_json(sample.labels)}, {"value", pair(at, sample.value)}});
    return {{"resultType", "vector"}, {"result", rows}};
  }
  for (const core::SeriesView& series : std::get<promql::Matrix>(value)) {
    json points = json::array();
    for (const core::Point& point : series.points) points.push_back(pair(point.time, point.value));
    rows.push_back({{"metric", to_json(series.labels)}, {"values", points}});
  }
  return {{"resultType", "matrix"}, {"result", rows}};
}

/// Seconds since 1970 as a number. RFC 3339 is read too.
std::optional<core::Time> parse_time(const std::string& text) {
  double seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed == std::errc() && end == text.data() + text.size() && seconds > -1e11 && seconds < 1e11)
    return core::time_from_seconds(seconds);
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  double fraction = 0;
  if (*rest == '.') {
    const auto read = std::from_chars(rest, text.c_str() + text.size(), fraction, std::chars_format::fixed);
    if (read.ec != std::errc()) return std::nullopt;
    rest = read.ptr;
  }
  int sign = 0;
  int hours = 0;
  int minutes = 0;
  if (std::string_view(rest) != "Z") {
    char direction = 0;
    if (std::sscanf(rest, "%c%2d:%2d", &direction, &hours, &minutes) != 3 || (direction != '+' && direction != '-'))
      return std::nullopt;
    sign = direction == '+' ? -1 : 1;
  }
  return core::time_from_seconds(static_cast<double>(timegm(&parts)) + fraction +
                                 sign * (hours * 3600.0 + minutes * 60.0));
}

}  // namespace

net::ServerResponse query(const Backend& backend, const net::ServerRequest& request) {
  std::string text;
  core::Time at = backend.now();
  for (const auto& [name, value] : request.parameters()) {
    if (name == "query") text = value;
    if (name != "time") continue;
    const auto parsed = parse_time(value);
    if (!parsed)
      return failure(400, "bad_data",
                     "invalid parameter \"time\": cannot parse \"" + value + "\" to a valid timestamp");
    at = *parsed;
  }
  const auto expr = promql::parse(text);
  if (!expr) return failure(400, "bad_data", "invalid parameter \"query\": " + expr.error().describe());
  const promql::Limits limits{.max_samples = 5'000'000, .timeout = std::chrono::seconds(10)};
  const auto value = promql::evaluate(*expr, backend.series, at, limits);
  if (!value && value.error().kind == core::ErrorKind::timeout) return failure(503, "timeout", value.error().message);
  if (!value) return failure(422, "execution", value.error().message);
  return net::ServerResponse::json(200, dump({{"status", "success"}, {"data", result_of(*value, at)}}));
}

}  // namespace weir::api
