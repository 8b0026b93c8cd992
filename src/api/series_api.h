#pragma once

#include <string>

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// What series and metrics there are, in the shapes of Prometheus's HTTP API.

/// /api/v1/series: match[], start, end, limit.
net::ServerResponse series(const Backend& backend, const net::ServerRequest& request);
/// /api/v1/labels: match[], start, end, limit.
net::ServerResponse labels(const Backend& backend, const net::ServerRequest& request);
/// /api/v1/label/<name>/values: match[], start, end, limit. `name` may be escaped as Prometheus's U__….
net::ServerResponse label_values(const Backend& backend, const net::ServerRequest& request, const std::string& name);
/// /api/v1/metadata: metric, limit, limit_per_metric.
net::ServerResponse metadata(const Backend& backend, const net::ServerRequest& request);

}  // namespace weir::api
