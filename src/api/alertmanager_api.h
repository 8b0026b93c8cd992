#pragma once

#include <string>

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

inline constexpr std::string_view kAlertmanagerPaths = "/api/v2/";

/// Answers a request under /api/v2/ as Alertmanager's API does (its OpenAPI description, release 0.25): status,
/// receivers, silences, silence/{id}, alerts and alerts/groups. Alerts are not taken: they come from rules. What
/// changes anything is refused to pages of other sites by the caller.
net::ServerResponse alertmanager_api(const Backend& backend, const net::ServerRequest& request);

/// Takes the webhook payload (version 4) of an Alertmanager that Weir tells its alerts, for the incidents' timelines.
net::ServerResponse alertmanager_webhook(const Backend& backend, const net::ServerRequest& request);

/// The methods of a path under /api/v2/, for `Allow`; "" where there is nothing.
std::string_view alertmanager_methods(std::string_view path);

}  // namespace weir::api
