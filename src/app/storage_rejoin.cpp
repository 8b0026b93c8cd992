#include "app/storage_rejoin.h"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace weir::app {
namespace {

using core::AlertState;
using Key = std::tuple<std::uint64_t, std::string, std::string>;

Key key_of(const core::Alert& alert) { return {alert.fingerprint, alert.group, alert.rule}; }

/// An alert of storage on its way through what was seen meanwhile.
struct Followed {
  core::Alert alert;
  bool same = true;    // as the one in storage: it has not ended
  bool fired = false;  // meanwhile
  AlertState state = AlertState::inactive;
};

void go_on_as(const core::Alert& before, core::Alert& alert) {
  alert.active_at = before.active_at;
  if (before.state == AlertState::firing) alert.fired_at = before.fired_at;
}

/// Whether it is news; then it is as the alert in storage would have changed.
bool follow(Followed& known, core::Transition& change) {
  if (!known.same) return true;
  const bool was_firing = known.alert.state == AlertState::firing;
  // Only pending as far as was seen: whether it ends is for the rules to say, which may hold it (keep_firing_for).
  if (was_firing && !known.fired && change.to != AlertState::firing) return false;
  const AlertState before = std::exchange(known.state, change.to);
  if (change.to == AlertState::firing) known.fired = true;
  if (change.to == AlertState::inactive) known.same = false;
  change.from = before;
  go_on_as(known.alert, change.alert);
  return before != change.to;
}

}  // namespace

Rejoined rejoin(const std::vector<core::Alert>& stored, const std::vector<core::Alert>& active,
                std::vector<core::Transition> meanwhile) {
  std::map<Key, Followed> followed;
  for (const core::Alert& alert : stored) followed[key_of(alert)] = {.alert = alert, .state = alert.state};
  Rejoined joined;
  for (core::Transition& change : meanwhile) {
    const auto known = followed.find(key_of(change.alert));
    if (known == followed.end() || follow(known->second, change)) joined.transitions.push_back(std::move(change));
  }
  std::map<Key, const core::Alert*> seen;
  for (const core::Alert& alert : active) seen.emplace(key_of(alert), &alert);
  for (const auto& [key, known] : followed) {
    if (!known.same) continue;  // over; what is active again is a new one
    const auto now = seen.find(key);
    core::Alert alert = now == seen.end() ? known.alert : *now->second;
    go_on_as(known.alert, alert);
    alert.state = known.state;
    joined.alerts.push_back(std::move(alert));
  }
  return joined;
}

}  // namespace weir::app
