#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/time.h"
#include "promql/value.h"

namespace weir::api {

/// The `data` of Prometheus's answer to a query: `{"resultType", "result"}`. `at` is the time of the query.
nlohmann::json query_data(const promql::Value& value, core::Time at);
/// Prometheus's answer to a query that failed: `{"status": "error", "errorType", "error"}`.
nlohmann::json query_error(const std::string& type, const std::string& message);

}  // namespace weir::api
