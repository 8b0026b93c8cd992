#pragma once

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// /api/v1/query: the instant query of Prometheus's HTTP API
/// (https://prometheus.io/docs/prometheus/latest/querying/api/), with its JSON shapes, error types and status codes.
net::ServerResponse query(const Backend& backend, const net::ServerRequest& request);

}  // namespace weir::api
