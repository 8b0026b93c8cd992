#pragma once

#include <span>
#include <vector>

#include "core/alert.h"
#include "core/batch.h"
#include "core/incident.h"
#include "core/series_source.h"
#include "incidents/root.h"

namespace weir::incidents {

/// What one step changed in one incident.
struct IncidentChange {
  core::Incident incident;            // as it is afterwards
  std::vector<core::Alert> fired;     // that fired now
  std::vector<core::Alert> resolved;  // that resolved now
};

struct IncidentPlan {
  std::vector<IncidentChange> changes;  // new, grown, recovered, resolved, or with a new event in its timeline
  std::vector<core::Incident> open;     // all that are open afterwards, changed or not
  std::vector<core::Incident> ended;    // of those given and those that ended now
};

/// Incidents that are over and may yet change: their alerts still fire, or may fire again soon; those that were merged
/// into others, so that what is about them goes there.
struct Ended {
  std::vector<core::Incident> incidents = {};
  core::Duration reopen_within{0};  // of the end; 0: never
};

/// Groups transitions into incidents. Pure. An alert enters when it fires; alerts of the same thing (consumer group,
/// topic, subject, table …) share one incident until all of them have resolved. `recent_events` are the last minutes'
/// and may be given again and again: those about an open incident enter its timeline once. `series` is the evidence
/// for the likely cause, and so are the `faults` of the sources' newest batches. `upstream` is the graph, where there
/// is one: alerts whose things are connected there (or by their labels) share one incident, where the upstream one
/// explains the others; its origin gives title, key and cause. Two open incidents that turn out to be one become the
/// older, and the other is among the changes, resolved. Causes of some other open incidents are looked at again, by
/// turns. An alert of the same thing that fires soon after the end, or while another of an incident that a person
/// resolved still fires, reopens that incident. `began` is when this process began to judge: what sources first see
/// then may be what a process before it saw, and is in the timeline already.
IncidentPlan plan(std::vector<core::Incident> open, const std::vector<core::Transition>& transitions,
                  const std::vector<core::Event>& recent_events, const core::SeriesSource& series, core::Time now,
                  std::span<const core::Fault> faults = {}, const Upstream* upstream = nullptr, Ended ended = {},
                  core::Time began = {});

/// 16 hex digits from the grouping key and the moment it opened.
std::string incident_id(std::string_view key, core::Time opened_at);

}  // namespace weir::incidents
