#pragma once

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// /api/v1/rules of Prometheus's HTTP API: type, rule_name[], rule_group[], file[], match[] (on the labels of
/// a rule as written), exclude_alerts, group_limit with group_next_token.
net::ServerResponse rules(const Backend& backend, const net::ServerRequest& request);
/// /api/v1/alerts: what is pending or firing.
net::ServerResponse alerts(const Backend& backend, const net::ServerRequest& request);

}  // namespace weir::api
