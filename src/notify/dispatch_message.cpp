#include "notify/dispatch_message.h"

#include <algorithm>
#include <fmt/format.h>
#include <ranges>
#include <set>
#include <span>

#include "notify/dispatch_state.h"
#include "notify/payload.h"

namespace weir::notify {
namespace {

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

bool includes(const std::vector<std::uint64_t>& all, const std::vector<std::uint64_t>& some) {
  return std::ranges::includes(all, some);
}

void append(core::Notification& notification, std::span<const GroupMember> members) {
  for (const GroupMember& member : members) {
    if (notification.alerts.size() == kMaxAlertsInMessage) {
      ++notification.truncated_alerts;
    } else {
      notification.alerts.push_back(member.alert);
    }
  }
}

/// The incidents that the alerts are of, in the order of the alerts.
std::vector<const core::IncidentNote*> incidents_of(const Visible& visible,
                                                    const std::map<std::string, core::IncidentNote>& incidents) {
  std::vector<const core::IncidentNote*> found;
  std::set<std::string_view> seen;
  for (const auto* members : {&visible.firing, &visible.resolved}) {
    for (const GroupMember& member : *members) {
      const core::IncidentNote* note = living(incidents, member.incident_id);
      if (note != nullptr && seen.insert(note->id).second) found.push_back(note);
    }
  }
  return found;
}

/// Title, cause and link: of one incident, or of several in few words.
void name_incidents(core::Notification& notification, const std::vector<const core::IncidentNote*>& incidents) {
  constexpr std::size_t kShown = 3;
  if (incidents.empty()) return;
  const bool open = std::ranges::any_of(incidents, &core::IncidentNote::open);
  notification.incident_state = open ? "open" : "resolved";
  notification.incident_title = incidents.front()->title;
  if (incidents.size() == 1) {
    notification.incident_id = incidents.front()->id;
    notification.cause = incidents.front()->cause;
    notification.owner = incidents.front()->owner;
    notification.evidence = incidents.front()->evidence;
    return;
  }
  notification.incident_title += fmt::format(" and {} more", incidents.size() - 1);
  std::set<std::string_view> said;
  for (const core::IncidentNote* incident : incidents) {
    if (incident->cause.empty() || said.size() == kShown || !said.insert(incident->cause).second) continue;
    notification.cause += (notification.cause.empty() ? "" : "; ") + incident->cause;
  }
}

core::OutboxMessage message_of(core::Notification notification, std::uint64_t what, core::Time now) {
  core::OutboxMessage message;
  message.idempotency_key =
      fmt::format("{}-{}-{}-{:016x}", notification.incident_id.empty() ? "group" : notification.incident_id,
                  notification.status, now.time_since_epoch().count(), what);
  message.notification = std::move(notification);
  message.created_at = now;
  message.next_attempt_at = now;
  return message;
}

}  // namespace

std::uint64_t alert_id(const core::Alert& alert) {
  return Hash().add(alert.fingerprint).add(alert.group).add(alert.rule).value();
}

std::string go_labels(const core::Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}=\"", out.size() > 1 ? ", " : "", name);
    core::append_escaped(out, value);
    out += '"';
  }
  return out += "}";
}

bool needs_telling(const core::ToldState* told, const Visible& visible, bool send_resolved, core::Duration repeat,
                   core::Time now) {
  if (told == nullptr) return !visible.firing_ids.empty();
  if (!includes(told->firing, visible.firing_ids)) return true;
  const auto was_silenced = [&](std::uint64_t id) { return std::ranges::binary_search(told->silenced, id); };
  if (send_resolved && std::ranges::any_of(visible.resolved_ids, was_silenced)) return true;
  // Also without send_resolved, so that what fires again is told of.
  if (visible.firing_ids.empty()) return !told->firing.empty();
  if (send_resolved && !includes(told->resolved, visible.resolved_ids)) return true;
  return told->at < now - repeat;
}

core::Labels labels_for(const AlertGroup& group, const std::vector<core::Alert>& alerts) {
  if (!group.route->group_by_incident) return group.labels;
  std::vector<core::Alert> firing;
  std::ranges::copy_if(alerts, std::back_inserter(firing),
                       [](const core::Alert& alert) { return alert.state == core::AlertState::firing; });
  core::Labels common = common_labels(firing.empty() ? alerts : firing);
  core::LabelsBuilder found;
  bool any = false;
  for (const auto& [name, value] : group.labels) {
    if (!common.has(name)) continue;
    found.set(name, common.get(name));
    any = true;
  }
  return any ? found.build() : common;
}

core::OutboxMessage group_message(const AlertGroup& group, const Integration& integration, const Visible& visible,
                                  const std::map<std::string, core::IncidentNote>& incidents, core::Time now) {
  core::Notification notification;
  notification.receiver = group.route->receiver;
  notification.integration = integration.id;
  notification.status = visible.firing.empty() ? "resolved" : "firing";
  notification.group_key = group.group_key;
  append(notification, visible.firing);
  if (integration.send_resolved) append(notification, visible.resolved);
  notification.group_labels = labels_for(group, notification.alerts);
  name_incidents(notification, incidents_of(visible, incidents));
  Hash what;
  what.add(notification.receiver).add(notification.integration).add(group.group_key);
  for (const std::uint64_t id : visible.firing_ids) what.add(id);
  what.add("resolved");
  for (const std::uint64_t id : visible.resolved_ids) what.add(id);
  return message_of(std::move(notification), what.value(), now);
}

core::OutboxMessage digest_message(const std::string& receiver, const Integration& integration, const Digest& digest,
                                   const std::vector<GroupMember>& firing, std::size_t groups, core::Time now) {
  core::Notification notification;
  notification.receiver = receiver;
  notification.integration = integration.id;
  notification.status = firing.empty() ? "resolved" : "firing";
  notification.group_key = fmt::format("digest:{}", endpoint_name(receiver, integration.id));
  append(notification, firing);
  if (integration.send_resolved) {
    append(notification, digest.resolved);
    notification.truncated_alerts += digest.more_resolved;
  }
  std::vector<core::Alert> all = notification.alerts;
  notification.group_labels = common_labels(all);
  notification.incident_title = firing.empty() ? std::string("all that was told together is over")
                                               : fmt::format("{} more alerts of {} groups", firing.size(), groups);
  if (!firing.empty())
    notification.cause = "more than this receiver is to be told one by one; the page has all of them";
  Hash what;
  what.add(receiver).add(integration.id);
  for (const GroupMember& member : firing) what.add(alert_id(member.alert));
  return message_of(std::move(notification), what.value(), now);
}

}  // namespace weir::notify
