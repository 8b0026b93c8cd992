#pragma once

#include <string>

#include "core/incident.h"

namespace weir::notify {

/// Alertmanager's webhook payload, version "4"
/// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), with two keys more: incident_id and
/// cause. `max_alerts` of 0 keeps all; what is cut is counted in truncatedAlerts.
std::string webhook_payload(const core::Notification& notification, const std::string& external_url,
                            std::size_t max_alerts);

}  // namespace weir::notify
