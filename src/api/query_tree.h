#pragma once

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// /api/v1/parse_query: query. Answers its syntax tree in the shape that Prometheus 3's page shows it from: an object
/// per node with `type`, durations and times in milliseconds.
net::ServerResponse parse_query(const Backend& backend, const net::ServerRequest& request);

}  // namespace weir::api
