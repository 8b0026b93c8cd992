#pragma once

#include <string_view>

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// The incidents: `…/incidents` is the history with its search, `…/incidents/ID` one of them, `…/incidents/ID/DEED` a
/// POST of what a person does about it, `…/incidents/ID/postmortem` its report. At both of these places.
inline constexpr std::string_view kIncidentPath = "/api/v1/incidents";
inline constexpr std::string_view kIncidentPathBefore = "/api/weir/v1/incidents";

bool is_incident_path(std::string_view path);
/// "GET, HEAD" or "POST".
std::string_view incident_methods(std::string_view path);
/// Of a method that the path has.
net::ServerResponse incidents_api(const Backend& backend, const net::ServerRequest& request);

}  // namespace weir::api
