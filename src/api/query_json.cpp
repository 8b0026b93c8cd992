#include "api/query_json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "api/prometheus_json.h"

namespace weir::api {

using nlohmann::json;

json query_data(const promql::Value& value, core::Time at) {
  // Read back from what the server sends, so that there is one way to print a sample.
  std::string text;
  (void)append_query_data(text, value, at, std::numeric_limits<std::size_t>::max());
  return json::parse(text);
}

json query_error(const std::string& type, const std::string& message) {
  return {{"status", "error"}, {"errorType", type}, {"error", message}};
}

}  // namespace weir::api
