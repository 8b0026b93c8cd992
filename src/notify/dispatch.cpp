#include "notify/dispatch.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <utility>

#include "notify/dispatch_message.h"
#include "notify/dispatch_state.h"

namespace weir::notify {
namespace {

constexpr std::uint64_t kFlappingBit = 0x5bd1e9955bd1e995ULL;
constexpr core::Duration kLongestPause = std::chrono::minutes(1);
constexpr core::Duration kNever = std::chrono::years(100);
constexpr std::size_t kMostFlaps = 50'000;  // alerts whose changes are remembered

bool fires(const core::Alert& alert) { return alert.state == core::AlertState::firing; }

/// As it stands now; what was added to its annotations when it began stays.
void refresh(core::Alert& alert, const core::Alert& newest) {
  core::LabelsBuilder annotations(newest.annotations);
  bool more = false;
  for (const auto& [name, value] : alert.annotations) {
    if (newest.annotations.has(name)) continue;
    annotations.set(name, value);
    more = true;
  }
  alert = newest;
  if (more) alert.annotations = annotations.build();
}

bool by_labels(const GroupMember& a, const GroupMember& b) { return a.alert.labels < b.alert.labels; }

class Step {
 public:
  Step(const RoutingSettings& settings, DispatchState& state, const DispatchInput& input)
      : settings_(settings), state_(state), input_(input) {}

  DispatchOutput run() {
    if (!settings_.root) return {};
    note_incidents();
    for (const core::Transition& transition : input_.transitions) take(transition);
    calm_down();
    if (!input_.hold) {
      flush_due();
      tell_digests();
    }
    return finish();
  }

 private:
  void note_incidents() {
    for (const core::Incident& incident : input_.incidents) {
      const bool merged = !incident.handling.merged_into.empty();
      for (const core::Alert& alert : incident.alerts) {
        if (merged) break;  // they are the other one's now
        std::string& held = incident_of_[alert_id(alert)];
        // Of several the one that is open.
        if (held.empty() || incident.open()) held = incident.id;
      }
      state_.incidents[incident.id] = note_of(incident);
    }
    for (const auto& [id, incident] : incident_of_) {
      const auto firing = state_.firing.find(id);
      // What people were told of under one incident ends there, though it was merged into another.
      if (firing != state_.firing.end() && firing->second.incident_id.empty()) firing->second.incident_id = incident;
    }
  }

  void take(const core::Transition& transition) {
    const bool was = transition.from == core::AlertState::firing;
    const bool is = transition.to == core::AlertState::firing;
    if (was == is) return;
    GroupMember member{.alert = transition.alert, .incident_id = {}};
    core::Alert& alert = member.alert;
    alert.state = transition.to;
    if (is) alert.resolved_at.reset();
    if (is && !alert.fired_at) alert.fired_at = transition.at;
    if (!is && !alert.resolved_at) alert.resolved_at = transition.at;
    const std::uint64_t id = alert_id(alert);
    if (const auto known = state_.firing.find(id); known != state_.firing.end() && !is)
      member.incident_id = known->second.incident_id;
    if (member.incident_id.empty()) {
      if (const auto known = incident_of_.find(id); known != incident_of_.end()) member.incident_id = known->second;
    }
    note_change(id);
    if (is) {
      state_.firing.insert_or_assign(id, member);
    } else {
      state_.firing.erase(id);
    }
    enter(state_, *settings_.root, id, member, input_.now, &touched_);
  }

  void note_change(std::uint64_t id) {
    if (settings_.limits.flap_changes == 0) return;
    if (state_.flaps.size() >= kMostFlaps && !state_.flaps.contains(id)) return;
    Flaps& flaps = state_.flaps[id];
    flaps.changes.push_back(input_.now);
    const auto most = static_cast<std::size_t>(settings_.limits.flap_changes);
    while (flaps.changes.size() > most) flaps.changes.pop_front();
    drop_old(flaps);
    if (flaps.changes.size() >= most) flaps.flapping = true;
  }

  void drop_old(Flaps& flaps) const {
    while (!flaps.changes.empty() && flaps.changes.front() < input_.now - settings_.limits.flap_window)
      flaps.changes.pop_front();
  }

  void calm_down() {
    for (auto at = state_.flaps.begin(); at != state_.flaps.end();) {
      Flaps& flaps = at->second;
      drop_old(flaps);
      if (flaps.changes.size() <= static_cast<std::size_t>(settings_.limits.flap_calm)) flaps.flapping = false;
      at = flaps.changes.empty() ? state_.flaps.erase(at) : std::next(at);
    }
  }

  bool flaps(std::uint64_t id) const {
    const auto found = state_.flaps.find(id);
    return found != state_.flaps.end() && found->second.flapping;
  }

  const Suppressor& suppressor() {
    if (!suppressor_) {
      std::vector<const core::Alert*> firing;
      firing.reserve(state_.firing.size());
      for (const auto& [id, member] : state_.firing) firing.push_back(&member.alert);
      suppressor_.emplace(settings_.inhibit_rules, firing, input_.silences, input_.now);
    }
    return *suppressor_;
  }

  void flush_due() {
    std::vector<std::pair<core::Time, std::string>> due;
    for (const auto& [key, group] : state_.groups) {
      if (group.next_flush <= input_.now) due.emplace_back(group.next_flush, key);
    }
    std::ranges::sort(due);
    for (const auto& [when, key] : due) flush(key, state_.groups.at(key));
  }

  Visible visible_of(AlertGroup& group) {
    Visible visible;
    if (!settings_.tells_at(*group.route, input_.now)) return visible;
    for (auto& [id, member] : group.members) {
      if (fires(member.alert) && input_.newest) {
        if (const core::Alert* newest = input_.newest(member.alert)) refresh(member.alert, *newest);
      }
      const bool flapping = flaps(id);
      const core::Suppression by = suppressor().of(member.alert.labels);
      if (!by.inhibited_by.empty() || (fires(member.alert) && state_.inhibited.contains(id))) continue;
      if (!by.silenced_by.empty()) {
        const bool on = fires(member.alert) || flapping;
        if (on) visible.silenced_ids.push_back(id);
        if (on || !told_as_firing(group, id)) continue;
      }
      GroupMember shown = member;
      const bool firing = fires(member.alert) || flapping;
      if (flapping) mark_flapping(shown.alert);
      (firing ? visible.firing : visible.resolved).push_back(std::move(shown));
      // One that begins or ceases to flap is news.
      (firing ? visible.firing_ids : visible.resolved_ids).push_back(flapping ? id ^ kFlappingBit : id);
    }
    for (auto* ids : {&visible.firing_ids, &visible.resolved_ids, &visible.silenced_ids}) std::ranges::sort(*ids);
    for (auto* members : {&visible.firing, &visible.resolved}) std::ranges::stable_sort(*members, by_labels);
    return visible;
  }

  static bool told_as_firing(const core::ToldState& told, std::uint64_t id) {
    // Those that flap have an id of their own there.
    return std::ranges::binary_search(told.firing, id) || std::ranges::binary_search(told.firing, id ^ kFlappingBit) ||
           std::ranges::binary_search(told.silenced, id);
  }
  static bool told_as_firing(const AlertGroup& group, std::uint64_t id) {
    return std::ranges::any_of(group.told, [id](const core::ToldState& told) { return told_as_firing(told, id); });
  }

  void mark_flapping(core::Alert& alert) const {
    const std::string text =
        fmt::format("changed {} times or more within {}; told of again when it is calm", settings_.limits.flap_changes,
                    core::format_duration(settings_.limits.flap_window));
    alert.annotations = alert.annotations.with(kFlapping, text);
    alert.state = core::AlertState::firing;
    alert.resolved_at.reset();
  }

  void flush(const std::string& key, AlertGroup& group) {
    // When the next flush is, is not worth a write: after a restart one too early tells nothing twice.
    bool changed = !std::exchange(group.flushed, true);
    group.next_flush = input_.now + group.route->group_interval;
    if (group.route->group_by_incident && !group.members.empty()) {
      const auto note = state_.incidents.find(group.members.begin()->second.incident_id);
      if (note != state_.incidents.end()) group.labels = note->second.labels;
    }
    const Visible visible = visible_of(group);
    const Receiver* receiver = settings_.find(group.route->receiver);
    if (receiver != nullptr && !(visible.firing_ids.empty() && visible.resolved_ids.empty())) {
      for (const Integration& integration : receiver->integrations)
        changed = tell(group, integration, visible) || changed;
    }
    const std::size_t over = std::erase_if(
        group.members, [&](const auto& entry) { return !fires(entry.second.alert) && !flaps(entry.first); });
    if (changed || over > 0) touched_.insert(key);
    if (group.members.empty()) state_.groups.erase(key);
  }

  /// Whether somebody works on all that fires.
  bool acknowledged(const Visible& visible) const {
    return std::ranges::all_of(visible.firing, [&](const GroupMember& member) {
      const auto note = state_.incidents.find(member.incident_id);
      return note != state_.incidents.end() && note->second.acknowledged;
    });
  }

  /// Whether what it was told has changed.
  bool tell(AlertGroup& group, const Integration& integration, const Visible& visible) {
    auto told = std::ranges::find(group.told, integration.id, &core::ToldState::integration);
    const core::ToldState* before = told == group.told.end() ? nullptr : &*told;
    const core::Duration repeat = acknowledged(visible) ? kNever : group.route->repeat_interval;
    if (!needs_telling(before, visible, integration.send_resolved, repeat, input_.now)) return false;
    core::ToldState now{.integration = integration.id,
                        .firing = visible.firing_ids,
                        .resolved = visible.resolved_ids,
                        .at = input_.now,
                        .merged = before != nullptr && before->merged,
                        .silenced = {}};
    if (before != nullptr) {
      std::ranges::copy_if(visible.silenced_ids, std::back_inserter(now.silenced),
                           [&](std::uint64_t id) { return told_as_firing(*before, id); });
    }
    const bool says = !visible.firing.empty() || integration.send_resolved;
    const std::string endpoint = endpoint_name(group.route->receiver, integration.id);
    if (!says && now.merged) state_.digests[endpoint].changed = true;
    if (says) {
      // What began in a digest ends in it, and what began by itself ends by itself, whatever else there is to tell.
      const bool begun = before != nullptr && !(before->firing.empty() && before->silenced.empty());
      if (!begun) now.merged = !take_token(endpoint, 2);
      if (begun && !now.merged) charge(bucket_of(endpoint));
      if (now.merged) {
        merge(endpoint, visible);
      } else {
        output_.messages.push_back(group_message(group, integration, visible, state_.incidents, input_.now));
      }
    }
    if (told == group.told.end()) {
      group.told.push_back(std::move(now));
    } else {
      *told = std::move(now);
    }
    return true;
  }

  /// Groups leave one token for the digest.
  bool take_token(const std::string& endpoint, double at_least) {
    Bucket& bucket = bucket_of(endpoint);
    if (bucket.tokens < at_least) return false;
    charge(bucket);
    return true;
  }

  void charge(Bucket& bucket) const { bucket.tokens = std::max(bucket.tokens - 1, -settings_.limits.burst); }

  /// Filled up for the time that has passed.
  Bucket& bucket_of(const std::string& endpoint) {
    const NotificationLimits& limits = settings_.limits;
    Bucket& bucket = state_.buckets.try_emplace(endpoint, Bucket{limits.burst, input_.now}).first->second;
    const double seconds = std::max(0.0, core::to_seconds(input_.now - bucket.at));
    bucket.tokens = std::min(limits.burst, bucket.tokens + seconds * limits.per_minute / 60);
    bucket.at = input_.now;
    return bucket;
  }

  void merge(const std::string& endpoint, const Visible& visible) {
    Digest& digest = state_.digests[endpoint];
    digest.changed = true;
    for (const GroupMember& member : visible.resolved) {
      if (digest.resolved.size() < kMaxAlertsInMessage) {
        digest.resolved.push_back(member);
      } else {
        ++digest.more_resolved;
      }
    }
  }

  void tell_digests() {
    for (const Receiver& receiver : settings_.receivers) {
      for (const Integration& integration : receiver.integrations) tell_digest(receiver, integration);
    }
  }

  void tell_digest(const Receiver& receiver, const Integration& integration) {
    const std::string endpoint = endpoint_name(receiver.name, integration.id);
    const auto found = state_.digests.find(endpoint);
    if (found == state_.digests.end()) return;
    Digest& digest = found->second;
    if (!digest.changed || digest.next > input_.now || !take_token(endpoint, 1)) return;
    std::vector<GroupMember> firing;
    std::size_t groups = 0;
    for (const auto& [key, group] : state_.groups) {
      if (group.route->receiver != receiver.name) continue;
      const auto told = std::ranges::find(group.told, integration.id, &core::ToldState::integration);
      if (told == group.told.end() || !told->merged || told->firing.empty()) continue;
      ++groups;
      for (const auto& [id, member] : group.members) {
        if (std::ranges::binary_search(told->firing, id) && fires(member.alert)) firing.push_back(member);
      }
    }
    std::ranges::stable_sort(firing, by_labels);
    if (!firing.empty() || (digest.open && integration.send_resolved))
      output_.messages.push_back(digest_message(receiver.name, integration, digest, firing, groups, input_.now));
    digested_.insert(endpoint);
    if (firing.empty()) {
      state_.digests.erase(found);
      return;
    }
    digest = {.resolved = {},
              .more_resolved = 0,
              .changed = false,
              .open = true,
              .next = input_.now + digest.pause,
              .pause = std::min(2 * digest.pause, kLongestPause)};
  }

  DispatchOutput finish() {
    for (const std::string& key : touched_) {
      const auto group = state_.groups.find(key);
      output_.records.push_back(group == state_.groups.end() ? core::GroupRecord{.key = key, .gone = true}
                                                             : record_of(key, group->second, state_.incidents));
    }
    for (const auto& [endpoint, digest] : state_.digests) {
      if (digest.changed) digested_.insert(endpoint);
    }
    for (const std::string& endpoint : digested_) {
      const auto digest = state_.digests.find(endpoint);
      output_.records.push_back(digest == state_.digests.end()
                                    ? core::GroupRecord{.key = digest_key(endpoint), .gone = true}
                                    : record_of(endpoint, digest->second));
    }
    if (!touched_.empty()) forget_incidents(state_);
    return std::move(output_);
  }

  const RoutingSettings& settings_;
  DispatchState& state_;
  const DispatchInput& input_;
  DispatchOutput output_;
  std::map<std::uint64_t, std::string> incident_of_;  // of the alerts of incidents that changed
  std::set<std::string> touched_;                     // keys of groups
  std::set<std::string> digested_;                    // endpoints
  std::optional<Suppressor> suppressor_;
};

}  // namespace

DispatchOutput dispatch(const RoutingSettings& settings, DispatchState& state, const DispatchInput& input) {
  return Step(settings, state, input).run();
}

}  // namespace weir::notify
