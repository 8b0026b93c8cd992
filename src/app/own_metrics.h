#pragma once

#include <array>

#include "app/storage_watch.h"
#include "core/batch.h"

namespace weir::app {

/// What Weir tells of itself on /metrics, but for what a part of it tells of its own.
namespace own {

using core::MetricInfo;
using core::MetricType;

inline constexpr MetricInfo kBuildInfo{"weir_build_info", MetricType::gauge, "1, with the version."};
inline constexpr MetricInfo kSeries{"weir_series", MetricType::gauge, "Time series held in memory."};
inline constexpr MetricInfo kOutbox{"weir_outbox_messages", MetricType::gauge,
                                    "Notifications waiting to be delivered."};
inline constexpr MetricInfo kNotifications{"weir_notifications_total", MetricType::counter,
                                           "Attempts to deliver a notification, by outcome."};
inline constexpr MetricInfo kTemplateFailures{"weir_notification_template_failures_total", MetricType::counter,
                                              "Messages with a template that failed, told with Weir's own text."};
inline constexpr MetricInfo kAlertsSent{"weir_alertmanager_alerts_sent_total", MetricType::counter,
                                        "Alerts that an Alertmanager was told, each as often as it was."};
inline constexpr MetricInfo kSendFailures{"weir_alertmanager_send_failures_total", MetricType::counter,
                                          "Requests to an Alertmanager that it did not take."};
inline constexpr MetricInfo kHeartbeats{"weir_heartbeats_total", MetricType::counter,
                                        "Heartbeats to a dead man's switch, by outcome."};
inline constexpr MetricInfo kRuleSeconds{"weir_rule_group_last_duration_seconds", MetricType::gauge,
                                         "Duration of the rule group's last evaluation."};
inline constexpr MetricInfo kRuleFailures{"weir_rule_evaluation_failures_total", MetricType::counter,
                                          "Rules that could not be evaluated."};
inline constexpr MetricInfo kReloaded{"weir_config_last_reload_successful", MetricType::gauge,
                                      "1 when the last reading of the configuration was applied, else 0."};
inline constexpr MetricInfo kReloadedAt{"weir_config_last_reload_success_timestamp_seconds", MetricType::gauge,
                                        "When the configuration was last applied."};
inline constexpr std::array kOwnMetrics{
    kReloaded,         kReloadedAt,   kBuildInfo,        kSeries,     kOutbox,       kNotifications,
    kRuleSeconds,      kRuleFailures, kStorageFailures,  kAlertsSent, kSendFailures, kHeartbeats,
    kTemplateFailures, kUnwritten,    kUnwrittenDropped, kSetAside,   kStorageState, kRewritten};

}  // namespace own
}  // namespace weir::app
