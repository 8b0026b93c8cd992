#pragma once

#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/time.h"
#include "notify/http_delivery.h"

namespace weir::notify {

/// A dead man's switch, one entry of `heartbeats:`: a service that tells somebody when it no longer hears from Weir.
struct HeartbeatSettings {
  std::string name;
  HttpTarget target;
  core::Duration interval = std::chrono::minutes(1);
  core::Duration timeout = std::chrono::seconds(10);
  bool operator==(const HeartbeatSettings&) const = default;
};

/// Reads `heartbeats:`, a list of `name`, `url` (or `url_file`), `interval` (1m), `timeout` (10s) and `http_config`.
std::vector<HeartbeatSettings> parse_heartbeats(const config::Node& section, config::Diagnostics& diagnostics);

/// The body that is posted.
std::string heartbeat_payload(const HeartbeatSettings& settings, const std::string& external_url, core::Time now);

}  // namespace weir::notify
