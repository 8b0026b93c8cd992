#include "incidents/planner.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <unordered_map>

#include "incidents/causes.h"
#include "incidents/lifecycle.h"
#include "incidents/subject.h"

namespace weir::incidents {
namespace {

using core::AlertState;

constexpr core::Duration kEventsBefore = std::chrono::minutes(10);  // an event may precede what it causes
constexpr std::size_t kMaxTimeline = 500;
constexpr std::size_t kMaxAlerts = 1000;  // of one incident; past it those that ended give way

bool firing(const core::Alert& alert) { return alert.state == AlertState::firing; }

std::string alert_text(const core::Alert& alert) {
  const std::string_view summary = alert.annotations.get("summary");
  return summary.empty() ? alert.rule : fmt::format("{}: {}", alert.rule, summary);
}

/// "TableCheckError of check \"row_count > 0\", table fct_orders in warehouse"
std::string named(const core::Alert& alert) {
  const Subject subject = subject_of(alert.labels);
  if (subject.kind == "alert") return alert.rule;
  std::string text = alert.rule + " of ";
  for (const std::string_view name : {"check", "topic", "partition", "column"}) {
    if (!alert.labels.has(name) || subject.identity.has(name)) continue;
    const std::string_view quote = name == "check" ? "\"" : "";
    text += fmt::format("{0} {2}{1}{2}, ", name, alert.labels.get(name), quote);
  }
  return text + subject.text();
}

core::Labels in_common(const std::vector<core::Alert>& alerts) {
  core::LabelsBuilder common(alerts.front().labels);
  common.erase("alertname");
  common.erase("severity");
  for (const core::Alert& alert : alerts) {
    for (const auto& [name, value] : common.build()) {
      if (alert.labels.get(name) != value) common.erase(name);
    }
  }
  return common.build();
}

/// "Consumer group fulfilment in prod: KafkaConsumerLagHigh, KafkaMessagesLost"
std::string title_of(const core::Incident& incident, const Subject& subject) {
  std::string title = subject.text();
  title[0] = static_cast<char>(title[0] >= 'a' && title[0] <= 'z' ? title[0] - 32 : title[0]);
  std::vector<std::string> names;
  for (const core::Alert& alert : incident.alerts) {
    if (std::ranges::find(names, alert.rule) == names.end()) names.push_back(alert.rule);
  }
  if (subject.kind == "alert") return title;
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) title += (i == 0 ? ": " : ", ") + names[i];
  if (names.size() > kShown) title += fmt::format(" and {} more", names.size() - kShown);
  return title;
}

class Planner {
 public:
  Planner(std::vector<core::Incident> open, const std::vector<core::Event>& events, const core::SeriesSource& series,
          core::Time now, std::span<const core::Fault> faults, Ended ended)
      : events_(events), series_(series), now_(now), faults_(faults), reopen_within_(ended.reopen_within) {
    // Those that are open go before those that ended, and those before what ended earlier.
    std::ranges::stable_sort(ended.incidents, {}, &core::Incident::resolved_at);
    for (core::Incident& incident : ended.incidents) {
      if (incident.handling.merged_into.empty()) index(incident, entries_.size());
      entries_.push_back({.change = {std::move(incident), {}, {}}});
    }
    for (core::Incident& incident : open) {
      index(incident, entries_.size());
      entries_.push_back({.change = {std::move(incident), {}, {}}});
    }
    index_merged();
  }

  void take(const core::Transition& transition) {
    if (transition.to == AlertState::firing) fire(transition);
    if (transition.from == AlertState::firing && transition.to == AlertState::inactive) resolve(transition);
  }

  IncidentPlan finish() {
    for (Entry& entry : entries_) {
      if (entry.change.incident.open()) add_events(entry);
      if (entry.touched) settle(entry);
    }
    IncidentPlan plan;
    for (Entry& entry : entries_) {
      const bool open = entry.change.incident.open();
      if (!entry.changed && !entry.touched) {
        (open ? plan.open : plan.ended).push_back(std::move(entry.change.incident));
        continue;
      }
      (open ? plan.open : plan.ended).push_back(entry.change.incident);
      plan.changes.push_back(std::move(entry.change));
    }
    return plan;
  }

 private:
  struct Entry {
    IncidentChange change;
    bool touched = false;  // by an alert
    bool changed = false;  // by an event
  };

  void index(const core::Incident& incident, std::size_t at) {
    by_key_.insert_or_assign(incident.key, at);
    for (const core::Alert& alert : incident.alerts) by_alert_.insert_or_assign(alert.labels, at);
  }

  /// What is about an incident that was merged into another goes there, unless it has an incident of its own since.
  void index_merged() {
    constexpr int kMostSteps = 16;
    std::map<std::string_view, std::size_t> by_id;
    for (std::size_t i = 0; i < entries_.size(); ++i) by_id.emplace(entries_[i].change.incident.id, i);
    for (const Entry& entry : entries_) {
      const core::Incident* incident = &entry.change.incident;
      auto found = by_id.end();
      for (int step = 0; step < kMostSteps && !incident->handling.merged_into.empty(); ++step) {
        found = by_id.find(incident->handling.merged_into);
        if (found == by_id.end()) break;
        incident = &entries_[found->second].change.incident;
      }
      if (found != by_id.end() && incident->handling.merged_into.empty())
        by_key_.try_emplace(entry.change.incident.key, found->second);
    }
  }

  /// Whether an alert that fires now goes on with this incident.
  bool goes_on(const core::Incident& incident) const {
    if (incident.open()) return true;
    if (reopen_within_ == core::Duration(0) || !incident.handling.merged_into.empty()) return false;
    return now_ - *incident.resolved_at <= reopen_within_ || std::ranges::any_of(incident.alerts, firing);
  }

  static bool fires_in(const core::Incident& incident, const core::Alert& alert) {
    const auto known = std::ranges::find(incident.alerts, alert.labels, &core::Alert::labels);
    return known != incident.alerts.end() && firing(*known);
  }

  /// False when the timeline is full: how it began is kept, and how it ended.
  static bool note(core::Incident& incident, core::Time at, std::string_view kind, std::string text) {
    if (incident.timeline.size() >= kMaxTimeline && kind != "resolved" && kind != "reopened") return false;
    incident.timeline.push_back({at, std::string(kind), std::move(text)});
    return true;
  }

  /// Alerts that fire are all kept; of the others only as many as fit.
  static void make_room(core::Incident& incident) {
    if (incident.alerts.size() < kMaxAlerts) return;
    const auto ended = std::ranges::find_if_not(incident.alerts, firing);
    if (ended != incident.alerts.end()) incident.alerts.erase(ended);
  }

  Entry& entry_for(const core::Transition& transition) {
    const Subject subject = subject_of(transition.alert.labels);
    const std::string key = subject.key();
    const auto found = by_key_.find(key);
    if (found != by_key_.end() && goes_on(entries_[found->second].change.incident)) return entries_[found->second];
    by_key_.insert_or_assign(key, entries_.size());
    Entry& entry = entries_.emplace_back();
    core::Incident& incident = entry.change.incident;
    incident.key = key;
    incident.opened_at = transition.at;
    incident.id = incident_id(key, transition.at);
    return entry;
  }

  void fire(const core::Transition& transition) {
    const core::Alert& alert = transition.alert;
    const auto known = by_alert_.find(alert.labels);
    // Delivered again after a restart: nothing new.
    if (known != by_alert_.end() && fires_in(entries_[known->second].change.incident, alert)) return;
    const bool goes = known != by_alert_.end() && goes_on(entries_[known->second].change.incident);
    Entry& entry = goes ? entries_[known->second] : entry_for(transition);
    core::Incident& incident = entry.change.incident;
    const auto before = std::ranges::find(incident.alerts, alert.labels, &core::Alert::labels);
    const bool again = before != incident.alerts.end();
    const bool first = incident.alerts.empty();
    if (again) {
      *before = alert;
    } else {
      make_room(incident);
      incident.alerts.push_back(alert);
      by_alert_.insert_or_assign(alert.labels, static_cast<std::size_t>(&entry - entries_.data()));
    }
    const bool reopened = !incident.open();
    if (reopened) reopen_by_alert(incident);
    note(incident, transition.at,
         reopened ? "reopened"
         : first  ? "opened"
                  : "grew",
         (again ? "fires again: " : "") + alert_text(alert));
    entry.change.fired.push_back(alert);
    entry.touched = true;
  }

  void resolve(const core::Transition& transition) {
    const auto known = by_alert_.find(transition.alert.labels);
    if (known == by_alert_.end()) return;
    Entry& entry = entries_[known->second];
    core::Incident& incident = entry.change.incident;
    const auto alert = std::ranges::find(incident.alerts, transition.alert.labels, &core::Alert::labels);
    if (alert == incident.alerts.end() || !firing(*alert)) return;
    *alert = transition.alert;
    note(incident, transition.at, "recovered",
         fmt::format("{} {}", named(transition.alert),
                     transition.reason.empty() ? "recovered" : "ended: " + transition.reason));
    entry.change.resolved.push_back(transition.alert);
    entry.touched = true;
  }

  /// What follows from the alerts: labels, severity, title, cause, the end.
  void settle(Entry& entry) {
    core::Incident& incident = entry.change.incident;
    const Subject subject = subject_of(incident.alerts.front().labels);
    int rank = severity_rank(incident.severity);
    for (const core::Alert& alert : incident.alerts) {
      rank = std::max(rank, severity_rank(alert.labels.get("severity")));
      const bool known = alert.active_at != core::Time();
      if (known && (!incident.began_at || alert.active_at < *incident.began_at)) incident.began_at = alert.active_at;
    }
    incident.severity = severity_name(rank);
    incident.labels = in_common(incident.alerts);
    incident.title = title_of(incident, subject);
    // Also where the alert that told the cause recovered while another remains; what is over keeps its cause.
    if (std::ranges::any_of(incident.alerts, firing)) {
      incident.cause = likely_cause(incident.alerts, {series_, events_, now_, faults_}).sentence;
    }
    if (!incident.open() || std::ranges::any_of(incident.alerts, firing)) return;
    incident.resolved_at = now_;
    note(incident, now_, "resolved",
         fmt::format("resolved after {}",
                     core::format_duration(std::chrono::floor<std::chrono::seconds>(now_ - incident.opened_at))));
  }

  void add_events(Entry& entry) {
    core::Incident& incident = entry.change.incident;
    if (incident.alerts.empty()) return;
    const core::Labels identity = subject_of(incident.alerts.front().labels).identity;
    for (const core::Event& event : events_) {
      const bool in_time = event.time >= incident.opened_at - kEventsBefore && event.time <= now_;
      if (!in_time || !concerns(event, identity) || listed(incident, event)) continue;
      if (note(incident, event.time, "event", event.message)) entry.changed = true;
    }
    std::ranges::stable_sort(incident.timeline, {}, &core::TimelineEntry::at);
  }

  static bool concerns(const core::Event& event, const core::Labels& identity) {
    return event.labels.includes(identity);
  }

  static bool listed(const core::Incident& incident, const core::Event& event) {
    return std::ranges::any_of(incident.timeline, [&](const core::TimelineEntry& entry) {
      return entry.kind == "event" && entry.at == event.time && entry.text == event.message;
    });
  }

  const std::vector<core::Event>& events_;
  const core::SeriesSource& series_;
  core::Time now_;
  std::span<const core::Fault> faults_;
  core::Duration reopen_within_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t> by_key_;
  std::unordered_map<core::Labels, std::size_t> by_alert_;
};

}  // namespace

std::string incident_id(std::string_view key, core::Time opened_at) {
  const std::string moment = std::to_string(opened_at.time_since_epoch().count());
  return fmt::format("{:016x}", core::Labels{{"key", key}, {"opened_at", moment}}.hash());
}

IncidentPlan plan(std::vector<core::Incident> open, const std::vector<core::Transition>& transitions,
                  const std::vector<core::Event>& recent_events, const core::SeriesSource& series, core::Time now,
                  std::span<const core::Fault> faults, Ended ended) {
  Planner planner(std::move(open), recent_events, series, now, faults, std::move(ended));
  for (const core::Transition& transition : transitions) planner.take(transition);
  return planner.finish();
}

}  // namespace weir::incidents
