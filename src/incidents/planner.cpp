#include "incidents/planner.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <ranges>
#include <unordered_map>
#include <utility>

#include "incidents/cause_keeper.h"
#include "incidents/header.h"
#include "incidents/lifecycle.h"
#include "incidents/root.h"
#include "incidents/subject.h"
#include "incidents/timeline.h"

namespace weir::incidents {
namespace {

using core::AlertState;

constexpr core::Duration kSeenAgain = std::chrono::hours(1);  // what was there before is seen by then after a start
constexpr core::Duration kEventsBefore = std::chrono::minutes(10);  // an event may precede what it causes
constexpr std::size_t kRefreshed = 20;    // incidents whose causes are looked at again in a step
constexpr std::size_t kMaxAlerts = 1000;  // of one incident; past it those that ended give way

bool firing(const core::Alert& alert) { return alert.state == AlertState::firing; }

class Planner {
 public:
  Planner(std::vector<core::Incident> open, const std::vector<core::Event>& events, const core::SeriesSource& series,
          core::Time now, std::span<const core::Fault> faults, const Upstream* upstream, Ended ended, core::Time began)
      : events_(events),
        now_(now),
        began_(began),
        upstream_(upstream),
        causes_({series, events, now, faults}, upstream),
        reopen_within_(ended.reopen_within) {
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
    refresh();
    relate();
    IncidentPlan plan;
    for (Entry& entry : entries_) {
      if (entry.gone) continue;
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
    bool touched = false;  // by an alert, or another cause
    bool changed = false;  // by an event
    bool fresh = false;    // nobody knows of it yet
    bool gone = false;     // became a part of another before anybody knew
    bool anew = false;     // reopened: what it was about before may be over
  };
  using Alerts = std::vector<core::Alert>;

  void index(const core::Incident& incident, std::size_t at) {
    by_key_.insert_or_assign(incident.key, at);
    for (const core::Alert& alert : incident.alerts) {
      by_alert_.insert_or_assign(alert.labels, at);
      // Of several things what fires leads here; what is over may come back with a cause of its own.
      if (incident.alerts.size() > 1 && firing(alert)) by_key_.try_emplace(subject_of(alert.labels).key(), at);
    }
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
    entry.fresh = true;
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
    if (first && entry.fresh) incident.handling.owner = alert.annotations.get("pipeline_owner");
    const bool reopened = !incident.open();
    if (reopened) {
      reopen_by_alert(incident);
      entry.anew = true;
    }
    note(incident, transition.at,
         reopened ? "reopened"
         : first  ? "opened"
                  : "grew",
         (again ? "fires again: " : "") + summary_of(alert));
    causes_.forget_earlier(incident);
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
         fmt::format("{} {}", name_of(transition.alert),
                     transition.reason.empty() ? "recovered" : "ended: " + transition.reason));
    entry.change.resolved.push_back(transition.alert);
    entry.touched = true;
  }

  /// What follows from the alerts: labels, severity, title, cause, the end.
  void settle(Entry& entry) {
    core::Incident& incident = entry.change.incident;
    for (const core::Alert& alert : incident.alerts) {
      const bool known = alert.active_at != core::Time();
      if (known && (!incident.began_at || alert.active_at < *incident.began_at)) incident.began_at = alert.active_at;
    }
    const bool fires = std::ranges::any_of(incident.alerts, firing);
    // What is over keeps its cause, or that of which the last of it was left.
    if (fires || !incident.reasons.origin) find_cause(entry);
    if (auto earlier = fires ? std::nullopt : std::exchange(incident.earlier, std::nullopt)) {
      incident.reasons = std::move(earlier->reasons);
      incident.cause = std::move(earlier->cause);
    }
    write_header(incident, causes_.alerts_at_origin(incident));
    if (!incident.open() || fires) return;
    incident.resolved_at = now_;
    note(incident, now_, "resolved",
         fmt::format("resolved after {}",
                     core::format_duration(std::chrono::floor<std::chrono::seconds>(now_ - incident.opened_at))));
  }

  bool find_cause(Entry& entry) {
    const Occasion occasion{.reopened = std::exchange(entry.anew, false), .fresh = entry.fresh};
    return causes_.find(entry.change.incident, occasion);
  }

  /// Numbers of causes change while an incident goes on, and evidence may come after its alert. A few at a time.
  void refresh() {
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      if (!entry.touched && entry.change.incident.open() && !entry.change.incident.alerts.empty()) others.push_back(i);
    }
    if (others.empty()) return;
    constexpr core::Duration kTurn = std::chrono::seconds(5);
    const auto turn = static_cast<std::size_t>(now_.time_since_epoch() / kTurn);
    const std::size_t from = others.size() <= kRefreshed ? 0 : turn * kRefreshed % others.size();
    for (std::size_t i = 0; i < std::min(others.size(), kRefreshed); ++i) {
      Entry& entry = entries_[others[(from + i) % others.size()]];
      const core::Reasons before = entry.change.incident.reasons;
      if (!find_cause(entry)) continue;
      entry.changed = true;
      const core::Reasons& reasons = entry.change.incident.reasons;
      if (reasons.origin == before.origin && reasons.hypothesis == before.hypothesis) continue;
      entry.touched = true;
      settle(entry);
    }
  }

  /// Puts together what is one fault, beginning with what changed.
  void relate() {
    std::deque<std::size_t> todo;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].touched && entries_[i].change.incident.open()) todo.push_back(i);
    }
    if (todo.empty() || entries_.size() < 2) return;
    illnesses_.resize(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) diagnose(i);
    while (!todo.empty()) {
      const std::size_t at = todo.front();
      todo.pop_front();
      if (!is_ill(at)) continue;
      if (const auto into = relate(at)) {
        settle(entries_[*into]);
        diagnose(*into);
        todo.push_back(*into);
      }
    }
  }

  bool is_ill(std::size_t at) const {
    return illnesses_[at] && !entries_[at].gone && entries_[at].change.incident.open();
  }

  void diagnose(std::size_t at) {
    const core::Incident& incident = entries_[at].change.incident;
    illnesses_[at].reset();
    if (entries_[at].gone || !incident.open() || std::ranges::none_of(incident.alerts, firing)) return;
    const Illness& ill = illnesses_[at].emplace(illness_of(incident, upstream_));
    for (const core::Node& node : ill.nodes) ill_at_[node].push_back(at);
    for (const core::Node& node : ill.above) ill_below_[node].push_back(at);
  }

  /// Those that may have to do with it, each once.
  std::vector<std::size_t> relatives(std::size_t at) const {
    const Illness& ill = *illnesses_[at];
    std::vector<std::size_t> found;
    const auto take = [&](const auto& index, const core::Node& node) {
      if (const auto known = index.find(node); known != index.end())
        found.insert(found.end(), known->second.begin(), known->second.end());
    };
    for (const core::Node& node : ill.above) take(ill_at_, node);
    for (const core::Node& node : ill.nodes) {
      take(ill_at_, node);
      take(ill_below_, node);
    }
    if (upstream_ != nullptr) {
      constexpr std::size_t kFollowed = 20;
      for (const core::Node& node : ill.nodes | std::views::take(kFollowed)) {
        for (const core::Node& below : upstream_->downstream(node)) take(ill_at_, below);
      }
      for (const core::Node& above : upstream_->upstream(ill.origin)) take(ill_at_, above);
    }
    std::ranges::sort(found);
    const auto repeated = std::ranges::unique(found);
    found.erase(repeated.begin(), repeated.end());
    return found;
  }

  /// Joins an incident with all that are the same fault; returns where it went, nothing when it stayed alone.
  std::optional<std::size_t> relate(std::size_t at) {
    std::optional<std::size_t> joined;
    for (const std::size_t other : relatives(at)) {
      if (other == at || !is_ill(other)) continue;
      const Illness& ill = *illnesses_[at];
      const bool below = explains(*illnesses_[other], ill, upstream_);
      const bool above = explains(ill, *illnesses_[other], upstream_);
      if (!below && !above) continue;
      // Where each may explain the other (data goes in a circle) the one that began first does.
      const bool other_first = below && (!above || illnesses_[other]->since < ill.since);
      const std::size_t into = other_first ? join(other, at) : join(at, other);
      joined = into;
      if (into != at) {
        illnesses_[into] = other_first ? illnesses_[other] : illnesses_[at];
        return joined;
      }
      if (other_first) return joined;  // it is another illness now
    }
    return joined;
  }

  /// `up` and `down` are one, with its root in `up`. The one that people know goes on, of two the older.
  std::size_t join(std::size_t up, std::size_t down) {
    const bool up_older = entries_[up].change.incident.opened_at <= entries_[down].change.incident.opened_at;
    const bool keep_up = entries_[up].fresh == entries_[down].fresh ? up_older : entries_[down].fresh;
    const std::size_t kept = keep_up ? up : down;
    const std::size_t lost = keep_up ? down : up;
    Entry& into = entries_[kept];
    Entry& from = entries_[lost];
    absorb(into.change.incident, from.change.incident, from.fresh, now_);
    from.gone = from.fresh;
    from.touched = into.touched = true;
    core::Incident& incident = into.change.incident;
    if (!keep_up) {
      incident.key = from.change.incident.key;
      incident.reasons = {};
      incident.reasons.origin = from.change.incident.reasons.origin;
      incident.reasons.hypothesis = from.change.incident.reasons.hypothesis;
      const std::string told = std::exchange(incident.cause, from.change.incident.cause);
      if (!into.fresh) causes_.note_another(incident, told);
    }
    incident.reasons.affected.clear();
    incident.earlier.reset();
    std::ranges::move(from.change.fired, std::back_inserter(into.change.fired));
    std::ranges::move(from.change.resolved, std::back_inserter(into.change.resolved));
    from.change.fired.clear();
    std::ranges::stable_sort(incident.timeline, {}, &core::TimelineEntry::at);
    return kept;
  }

  void add_events(Entry& entry) {
    core::Incident& incident = entry.change.incident;
    if (incident.alerts.empty() || events_.empty()) return;
    const core::Alert* about = &incident.alerts.front();
    if (incident.alerts.size() > 1 && incident.reasons.origin) {
      const auto own = std::ranges::find_if(incident.alerts, [&](const core::Alert& alert) {
        return causes_.node_of_alert(alert) == *incident.reasons.origin;
      });
      if (own != incident.alerts.end()) about = &*own;
    }
    const core::Labels identity = subject_of(about->labels).identity;
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

  /// Also what a process before this one saw and this one sees again soon, unless anything has happened in between.
  bool listed(const core::Incident& incident, const core::Event& event) const {
    static constexpr std::array<std::string_view, 6> kHappens{"event",     "opened",   "grew",
                                                              "recovered", "resolved", "reopened"};
    const bool late = event.time - began_ > kSeenAgain;
    const bool nothing_since = !late && std::ranges::none_of(incident.timeline, [&](const core::TimelineEntry& entry) {
      return entry.at >= began_ && entry.at < event.time && std::ranges::find(kHappens, entry.kind) != kHappens.end();
    });
    return std::ranges::any_of(incident.timeline, [&](const core::TimelineEntry& entry) {
      if (entry.kind != "event" || entry.text != event.message) return false;
      return entry.at == event.time || (entry.at < began_ && (event.time < began_ || nothing_since));
    });
  }

  const std::vector<core::Event>& events_;
  core::Time now_;
  core::Time began_;
  const Upstream* upstream_;
  CauseKeeper causes_;
  std::vector<std::optional<Illness>> illnesses_;  // of entries
  std::map<core::Node, std::vector<std::size_t>> ill_at_;
  std::map<core::Node, std::vector<std::size_t>> ill_below_;  // by what labels say is above
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
                  std::span<const core::Fault> faults, const Upstream* upstream, Ended ended, core::Time began) {
  Planner planner(std::move(open), recent_events, series, now, faults, upstream, std::move(ended), began);
  for (const core::Transition& transition : transitions) planner.take(transition);
  return planner.finish();
}

}  // namespace weir::incidents
