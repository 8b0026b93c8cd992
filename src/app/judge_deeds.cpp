// What people do about incidents, and what becomes of those that are over.
#include <algorithm>
#include <set>
#include <utility>

#include "app/judge.h"
#include "incidents/lifecycle.h"
#include "incidents/settings.h"

namespace weir::app {
namespace {

using What = IncidentMeasure::What;

template <class Incidents>
auto find_in(Incidents& incidents, const std::string& id) {
  return std::ranges::find(incidents, id, &core::Incident::id);
}

bool any_fires(const core::Incident& incident) {
  return std::ranges::any_of(incident.alerts,
                             [](const core::Alert& alert) { return alert.state == core::AlertState::firing; });
}

bool merged(const core::Incident& incident) { return !incident.handling.merged_into.empty(); }

}  // namespace

core::Duration Judge::reopen_within() const {
  return parts_.reopen_within ? parts_.reopen_within() : incidents::IncidentSettings().reopen_within;
}

/// What the log and the metrics are to hear of a change by alerts.
void Judge::note_change(const core::Incident& incident, bool was_open, bool was_over, JudgeStep& step) {
  const core::IncidentTimes times = core::times_of(incident);
  const auto note = [&](std::optional<core::Duration> lasted) {
    step.incident_notes.push_back(
        {incident.id, incident.title, incident.severity, incident.cause, lasted, was_over && incident.open()});
  };
  const auto measure = [&](What what, const std::optional<core::Duration>& took) {
    if (took) step.measures.push_back({what, incident.severity, *took});
  };
  const bool is_new = !was_open && !was_over;
  if (is_new || (was_over && incident.open())) note(std::nullopt);
  if (is_new) measure(What::to_detect, times.to_detect);
  if (incident.open() || was_over) return;
  note(*incident.resolved_at - incident.opened_at);
  measure(What::to_resolve, times.to_resolve);
}

core::Result<core::Incident> Judge::find_incident(const std::string& id) const {
  if (const auto found = find_in(open_, id); found != open_.end()) return *found;
  if (const auto found = find_in(ended_, id); found != ended_.end()) return *found;
  if (!id.empty()) {
    auto stored = parts_.storage.incidents({.open_only = false, .limit = 1, .id = id});
    if (!stored) return std::unexpected(stored.error());
    if (!stored->empty()) return std::move(stored->front());
  }
  return core::fail(core::ErrorKind::not_found, "there is no incident \"" + id + "\"");
}

/// Messages of an incident that was merged are as quiet as those of the one that goes on, and what went into one that
/// was merged itself goes on with it.
void Judge::follow_merged(std::vector<core::Incident>& changed) {
  std::vector<core::Incident> followed;
  for (core::Incident& incident : ended_) {
    const auto target = find_in(changed, incident.handling.merged_into);
    if (!merged(incident) || target == changed.end() || find_in(changed, incident.id) != changed.end()) continue;
    core::Handling handling = incident.handling;
    if (merged(*target)) handling.merged_into = target->handling.merged_into;
    handling.acknowledged_at = target->open() || merged(*target) ? target->handling.acknowledged_at : std::nullopt;
    handling.acknowledged_by = handling.acknowledged_at ? target->handling.acknowledged_by : "";
    if (handling == incident.handling) continue;
    incident.handling = std::move(handling);
    followed.push_back(incident);
  }
  changed.insert(changed.end(), followed.begin(), followed.end());
}

/// Those that no alert will change any more.
void Judge::forget_ended(core::Time now) {
  std::set<std::string> live;
  for (const core::Incident& incident : open_) live.insert(incident.id);
  const core::Duration within = reopen_within();
  const auto lingers = [&](const core::Incident& incident) {
    return now - *incident.resolved_at <= within || (!merged(incident) && any_fires(incident));
  };
  for (const core::Incident& incident : ended_) {
    if (lingers(incident)) live.insert(incident.id);
  }
  std::erase_if(ended_, [&](const core::Incident& incident) {
    return !live.contains(incident.id) && !live.contains(incident.handling.merged_into);
  });
  if (ended_.size() <= kMostIncidents) return;
  std::ranges::stable_sort(ended_, std::greater(), &core::Incident::resolved_at);
  ended_.resize(kMostIncidents);
}

/// With all that waits to be written, so that nothing older is written over it later.
core::Result<void> Judge::keep_now(const std::vector<core::Incident>& changed) {
  core::Result<void> done = write_backlog();
  if (done) done = parts_.storage.commit({.incidents = changed});
  if (!done) {
    core::Error error = done.error();
    error.message = "this was not kept, try again when storage works: " + error.message;
    return std::unexpected(std::move(error));
  }
  return {};
}

void Judge::place(const core::Incident& incident) {
  const auto same = [&](const core::Incident& other) { return other.id == incident.id; };
  const bool was_open = std::erase_if(open_, same) > 0;
  std::erase_if(ended_, same);
  const auto shown = std::ranges::find_if(resolved_, same);
  if (incident.open()) {
    open_.push_back(incident);
    if (shown != resolved_.end()) resolved_.erase(shown);
    return;
  }
  ended_.push_back(incident);
  if (shown != resolved_.end()) {
    *shown = incident;
  } else if (was_open) {
    resolved_.push_front(incident);
    if (resolved_.size() > kResolvedShown) resolved_.pop_back();
  }
}

core::Result<Judge::Handled> Judge::handle(const core::Deed& deed, core::Time now) {
  now = not_before_last(now);
  auto incident = find_incident(deed.incident);
  if (!incident) return std::unexpected(incident.error());
  const core::Incident before = *incident;
  incidents::Scene scene{.incident = std::move(*incident), .other = {}};
  if (deed.kind == core::DeedKind::merge) {
    auto other = find_incident(deed.text);
    if (!other) return std::unexpected(other.error());
    scene.other = std::move(*other);
  } else if (deed.kind == core::DeedKind::reopen) {
    const auto open = std::ranges::find(open_, before.key, &core::Incident::key);
    if (open != open_.end() && open->id != before.id) scene.other = *open;
  }
  auto changed = incidents::carry_out(deed, std::move(scene), now);
  if (!changed) return std::unexpected(changed.error());
  const core::Incident after = changed->front();
  const std::vector<core::Incident> ended_before = ended_;
  follow_merged(*changed);
  if (auto done = keep_now(*changed); !done) {
    ended_ = ended_before;
    return std::unexpected(done.error());
  }
  for (const core::Incident& each : *changed) place(each);
  Handled handled{.incident = after, .step = {}};
  JudgeStep& step = handled.step;
  const core::IncidentTimes times = core::times_of(after);
  if (after.handling.acknowledged_at && !before.handling.acknowledged_at && times.to_acknowledge)
    step.measures.push_back({What::to_acknowledge, after.severity, *times.to_acknowledge});
  if (!after.open() && before.open() && !merged(after))
    step.measures.push_back({What::to_resolve, after.severity, *times.to_resolve});
  if (before.open() != after.open()) {
    const auto lasted = after.open() ? std::nullopt : std::optional(*after.resolved_at - after.opened_at);
    step.incident_notes.push_back({after.id, after.title, after.severity, after.cause, lasted, after.open()});
  }
  step.incidents = changed->size();
  storage::Commit told{.incidents = std::move(*changed)};
  dispatch({}, now, step, told);
  told.incidents.clear();
  if (!told.empty()) write(std::move(told), step);
  forget_ended(now);
  publish();
  return handled;
}

}  // namespace weir::app
