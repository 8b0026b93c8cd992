#pragma once

#include <cstddef>
#include <string>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/incident.h"
#include "notify/registry.h"

namespace weir::notify {

/// An entry of `webhook_configs`: url (or url_file), send_resolved (true), max_alerts (0: all), http_config. Posts the
/// payload with the header `Idempotency-Key`, the same on every attempt.
ParsedNotifier parse_webhook(const config::Node& node, const ParseContext& context);

/// Alertmanager's webhook payload, version "4" (https://prometheus.io/docs/alerting/latest/configuration, section
/// webhook_config), with two fields of Weir's own beside it: "incident_id", 16 hex digits, and "cause", one sentence,
/// "" where unknown. groupKey ends in the incident's id; generatorURL is the incident on Weir's page. Alerts beyond
/// `max_alerts` (0: no bound) are counted in truncatedAlerts.
std::string webhook_payload(const core::Notification& notification, std::size_t max_alerts,
                            const std::string& external_url);

}  // namespace weir::notify
