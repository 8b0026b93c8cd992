#pragma once

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// The release of Prometheus whose API and query language Weir follows. Clients such as Grafana choose by
/// buildinfo's version what they may ask for.
inline constexpr std::string_view kPrometheusVersion = "3.0.0";

/// /api/v1/status/buildinfo; Weir's own version is the revision.
net::ServerResponse build_info(const Backend& backend, const net::ServerRequest& request);
/// /api/v1/status/runtimeinfo
net::ServerResponse runtime_info(const Backend& backend, const net::ServerRequest& request);

}  // namespace weir::api
