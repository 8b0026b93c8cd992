#include "incidents/cause_keeper.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "incidents/subject.h"
#include "incidents/timeline.h"

namespace weir::incidents {
namespace {

constexpr std::size_t kMaxCauseNotes = 20;                   // entries of a timeline that tell another cause
constexpr core::Duration kHolds = std::chrono::minutes(15);  // a cause, while a weaker one fits better

bool firing(const core::Alert& alert) { return alert.state == core::AlertState::firing; }

core::Time cause_since(const core::Incident& incident) {
  core::Time since = incident.earlier ? incident.earlier->until : incident.opened_at;
  for (const core::TimelineEntry& entry : incident.timeline) {
    if (entry.kind == "cause") since = std::max(since, entry.at);
  }
  return since;
}

}  // namespace

core::Node CauseKeeper::node_of_alert(const core::Alert& alert) const { return canonical(node_of(alert.labels)); }

std::vector<core::Alert> CauseKeeper::alerts_at_origin(const core::Incident& incident) const {
  Alerts own;
  for (const core::Alert& alert : incident.alerts) {
    if (node_of_alert(alert) == *incident.reasons.origin) own.push_back(alert);
  }
  return own;
}

Cause CauseKeeper::explain(const Alerts& alerts, const std::function<bool(const Cause&)>& preferred) const {
  return likely_cause(alerts, surroundings_, preferred);
}

core::Node CauseKeeper::canonical(const core::Node& node) const {
  return upstream_ == nullptr ? node : upstream_->canonical(node);
}

/// Alerts that tell the cause: those at the origin, all of them where a cause named it. An origin that is over, or
/// that has its root in something else of the incident, gives way to what fires there now.
CauseKeeper::Alerts CauseKeeper::telling(core::Incident& incident) const {
  core::Reasons& reasons = incident.reasons;
  const auto first = std::ranges::find_if(incident.alerts, firing);
  if (first == incident.alerts.end()) {
    if (!reasons.origin) reasons.origin = node_of_alert(incident.alerts.front());
    return {};
  }
  if (!reasons.origin) reasons.origin = node_of_alert(*first);
  Alerts own = alerts_at_origin(incident);
  if (own.empty()) return incident.alerts;
  if (std::ranges::none_of(own, firing)) {
    reasons = {};
    reasons.origin = node_of_alert(*first);
    reasons.hypothesis = explain(alerts_at_origin(incident)).hypothesis;
  }
  const auto root = root_within(incident, upstream_, [&](const Alerts& alerts) { return explain(alerts); });
  if (root) reasons = *root;
  own = alerts_at_origin(incident);
  return own.empty() ? incident.alerts : own;
}

/// Whether the cause that was told stays though another one fits now: while a thing heals another explanation may fit
/// what is left of it. Where an alert that may have told it has recovered, another one that fits is the cause; what a
/// cause named has no alert of its own, and is over then in any case.
bool CauseKeeper::holds(const core::Incident& incident, const Cause& cause) const {
  const core::Reasons& reasons = incident.reasons;
  if (reasons.hypothesis.empty() || cause.hypothesis == reasons.hypothesis || cause.score >= reasons.score)
    return false;
  const bool recovered = recovered_since_told(incident, reasons);
  if (cause.score == 0) return !recovered || !alerts_at_origin(incident).empty();
  return !recovered && surroundings_.now - cause_since(incident) < kHolds;
}

bool CauseKeeper::find(core::Incident& incident, const Occasion& occasion) const {
  const core::Reasons before = incident.reasons;
  const std::string told = incident.cause;
  if (occasion.reopened) incident.reasons = {};
  const Alerts alerts = telling(incident);
  core::Reasons& reasons = incident.reasons;
  if (alerts.empty()) return false;
  // What a cause named is the origin as long as any of the alerts tells so.
  const bool named = alerts_at_origin(incident).empty();
  const auto keeps = [&](const Cause& each) {
    return named && each.origin && canonical(*each.origin) == *reasons.origin;
  };
  Cause cause = explain(alerts, keeps);
  if (holds(incident, cause)) {
    if (reasons.affected.empty()) reasons.affected = affected(incident);
    return before != reasons;
  }
  if (cause.origin) {
    reasons.origin = canonical(*cause.origin);
  } else if (named) {
    reasons.origin = canonical(node_of(cause.about));
  }
  reasons.hypothesis = std::move(cause.hypothesis);
  reasons.score = cause.score;
  reasons.evidence = std::move(cause.evidence);
  incident.cause = std::move(cause.sentence);
  const bool another = reasons.hypothesis != before.hypothesis || reasons.origin != before.origin;
  const bool weaker = reasons.score < before.score || is_over(incident, before.origin);
  const bool heals =
      another && !occasion.reopened && weaker && !incident.earlier && recovered_since_told(incident, before);
  if (reasons.origin != before.origin || reasons.affected.empty()) reasons.affected = affected(incident);
  if (heals) incident.earlier = core::EarlierCause{.reasons = before, .cause = told, .until = surroundings_.now};
  // What fits one moment or another while it heals would only confuse who reads the timeline.
  if (another && !occasion.fresh && before.origin && !incident.earlier) note_another(incident, told);
  say_earlier(incident);
  return before != reasons || told != incident.cause;
}

/// What told the cause before is over, and what goes on may be left of it; for a while.
void CauseKeeper::say_earlier(core::Incident& incident) const {
  if (!incident.earlier) return;
  if (surroundings_.now - incident.earlier->until >= kHolds) return forget_earlier(incident);
  incident.cause += fmt::format(" Until {} the cause was another: {}",
                                core::format_rfc3339(std::chrono::floor<std::chrono::seconds>(incident.earlier->until)),
                                incident.earlier->cause);
}

void CauseKeeper::forget_earlier(core::Incident& incident) const {
  if (!incident.earlier) return;
  const std::string before = std::exchange(incident.earlier, std::nullopt)->cause;
  note_another(incident, before);
}

/// Whether the alerts of this thing have all recovered, of one that has any.
bool CauseKeeper::is_over(const core::Incident& incident, const std::optional<core::Node>& node) const {
  const auto own = [&](const core::Alert& alert) { return node_of_alert(alert) == node; };
  return std::ranges::any_of(incident.alerts, own) &&
         std::ranges::none_of(incident.alerts, [&](const auto& alert) { return firing(alert) && own(alert); });
}

/// Whether alerts that may have told this cause have recovered since it was told.
bool CauseKeeper::recovered_since_told(const core::Incident& incident, const core::Reasons& reasons) const {
  if (!reasons.origin) return false;
  const core::Time since = cause_since(incident);
  const auto own = [&](const core::Alert& alert) { return node_of_alert(alert) == *reasons.origin; };
  const bool named = std::ranges::none_of(incident.alerts, own);
  return std::ranges::any_of(incident.alerts, [&](const core::Alert& alert) {
    return (named || own(alert)) && !firing(alert) && alert.resolved_at && *alert.resolved_at >= since;
  });
}

void CauseKeeper::note_another(core::Incident& incident, const std::string& before) const {
  const auto told = std::ranges::count(incident.timeline, "cause", &core::TimelineEntry::kind);
  if (static_cast<std::size_t>(told) >= kMaxCauseNotes) return;
  if (told == 0 && !before.empty() && incident.timeline.size() < kMaxTimeline) {
    const auto after = std::ranges::upper_bound(incident.timeline, incident.opened_at, {}, &core::TimelineEntry::at);
    incident.timeline.insert(after, {incident.opened_at, "cause", before});
  }
  note(incident, surroundings_.now, "cause", incident.cause);
}

std::vector<core::Node> CauseKeeper::affected(const core::Incident& incident) const {
  constexpr std::size_t kMostAffected = 50;
  std::vector<core::Node> nodes;
  if (upstream_ != nullptr) nodes = upstream_->downstream(*incident.reasons.origin);
  for (const core::Alert& alert : incident.alerts) {
    const core::Node node = node_of_alert(alert);
    if (nodes.size() >= kMostAffected) break;
    if (node != *incident.reasons.origin && std::ranges::find(nodes, node) == nodes.end()) nodes.push_back(node);
  }
  nodes.resize(std::min(nodes.size(), kMostAffected));
  return nodes;
}

}  // namespace weir::incidents
