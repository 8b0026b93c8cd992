#include "notify/router.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace weir::notify {
namespace {

using AlertKey = std::tuple<std::uint64_t, std::string_view, std::string_view>;

AlertKey key_of(const core::Alert& alert) { return {alert.fingerprint, alert.group, alert.rule}; }
bool fires(const core::Alert& alert) { return alert.state == core::AlertState::firing; }

/// The alerts of one incident that began or ceased to fire.
struct Change {
  const core::Incident* incident = nullptr;
  std::vector<core::Alert> alerts;
  core::Time at;
};

/// 64-bit FNV-1a, the same in every process.
class Hash {
 public:
  Hash& add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0xff);  // no text holds it in UTF-8: "ab","c" and "a","bc" differ
    return *this;
  }
  Hash& add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(number >> shift));
    return *this;
  }
  std::uint64_t value() const { return value_; }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

/// The newest of the changed incidents that an alert takes part in.
class Membership {
 public:
  explicit Membership(const std::vector<core::Incident>& incidents) {
    for (const core::Incident& incident : incidents) {
      for (const core::Alert& alert : incident.alerts) {
        const core::Incident*& held = incidents_[key_of(alert)];
        if (held == nullptr || held->opened_at <= incident.opened_at) held = &incident;
      }
    }
  }
  const core::Incident* of(const core::Alert& alert) const {
    const auto found = incidents_.find(key_of(alert));
    return found == incidents_.end() ? nullptr : found->second;
  }

 private:
  std::map<AlertKey, const core::Incident*> incidents_;
};

/// Of an alert that changed more than once in this step the last change counts.
std::vector<const core::Transition*> notable(const std::vector<core::Transition>& transitions) {
  std::map<AlertKey, std::size_t> last;
  for (std::size_t i = 0; i < transitions.size(); ++i) last[key_of(transitions[i].alert)] = i;
  std::vector<const core::Transition*> found;
  for (std::size_t i = 0; i < transitions.size(); ++i) {
    const core::Transition& transition = transitions[i];
    const bool was = transition.from == core::AlertState::firing;
    const bool is = transition.to == core::AlertState::firing;
    if (was != is && last[key_of(transition.alert)] == i) found.push_back(&transition);
  }
  return found;
}

std::vector<Change> changes_of(const std::vector<core::Incident>& incidents,
                               const std::vector<core::Transition>& transitions) {
  const Membership membership(incidents);
  std::vector<Change> changes;
  std::map<const core::Incident*, std::size_t> position;
  for (const core::Transition* transition : notable(transitions)) {
    const core::Incident* incident = membership.of(transition->alert);
    const auto [slot, fresh] = position.try_emplace(incident, changes.size());
    if (incident == nullptr) slot->second = changes.size();  // each by itself
    if (slot->second == changes.size()) changes.push_back({.incident = incident, .alerts = {}, .at = {}});
    Change& change = changes[slot->second];
    core::Alert alert = transition->alert;
    alert.state = transition->to;
    if (fires(alert)) alert.resolved_at.reset();
    if (!fires(alert) && !alert.resolved_at) alert.resolved_at = transition->at;
    change.alerts.push_back(std::move(alert));
    change.at = std::max(change.at, transition->at);
  }
  return changes;
}

/// What of one change reaches one receiver.
struct Bucket {
  const Route* route = nullptr;  // the first that led here
  std::vector<core::Alert> changed;
  std::vector<core::Alert> still_firing;
};

/// Receivers in the order in which the alerts reach them.
std::vector<Bucket> buckets_of(const Route& root, const Change& change) {
  std::vector<Bucket> buckets;
  const auto put = [&](const core::Alert& alert, bool changed) {
    std::set<std::string_view> told;
    for (const Route* route : matching_routes(root, alert.labels)) {
      if (!told.insert(route->receiver).second) continue;
      auto bucket =
          std::ranges::find_if(buckets, [&](const Bucket& b) { return b.route->receiver == route->receiver; });
      if (bucket == buckets.end()) {
        if (!changed) continue;  // nothing new for that receiver
        bucket = buckets.insert(buckets.end(), Bucket{.route = route, .changed = {}, .still_firing = {}});
      }
      (changed ? bucket->changed : bucket->still_firing).push_back(alert);
    }
  };
  std::set<AlertKey> seen;
  for (const core::Alert& alert : change.alerts) {
    seen.insert(key_of(alert));
    put(alert, true);
  }
  if (change.incident == nullptr) return buckets;
  for (const core::Alert& alert : change.incident->alerts) {
    if (fires(alert) && !seen.contains(key_of(alert))) put(alert, false);
  }
  return buckets;
}

core::Labels group_labels(const Route& route, const Change& change) {
  const core::Labels& common = change.incident == nullptr ? change.alerts.front().labels : change.incident->labels;
  const bool all = route.group_by.empty() || std::ranges::find(route.group_by, "...") != route.group_by.end();
  if (all) return common;
  core::LabelsBuilder labels;
  for (const std::string& name : route.group_by) labels.set(name, common.get(name));
  return labels.build();
}

std::string group_key(const Route& route, const Change& change) {
  if (change.incident != nullptr) return fmt::format("{}:{{incident_id=\"{}\"}}", route.key, change.incident->id);
  return route.key + ":" + change.alerts.front().labels.to_string();
}

std::string idempotency_key(const core::Notification& notification, const std::vector<core::Alert>& changed,
                            core::Time at) {
  Hash hash;
  hash.add(notification.receiver).add(notification.integration).add(notification.group_key);
  for (const core::Alert& alert : changed) {
    hash.add(alert.fingerprint).add(alert.group).add(alert.rule).add(core::to_string(alert.state));
  }
  return fmt::format("{}-{}-{}-{:016x}", notification.incident_id.empty() ? "alert" : notification.incident_id,
                     notification.status, at.time_since_epoch().count(), hash.value());
}

core::OutboxMessage message_of(const Bucket& bucket, const Integration& integration, const Change& change,
                               core::Time now) {
  core::Notification notification;
  notification.receiver = bucket.route->receiver;
  notification.integration = integration.id;
  std::vector<core::Alert> changed = bucket.changed;
  if (!integration.send_resolved) std::erase_if(changed, [](const core::Alert& alert) { return !fires(alert); });
  // The alerts that fire come first: a receiver that cuts the list short still sees them.
  std::ranges::stable_partition(changed, fires);
  notification.status = !bucket.still_firing.empty() || std::ranges::any_of(changed, fires) ? "firing" : "resolved";
  notification.alerts = changed;
  std::ranges::copy(bucket.still_firing, std::back_inserter(notification.alerts));
  if (notification.alerts.size() > kMaxAlertsInMessage) {
    notification.truncated_alerts = notification.alerts.size() - kMaxAlertsInMessage;
    notification.alerts.resize(kMaxAlertsInMessage);
  }
  notification.group_key = group_key(*bucket.route, change);
  notification.group_labels = group_labels(*bucket.route, change);
  if (change.incident != nullptr) {
    notification.incident_id = change.incident->id;
    notification.incident_title = change.incident->title;
    notification.cause = change.incident->cause;
  }
  core::OutboxMessage message;
  message.idempotency_key = idempotency_key(notification, changed, change.at);
  message.notification = std::move(notification);
  message.created_at = now;
  message.next_attempt_at = now;
  return message;
}

}  // namespace

std::vector<core::OutboxMessage> route(const RoutingSettings& settings, const std::vector<core::Incident>& incidents,
                                       const std::vector<core::Transition>& transitions, core::Time now) {
  std::vector<core::OutboxMessage> messages;
  if (!settings.root) return messages;
  for (const Change& change : changes_of(incidents, transitions)) {
    for (const Bucket& bucket : buckets_of(*settings.root, change)) {
      const Receiver* receiver = settings.find(bucket.route->receiver);
      if (receiver == nullptr) continue;
      const bool any_fired = std::ranges::any_of(bucket.changed, fires);
      for (const Integration& integration : receiver->integrations) {
        if (!any_fired && !integration.send_resolved) continue;
        messages.push_back(message_of(bucket, integration, change, now));
      }
    }
  }
  return messages;
}

}  // namespace weir::notify
