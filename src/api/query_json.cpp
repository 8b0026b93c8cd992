#include "api/query_json.h"

#include <nlohmann/json.hpp>

#include "api/json_values.h"
#include "promql/format.h"

namespace weir::api {
namespace {

using nlohmann::json;

/// Seconds as Prometheus prints them: whole ones without a fraction.
json seconds(core::Time at) {
  const auto ms = at.time_since_epoch().count();
  return ms % 1000 == 0 ? json(ms / 1000) : json(core::to_seconds(at));
}

json pair(core::Time at, double value) { return json::array({seconds(at), promql::format_value(value)}); }

}  // namespace

json query_data(const promql::Value& value, core::Time at) {
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

json query_error(const std::string& type, const std::string& message) {
  return {{"status", "error"}, {"errorType", type}, {"error", message}};
}

}  // namespace weir::api
