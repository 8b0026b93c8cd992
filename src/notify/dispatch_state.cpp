#include "notify/dispatch_state.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "notify/dispatch_message.h"

namespace weir::notify {
namespace {

constexpr std::string_view kDigest = "\ndigest\n";

bool fires(const core::Alert& alert) { return alert.state == core::AlertState::firing; }

core::Labels group_labels(const Route& route, const core::Labels& labels) {
  if (route.group_by_all) return labels;
  core::LabelsBuilder found;
  for (const std::string& name : route.group_by) {
    if (labels.has(name)) found.set(name, labels.get(name));
  }
  return found.build();
}

struct Place {
  std::string storage_key;
  std::string group_key;
  core::Labels labels;
};

/// The group that the alert is in by this route.
Place place_of(const DispatchState& state, const Route& route, const GroupMember& member) {
  Place place;
  if (!route.group_by_incident) {
    place.labels = group_labels(route, member.alert.labels);
    place.group_key = route.key + ":" + go_labels(place.labels);
  } else if (const auto note = state.incidents.find(member.incident_id); note != state.incidents.end()) {
    place.labels = note->second.labels;
    place.group_key = fmt::format("{}:{{incident_id=\"{}\"}}", route.key, member.incident_id);
  } else {
    place.labels = member.alert.labels;
    place.group_key = route.key + ":" + go_labels(place.labels);
  }
  place.storage_key = route.receiver + "\n" + place.group_key;
  return place;
}

/// A new group waits for others of its kind, but not longer than since its alert began.
void insert(AlertGroup& group, std::uint64_t id, const GroupMember& member, core::Time now) {
  group.members.insert_or_assign(id, member);
  const core::Time began = member.alert.fired_at.value_or(now);
  if (!group.flushed && fires(member.alert) && began + group.route->group_wait <= now) group.next_flush = now;
}

/// What a record says of a group or digest goes back into it.
void take_up(AlertGroup& group, const core::GroupRecord& record) {
  group.next_flush = record.next_flush;
  group.flushed = record.flushed;
  group.told = record.told;
}

void restore_digest(DispatchState& state, const core::GroupRecord& record) {
  Digest& digest = state.digests[record.key.substr(kDigest.size())];
  digest.open = record.flushed;
  digest.next = record.next_flush;
  digest.changed = record.told.empty() || record.told.front().merged;
  for (const auto& [alert, incident] : record.resolved) digest.resolved.push_back({alert, incident});
}

}  // namespace

std::string digest_key(const std::string& endpoint) { return std::string(kDigest) + endpoint; }

void enter(DispatchState& state, const Route& root, std::uint64_t id, const GroupMember& member, core::Time now,
           std::set<std::string>* touched) {
  const bool firing = fires(member.alert);
  for (const Route* route : matching_routes(root, member.alert.labels)) {
    const Place place = place_of(state, *route, member);
    auto found = state.groups.find(place.storage_key);
    if (found == state.groups.end()) {
      if (!firing) continue;
      found = state.groups.try_emplace(place.storage_key).first;
      AlertGroup& group = found->second;
      group.route = route;
      group.group_key = place.group_key;
      group.labels = place.labels;
      group.next_flush = now + route->group_wait;
    }
    if (!firing && !found->second.members.contains(id)) continue;
    insert(found->second, id, member, now);
    if (touched != nullptr) touched->insert(place.storage_key);
  }
}

core::IncidentNote note_of(const core::Incident& incident) {
  const bool live = incident.open() || !incident.handling.merged_into.empty();
  return {.id = incident.id,
          .title = incident.title,
          .cause = incident.cause,
          .labels = incident.labels,
          .owner = incident.handling.owner,
          .evidence = incident.reasons.evidence,
          .acknowledged = live && incident.handling.acknowledged_at.has_value(),
          .open = incident.open(),
          .merged_into = incident.handling.merged_into};
}

const core::IncidentNote* living(const std::map<std::string, core::IncidentNote>& incidents, const std::string& id) {
  constexpr int kMostSteps = 16;
  auto found = incidents.find(id);
  if (found == incidents.end()) return nullptr;
  for (int step = 0; step < kMostSteps && !found->second.merged_into.empty(); ++step) {
    const auto next = incidents.find(found->second.merged_into);
    if (next == incidents.end()) break;
    found = next;
  }
  return &found->second;
}

core::GroupRecord record_of(const std::string& key, const AlertGroup& group,
                            const std::map<std::string, core::IncidentNote>& incidents) {
  core::GroupRecord record{.key = key,
                           .next_flush = group.next_flush,
                           .flushed = group.flushed,
                           .told = group.told,
                           .resolved = {},
                           .incidents = {}};
  std::set<std::string_view> noted;
  for (const auto& [id, member] : group.members) {
    // A message shows no more than that; of the others the end is known by their absence.
    if (fires(member.alert) || record.resolved.size() == kMaxAlertsInMessage) continue;
    record.resolved.emplace_back(member.alert, member.incident_id);
    const auto note = incidents.find(member.incident_id);
    if (note != incidents.end() && noted.insert(member.incident_id).second) record.incidents.push_back(note->second);
  }
  return record;
}

core::GroupRecord record_of(const std::string& endpoint, const Digest& digest) {
  core::GroupRecord record{
      .key = digest_key(endpoint),
      .next_flush = digest.next,
      .flushed = digest.open,
      .told = {{.integration = endpoint, .firing = {}, .resolved = {}, .at = {}, .merged = digest.changed}},
      .resolved = {},
      .incidents = {}};
  for (const GroupMember& member : digest.resolved) record.resolved.emplace_back(member.alert, member.incident_id);
  return record;
}

void forget_incidents(DispatchState& state) {
  std::set<std::string_view> used;
  const auto use = [&](const std::string& id) {
    if (!used.insert(id).second) return;
    for (auto note = state.incidents.find(id); note != state.incidents.end();) {
      const std::string& into = note->second.merged_into;
      if (into.empty() || !used.insert(into).second) return;
      note = state.incidents.find(into);
    }
  };
  for (const auto& [id, member] : state.firing) use(member.incident_id);
  for (const auto& [key, group] : state.groups) {
    for (const auto& [id, member] : group.members) use(member.incident_id);
  }
  std::erase_if(state.incidents, [&](const auto& entry) { return !used.contains(entry.first); });
}

DispatchState rebuild(const RoutingSettings& settings, std::span<const core::GroupRecord> records,
                      std::span<const core::Alert> firing, std::span<const core::Incident> incidents, core::Time now) {
  DispatchState state;
  if (!settings.root) return state;
  std::unordered_map<std::uint64_t, std::string> incident_of;
  std::map<std::pair<std::uint64_t, std::optional<core::Time>>, std::string> fired_in;  // merged since
  for (const core::Incident& incident : incidents) {
    state.incidents[incident.id] = note_of(incident);
    const bool merged = !incident.handling.merged_into.empty();
    for (const core::Alert& alert : incident.alerts) {
      if (merged && fires(alert)) fired_in[{alert_id(alert), alert.fired_at}] = incident.id;
      if (!merged) incident_of[alert_id(alert)] = incident.id;
    }
  }
  for (const core::Alert& alert : firing) {
    if (!fires(alert)) continue;
    const std::uint64_t id = alert_id(alert);
    const auto incident = incident_of.find(id);
    const auto before = fired_in.find({id, alert.fired_at});
    const GroupMember member{alert, before != fired_in.end()        ? before->second
                                    : incident == incident_of.end() ? std::string()
                                                                    : incident->second};
    state.firing.emplace(id, member);
    enter(state, *settings.root, id, member, now, nullptr);
  }
  for (const core::GroupRecord& record : records) {
    if (record.key.starts_with(kDigest)) {
      restore_digest(state, record);
      continue;
    }
    for (const core::IncidentNote& note : record.incidents) state.incidents.try_emplace(note.id, note);
    for (const auto& [alert, incident] : record.resolved) {
      const GroupMember member{alert, incident};
      for (const Route* route : matching_routes(*settings.root, alert.labels)) {
        const Place place = place_of(state, *route, member);
        if (place.storage_key != record.key) continue;
        AlertGroup& group = state.groups[record.key];
        group.route = route;
        group.group_key = place.group_key;
        group.labels = place.labels;
        group.members.try_emplace(alert_id(alert), member);
      }
    }
    if (const auto group = state.groups.find(record.key); group != state.groups.end()) take_up(group->second, record);
  }
  return state;
}

std::vector<core::GroupRecord> records(const DispatchState& state) {
  std::vector<core::GroupRecord> all;
  for (const auto& [key, group] : state.groups) all.push_back(record_of(key, group, state.incidents));
  for (const auto& [endpoint, digest] : state.digests) all.push_back(record_of(endpoint, digest));
  return all;
}

core::NotificationView view_of(const RoutingSettings& settings, const DispatchState& state,
                               std::span<const CompiledSilence> silences, core::Time now) {
  core::NotificationView view;
  for (const Receiver& receiver : settings.receivers) view.receivers.push_back(receiver.name);
  std::vector<const core::Alert*> firing;
  for (const auto& [id, member] : state.firing) firing.push_back(&member.alert);
  const Suppressor suppressor(settings.inhibit_rules, firing, silences, now);
  std::unordered_map<std::uint64_t, std::size_t> places;
  for (const auto& [id, member] : state.firing) {
    places.emplace(id, view.alerts.size());
    core::Suppression suppression = suppressor.of(member.alert.labels);
    if (const auto by = state.inhibited.find(id); by != state.inhibited.end()) {
      suppression.inhibited_by.insert(suppression.inhibited_by.end(), by->second.begin(), by->second.end());
      std::ranges::sort(suppression.inhibited_by);
      const auto repeated = std::ranges::unique(suppression.inhibited_by);
      suppression.inhibited_by.erase(repeated.begin(), repeated.end());
    }
    const core::IncidentNote* incident = living(state.incidents, member.incident_id);
    view.alerts.push_back({.alert = member.alert,
                           .receivers = {},
                           .suppression = std::move(suppression),
                           .incident_id = incident == nullptr ? member.incident_id : incident->id});
  }
  for (const auto& [key, group] : state.groups) {
    core::RoutedGroup shown{.receiver = group.route->receiver, .labels = {}, .alerts = {}};
    std::vector<core::Alert> alerts;
    for (const auto& [id, member] : group.members) {
      const auto place = places.find(id);
      if (place == places.end()) continue;
      shown.alerts.push_back(place->second);
      alerts.push_back(member.alert);
      auto& receivers = view.alerts[place->second].receivers;
      if (std::ranges::find(receivers, shown.receiver) == receivers.end()) receivers.push_back(shown.receiver);
    }
    shown.labels = labels_for(group, alerts);
    if (!shown.alerts.empty()) view.groups.push_back(std::move(shown));
  }
  return view;
}

}  // namespace weir::notify
