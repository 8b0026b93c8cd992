#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/alert.h"
#include "notify/http_delivery.h"
#include "notify/notifier.h"

namespace weir::notify {

/// An Alertmanager that every alert is told to, one entry of `alertmanagers:`.
struct AlertmanagerSettings {
  std::string name;   // its URL without credentials, for logs and metrics
  HttpTarget target;  // of its /api/v2/alerts
  core::Duration timeout = std::chrono::seconds(10);
  bool operator==(const AlertmanagerSettings&) const = default;
};

/// Reads `alertmanagers:`, a list of `url`, `timeout` (10s) and `http_config`. All mistakes go to the diagnostics.
std::vector<AlertmanagerSettings> parse_alertmanagers(const config::Node& section, config::Diagnostics& diagnostics);

/// What an Alertmanager is posted.
struct PostedAlert {
  core::Alert alert;
  core::Time starts_at;
  core::Time ends_at;  // of a firing one: when it is to be taken for resolved unless it is sent again
};

/// Says what one Alertmanager must be told, as Prometheus's specification of alert generators has it: an alert that
/// begins to fire or resolves at once, and both again after each resend delay; a resolved one for as long as its rule
/// keeps it (15 minutes); startsAt is when it began to fire, endsAt when it resolved, or 4 times the longer of the
/// interval and the resend delay from now. It departs from it where sending failed, for that is due again at once, and
/// where a rule is gone: its alert is then told to have ended.
/// Pure. Holds one entry an alert. Unlike Prometheus it does not wait for an evaluation to send again, so that an alert
/// whose rule cannot be evaluated stays told.
class AlertSchedule {
 public:
  static constexpr core::Duration kResendDelay = std::chrono::minutes(1);

  /// What is due of the alerts as they stand, which are all that there are.
  std::vector<PostedAlert> due(std::span<const core::GeneratedAlert> alerts, core::Time now);
  /// These were taken.
  void sent(std::span<const PostedAlert> posted, core::Time now);

 private:
  using Key = std::pair<std::string, core::Labels>;  // the rule group, the alert's labels
  struct Sent {
    core::Time at;
    core::Alert alert;
  };
  std::map<Key, Sent> sent_;
};

/// The body of `POST /api/v2/alerts`.
std::string alertmanager_payload(std::span<const PostedAlert> alerts, const std::string& external_url);

}  // namespace weir::notify
