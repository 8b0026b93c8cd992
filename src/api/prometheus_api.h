#pragma once

#include "api/backend.h"
#include "core/error.h"
#include "net/http_server.h"

namespace weir::api {

/// Routes of Prometheus's HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/), with its JSON shapes,
/// error types, messages and status codes, as of Prometheus 3.

/// /api/v1/query: query, time, timeout, limit.
net::ServerResponse query(const Backend& backend, const net::ServerRequest& request);
/// /api/v1/query_range: query, start, end, step, timeout, limit.
net::ServerResponse query_range(const Backend& backend, const net::ServerRequest& request);
/// /api/v1/query_exemplars: Weir keeps none.
net::ServerResponse query_exemplars(const Backend& backend, const net::ServerRequest& request);
/// /api/v1/format_query: query. Long lines are split.
net::ServerResponse format_query(const Backend& backend, const net::ServerRequest& request);

/// Answers with `errorType` and the status that belongs to it: bad_data 400, not_found 404, execution 422,
/// canceled 499, internal 500, timeout and unavailable 503.
net::ServerResponse api_failure(std::string_view type, std::string_view message);
/// The input was wrong.
net::ServerResponse bad_data(const core::Error& error);
/// An evaluation or a selection failed.
net::ServerResponse execution_failure(const core::Error& error);
/// A whole answer: `data` is JSON.
net::ServerResponse api_success(std::string_view data, std::span<const std::string> warnings = {});

inline constexpr std::string_view kTruncated = "results truncated due to limit";

}  // namespace weir::api
