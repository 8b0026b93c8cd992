#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/alert.h"
#include "core/dispatch.h"
#include "core/incident.h"
#include "notify/routing.h"
#include "notify/suppression.h"

namespace weir::notify {

/// A message names at most that many alerts; the others are counted.
inline constexpr std::size_t kMaxAlertsInMessage = 500;

/// One alert of a group: as it was when it last changed, or as it stands.
struct GroupMember {
  core::Alert alert;
  std::string incident_id;
};

/// Alerts of which a receiver is told together (Alertmanager's aggregation group).
struct AlertGroup {
  const Route* route = nullptr;  // of the settings; lies with rebuild() when these change
  std::string group_key;         // Alertmanager's
  core::Labels labels;
  core::Time next_flush;
  bool flushed = false;
  std::map<std::uint64_t, GroupMember> members;  // by alert_id(); resolved ones until they were told of
  std::vector<core::ToldState> told;
};

/// What an integration is told together because it had too much to hear.
struct Digest {
  std::vector<GroupMember> resolved;  // since it was last told, bounded
  std::uint64_t more_resolved = 0;
  bool changed = false;
  bool open = false;  // it was told of alerts that fire
  core::Time next;
  core::Duration pause{3000};  // doubles while the storm goes on
};

struct Flaps {
  std::deque<core::Time> changes;  // within the window
  bool flapping = false;
};

struct Bucket {
  double tokens = 0;
  core::Time at;
};

/// All that is known of who was told what. A value: copies do not share.
struct DispatchState {
  std::map<std::string, AlertGroup> groups;  // by storage key
  std::map<std::uint64_t, GroupMember> firing;
  std::map<std::string, core::IncidentNote> incidents;  // of the groups
  std::map<std::string, Digest> digests;                // by endpoint
  std::map<std::string, Bucket> buckets;                // by endpoint
  std::map<std::uint64_t, Flaps> flaps;
  /// By alert_id(): downstream of alerts that fire (their fingerprints), so that nobody is told of them. Kept up to
  /// date by whoever knows what is upstream of what.
  std::map<std::uint64_t, std::vector<std::uint64_t>> inhibited;
};

struct DispatchInput {
  std::span<const core::Transition> transitions;
  std::span<const core::Incident> incidents;  // that changed
  std::span<const CompiledSilence> silences;
  bool hold = false;  // nobody is told yet
  core::Time now;
  /// An alert as it stands, nullptr where it does not fire. Without it alerts are told of as they began.
  std::function<const core::Alert*(const core::Alert&)> newest = {};
};

struct DispatchOutput {
  std::vector<core::OutboxMessage> messages;  // in the order in which they are to be written
  std::vector<core::GroupRecord> records;     // of the groups that changed
};

/// One step of telling people, as Alertmanager's dispatcher, inhibitor, silencer and notification log together: alerts
/// that began or ceased to fire enter their groups (one for each route that they reach and set of labels); groups whose
/// time has come are flushed: those alerts that nothing inhibits, silences or mutes become one message for each
/// integration that was not told the same before, or so long ago that it is repeated. Alerts that resolved leave the
/// group with the flush.
///
/// It departs from Alertmanager in these: without group_by a group is an incident; what an integration may get is
/// bounded (NotificationLimits), the rest is one digest; an alert that flaps is told of as such and not again until it
/// is calm; what was told as firing is told as resolved also while it is silenced; a group without alerts is forgotten
/// at once, so that what fires again waits for group_wait only; what is of acknowledged incidents alone is not
/// repeated; alerts of an incident that was merged into another are told of to their end in the group in which they
/// fired, under the id of the incident that goes on.
///
/// Pure: the same state and input give the same messages, keys and state.
DispatchOutput dispatch(const RoutingSettings& settings, DispatchState& state, const DispatchInput& input);

/// The state from what storage kept, for the routes as they are now: groups that these no longer give are forgotten.
/// Also what to do with other settings, with the records that records() gives. `firing` are all alerts that fire,
/// `incidents` those that are open, and those that were merged into these.
DispatchState rebuild(const RoutingSettings& settings, std::span<const core::GroupRecord> records,
                      std::span<const core::Alert> firing, std::span<const core::Incident> incidents, core::Time now);

/// Of all groups.
std::vector<core::GroupRecord> records(const DispatchState& state);

/// Who is told of what now.
core::NotificationView view_of(const RoutingSettings& settings, const DispatchState& state,
                               std::span<const CompiledSilence> silences, core::Time now);

/// One alert, whichever values and times it has.
std::uint64_t alert_id(const core::Alert& alert);

}  // namespace weir::notify
