#include "storage/told_of.h"

#include <algorithm>
#include <chrono>

namespace weir::storage {
namespace {

/// That it is over may be told with the next group interval.
constexpr core::Duration kToldLater = std::chrono::hours(24);
/// Far, and within what engines take for a number of milliseconds.
constexpr core::Duration kFar = std::chrono::years(1000);

}  // namespace

ToldOf::ToldOf(const core::Incident& incident)
    : from_(incident.opened_at), ended_(incident.resolved_at.value_or(incident.opened_at + kFar)) {
  for (const core::Alert& alert : incident.alerts) {
    alerts_.insert(alert.fingerprint);
    // What was merged into it may have begun before.
    if (alert.fired_at) from_ = std::min(from_, *alert.fired_at);
  }
}

core::Time ToldOf::to() const { return ended_ + kToldLater; }

bool ToldOf::tells(const core::Notification& notification) const {
  return std::ranges::any_of(notification.alerts, [&](const core::Alert& alert) {
    return alerts_.contains(alert.fingerprint) && alert.fired_at && *alert.fired_at >= from_ &&
           *alert.fired_at <= ended_;
  });
}

}  // namespace weir::storage
