#include "app/judge.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "incidents/causes.h"
#include "incidents/planner.h"
#include "runtime/parallel.h"

namespace weir::app {
namespace {

constexpr core::Duration kEventsKept = std::chrono::minutes(15);
constexpr std::size_t kMostEvents = 1000;
constexpr core::Duration kStorageErrorKept = std::chrono::minutes(3);  // longer than a rule may look back for failures
constexpr core::Duration kCausesKept = std::chrono::seconds(5);
constexpr std::size_t kMostTold = 200;  // entries in one timeline that say who was told
constexpr core::Duration kLongestCycle = std::chrono::minutes(1);
constexpr std::size_t kMostWorkers = 4;                            // that evaluate groups at a time
constexpr core::Duration kLongestHold = std::chrono::seconds(30);  // of notifications, after the start

std::vector<std::string> metric_names(const core::Batch& batch) {
  std::set<std::string_view> names;
  std::string_view last;
  for (const core::Sample& sample : batch.samples) {
    const std::string_view name = sample.labels.name();
    if (name != last) names.insert(last = name);  // those of a metric come together
  }
  return {names.begin(), names.end()};
}

/// What a restart must know of an alert; the value of a firing alert changes all the time and is not worth a write.
bool same_state(const core::Alert& a, const core::Alert& b) {
  return a.state == b.state && a.active_at == b.active_at && a.fired_at == b.fired_at &&
         a.keep_firing_since == b.keep_firing_since;
}

}  // namespace

Judge::Judge(Parts parts) : parts_(parts), evaluated_at_(parts.rules.groups().size()) {
  rule_views_.show_all(parts_.rules);
  silences_ = parts_.silences ? parts_.silences() : std::make_shared<const std::vector<notify::CompiledSilence>>();
  publish();
}

void Judge::expect(std::vector<std::string> sources) {
  sources_ = std::move(sources);
  std::vector<std::string> counted = sources_;
  counted.emplace_back("self");
  census_.expect(counted);
  gone_ended_ = false;
}

/// Not before all others had their turn: what one source no longer brings another may, since it was renamed.
void Judge::end_gone_sources(core::Time now) {
  if (gone_ended_ || !census_.all_tried()) return;
  gone_ended_ = true;
  std::vector<std::string> groups;
  for (const rules::Group& group : parts_.rules.groups()) groups.push_back(group.key());
  for (const std::string& source : gone_sources(parts_.series.sources(), sources_, groups))
    parts_.series.ingest(source, {}, now);
}

void Judge::note_error(std::string_view collector, std::string error) {
  if (error.empty()) {
    if (const auto known = errors_.find(collector); known != errors_.end()) errors_.erase(known);
  } else {
    errors_.insert_or_assign(std::string(collector), std::move(error));
  }
}

void Judge::miss(std::string_view source, core::Time now) {
  census_.miss(source);
  end_gone_sources(now);
}

JudgeStep Judge::take(std::string_view source, const core::Batch& batch, core::Time now) {
  const series::IngestReport report = parts_.series.ingest(source, batch, now);
  census_.take(source, batch);
  end_gone_sources(now);
  faults_.insert_or_assign(std::string(source), batch.faults);
  remember(batch.events, now);
  std::vector<std::string>& names = names_[std::string(source)];
  if (names.empty() || !report.same_series) names = metric_names(batch);
  return judge(parts_.rules.groups_reading(names), {}, !batch.events.empty(), now);
}

JudgeStep Judge::tick(core::Time now) {
  std::vector<std::size_t> due;
  for (std::size_t group = 0; group < evaluated_at_.size(); ++group) {
    if (now - evaluated_at_[group] >= parts_.rules.groups()[group].interval) due.push_back(group);
  }
  return judge(std::move(due), {}, false, now);
}

JudgeStep Judge::reload(std::vector<rules::Group> groups, core::Time now) {
  std::map<std::pair<std::string, core::Duration>, core::Time> before;
  for (std::size_t i = 0; i < evaluated_at_.size(); ++i) {
    const rules::Group& group = parts_.rules.groups()[i];
    before[{group.key(), group.interval}] = evaluated_at_[i];
  }
  std::vector<core::Alert> firing;
  for (const auto& [id, member] : dispatch_.firing) firing.push_back(member.alert);
  rebuild_dispatch(notify::records(dispatch_), firing, now);
  std::vector<core::Transition> ends = parts_.rules.reload(std::move(groups), now);
  evaluated_at_.clear();
  for (const rules::Group& group : parts_.rules.groups())
    evaluated_at_.push_back(before[{group.key(), group.interval}]);
  rule_views_.show_all(parts_.rules);
  return judge({}, std::move(ends), false, now);
}

JudgeStep Judge::note_told(const std::vector<core::Labels>& alerts, const std::string& text, core::Time now) {
  JudgeStep step;
  storage::Commit changes;
  for (core::Incident& incident : open_) {
    const bool concerned = std::ranges::any_of(incident.alerts, [&](const core::Alert& alert) {
      return std::ranges::find(alerts, alert.labels) != alerts.end();
    });
    const auto told = std::ranges::count(incident.timeline, "notified", &core::TimelineEntry::kind);
    if (!concerned || static_cast<std::size_t>(told) >= kMostTold) continue;
    incident.timeline.push_back({now, "notified", text});
    changes.incidents.push_back(incident);
  }
  step.incidents = changes.incidents.size();
  write(std::move(changes), step);  // what waits too: whether storage works is known by it
  if (step.incidents > 0) publish();
  return step;
}

/// That an alert is over is told when its incident may be over too: of those with an alert the newest is meant.
JudgeStep Judge::note_delivery(std::span<const std::uint64_t> alerts, const Told& told, core::Time now) {
  JudgeStep step;
  storage::Commit changes;
  std::set<std::uint64_t> left(alerts.begin(), alerts.end());
  const auto note = [&](core::Incident& incident) {
    std::size_t of_incident = 0;
    for (const core::Alert& alert : incident.alerts) of_incident += left.erase(alert.fingerprint);
    if (of_incident > 0 && note_in_timeline(incident.timeline, told, kMostTold, now))
      changes.incidents.push_back(incident);
  };
  for (core::Incident& incident : open_) note(incident);
  for (core::Incident& incident : resolved_) note(incident);
  step.incidents = changes.incidents.size();
  write(std::move(changes), step);  // what waits too: whether storage works is known by it
  if (step.incidents > 0) publish();
  return step;
}

JudgeStep Judge::judge(std::vector<std::size_t> groups, std::vector<core::Transition> transitions, bool new_events,
                       core::Time now) {
  now = not_before_last(now);
  JudgeStep step;
  step.standby = stands_by();
  if (step.standby) return step;
  if (!groups.empty()) pass(core::FailPoint::evaluate_before);
  // What one group records may feed others: each is evaluated once a step, in the order they become due.
  std::set<std::size_t> seen(groups.begin(), groups.end());
  for (std::size_t i = 0; i < groups.size();) {
    const std::span<const std::size_t> rest = std::span(groups).subspan(i);
    const std::size_t together = parts_.rules.independent(rest);
    std::vector<Evaluated> evaluated = evaluate(rest.first(together), now);
    for (Evaluated& one : evaluated) {
      const std::vector<std::string> recorded = keep(groups[i++], std::move(one), now, transitions, step);
      for (const std::size_t reader : parts_.rules.groups_reading(recorded)) {
        if (seen.insert(reader).second) groups.push_back(reader);
      }
    }
  }
  step.transitions = transitions.size();
  std::ranges::copy_if(transitions, std::back_inserter(step.notable), [](const core::Transition& transition) {
    return (transition.from == core::AlertState::firing) != (transition.to == core::AlertState::firing);
  });
  pass_changes(transitions);
  storage::Commit changes;
  const std::vector<core::Transition> told = annotated(transitions);
  if (!told.empty() || (new_events && !open_.empty()) || causes_due(now)) plan(told, now, step, changes);
  note_alerts(changes);
  dispatch(told, now, step, changes);
  changes.transitions = std::move(transitions);
  write(std::move(changes), step);
  publish();
  if (step.transitions > 0) pass(core::FailPoint::publish_after);
  return step;
}

void Judge::pass_changes(std::span<const core::Transition> transitions) const {
  if (!transitions.empty()) pass(core::FailPoint::evaluate_after);
  const auto resolves = [](const core::Transition& each) {
    return each.from == core::AlertState::firing && each.to != core::AlertState::firing;
  };
  if (std::ranges::any_of(transitions, resolves)) pass(core::FailPoint::resolve);
}

/// A cycle's time is its beginning, and rules may have been evaluated since: what they then said must be seen. A clock
/// that was set back is another matter.
core::Time Judge::not_before_last(core::Time now) {
  if (now > judged_at_ || judged_at_ - now > kLongestCycle) judged_at_ = now;
  return judged_at_;
}

void Judge::dispatch(std::span<const core::Transition> transitions, core::Time now, JudgeStep& step,
                     storage::Commit& changes) {
  if (parts_.silences) silences_ = parts_.silences();
  core::Alert as_now;
  const auto newest = [&](const core::Alert& alert) -> const core::Alert* {
    const auto found = written_.find({alert.fingerprint, alert.group, alert.rule});
    if (found == written_.end() || found->second.state != core::AlertState::firing) return nullptr;
    if (!parts_.annotations) return &found->second;
    as_now = found->second;
    annotate(as_now, parts_.annotations(as_now.labels));
    return &as_now;
  };
  notify::DispatchOutput told = notify::dispatch(parts_.routing, dispatch_,
                                                 {.transitions = transitions,
                                                  .incidents = changes.incidents,
                                                  .silences = *silences_,
                                                  .hold = holding(now),
                                                  .now = now,
                                                  .newest = newest});
  changes.outbox = std::move(told.messages);
  changes.groups = std::move(told.records);
  step.messages = changes.outbox.size();
  const auto active =
      std::ranges::count_if(*silences_, [&](const notify::CompiledSilence& each) { return each.silence.active(now); });
  const bool silences_changed = silences_ != silences_shown_ || active != silences_active_;
  if (transitions.empty() && changes.groups.empty() && !silences_changed) return;
  silences_shown_ = silences_;
  silences_active_ = active;
  note_notifications(now);
}

/// After a start: until every source had its turn and the rules were evaluated with all of it, so that what inhibits
/// others is known before those are told of.
bool Judge::holding(core::Time now) {
  if (!started_) return false;
  const auto& fixed = parts_.routing.limits.start_delay;
  bool over = now >= *started_ + fixed.value_or(kLongestHold);
  if (!over && !fixed && census_.all_tried()) {
    if (!all_tried_at_) all_tried_at_ = now;
    over = std::ranges::all_of(evaluated_at_, [&](core::Time at) { return at > *all_tried_at_; });
  }
  if (over) started_.reset();
  return !over;
}

void Judge::rebuild_dispatch(std::span<const core::GroupRecord> records, std::span<const core::Alert> firing,
                             core::Time now) {
  // Of those that have the same alert the last one counts.
  std::vector<core::Incident> incidents = ended_;
  incidents.insert(incidents.end(), open_.begin(), open_.end());
  notify::DispatchState rebuilt = notify::rebuild(parts_.routing, records, firing, incidents, now);
  rebuilt.flaps = std::move(dispatch_.flaps);
  rebuilt.buckets = std::move(dispatch_.buckets);
  dispatch_ = std::move(rebuilt);
  note_inhibitions();
  std::set<std::string> kept;
  for (const core::GroupRecord& record : notify::records(dispatch_)) kept.insert(record.key);
  for (const core::GroupRecord& record : records) {
    if (!kept.contains(record.key)) backlog_.add({.groups = {{.key = record.key, .gone = true}}});
  }
  note_notifications(now);
}

void Judge::note_notifications(core::Time now) {
  notifications_ =
      std::make_shared<const core::NotificationView>(notify::view_of(parts_.routing, dispatch_, *silences_, now));
}

/// Groups that share no input are evaluated at the same time; nothing is written meanwhile.
std::vector<Judge::Evaluated> Judge::evaluate(std::span<const std::size_t> groups, core::Time now) {
  std::vector<Evaluated> results(groups.size());
  const auto observed = [this](const core::Labels& labels) { return census_.covers(labels); };
  runtime::parallel_for(groups.size(), kMostWorkers, [&](std::size_t i) {
    const auto began = std::chrono::steady_clock::now();
    results[i].evaluation = parts_.rules.evaluate(groups[i], parts_.series, now, observed);
    results[i].seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  });
  return results;
}

std::vector<std::string> Judge::keep(std::size_t group, Evaluated evaluated, core::Time now,
                                     std::vector<core::Transition>& transitions, JudgeStep& step) {
  evaluated_at_[group] = now;
  rules::Evaluation& evaluation = evaluated.evaluation;
  const rules::Group& rules = parts_.rules.groups()[group];
  parts_.series.ingest("rules/" + rules.key(), evaluation.batch, now);
  std::ranges::move(evaluation.transitions, std::back_inserter(transitions));
  rule_views_.show(parts_.rules, group, evaluation, now, evaluated.seconds);
  step.groups.push_back({rules.name, evaluated.seconds, std::move(evaluation.errors)});
  return metric_names(evaluation.batch);
}

/// What the rule says itself counts.
void Judge::annotate(core::Alert& alert, const core::Labels& more) {
  if (more.empty()) return;
  core::LabelsBuilder annotations(alert.annotations);
  for (const auto& [name, value] : more) {
    if (!alert.annotations.has(name)) annotations.set(name, value);
  }
  alert.annotations = annotations.build();
}

std::vector<core::Transition> Judge::annotated(std::vector<core::Transition> transitions) const {
  if (!parts_.annotations) return transitions;
  for (core::Transition& transition : transitions)
    annotate(transition.alert, parts_.annotations(transition.alert.labels));
  return transitions;
}

std::vector<core::GeneratedAlert> Judge::generated() const {
  std::vector<core::GeneratedAlert> alerts = parts_.rules.generated();
  if (!parts_.annotations) return alerts;
  for (core::GeneratedAlert& each : alerts) annotate(each.alert, parts_.annotations(each.alert.labels));
  return alerts;
}

/// Alerts as they are stored, with what was added to them when they began: the graph may not be known yet again.
std::vector<core::Alert> Judge::as_told(std::vector<core::Alert> alerts) const {
  std::map<core::Labels, const core::Labels*> told;
  for (const core::Incident& incident : open_) {
    for (const core::Alert& alert : incident.alerts) told.emplace(alert.labels, &alert.annotations);
  }
  for (core::Alert& alert : alerts) {
    if (const auto known = told.find(alert.labels); known != told.end()) annotate(alert, *known->second);
  }
  return alerts;
}

void Judge::plan(const std::vector<core::Transition>& transitions, core::Time now, JudgeStep& step,
                 storage::Commit& changes) {
  planned_at_ = now;
  if (parts_.upstream) upstream_ = parts_.upstream();
  std::vector<core::Fault> faults;
  for (const auto& [source, of_source] : faults_) faults.insert(faults.end(), of_source.begin(), of_source.end());
  for (const auto& [collector, error] : errors_) {
    faults.push_back({.error = {.kind = core::ErrorKind::unavailable, .message = error, .where = collector},
                      .scope = core::Labels{{"collector", collector}}});
  }
  if (parts_.own_errors) std::ranges::move(parts_.own_errors(), std::back_inserter(faults));
  // What fires of it may fire when one step could be written between others that could not.
  if (last_storage_error_ && (storage_error_ || now - last_storage_error_->second < kStorageErrorKept)) {
    faults.push_back({.error = {.kind = core::ErrorKind::storage,
                                .message = last_storage_error_->first.describe(),
                                .where = std::string(incidents::kStorageFault)},
                      .scope = {}});
  }
  std::set<std::string> known;
  for (const core::Incident& incident : open_) known.insert(incident.id);
  std::set<std::string> over;
  for (const core::Incident& incident : ended_) over.insert(incident.id);
  incidents::IncidentPlan planned = incidents::plan(open_, transitions, events_, parts_.series, now, faults,
                                                    upstream_.get(), {std::move(ended_), reopen_within()}, began_);
  open_ = std::move(planned.open);
  ended_ = std::move(planned.ended);
  for (incidents::IncidentChange& change : planned.changes) {
    const core::Incident& incident = change.incident;
    note_change(incident, known.contains(incident.id), over.contains(incident.id), step);
    std::erase_if(resolved_, [&](const core::Incident& shown) { return shown.id == incident.id; });
    if (!incident.open()) resolved_.push_front(incident);
    changes.incidents.push_back(std::move(change.incident));
  }
  while (resolved_.size() > kResolvedShown) resolved_.pop_back();
  follow_merged(changes.incidents);
  forget_ended(now);
  step.incidents = changes.incidents.size();
  note_inhibitions();
}

/// What causes say of an incident that goes on is kept up to date, but not with each cycle.
bool Judge::causes_due(core::Time now) {
  // What the causes rest on is not seen yet after a start.
  return !open_.empty() && !started_ && (now - planned_at_ >= kCausesKept || now < planned_at_);
}

/// Of alerts downstream of what fires nobody is told.
void Judge::note_inhibitions() {
  dispatch_.inhibited.clear();
  for (const core::Incident& incident : open_) {
    for (incidents::Inhibition& each : incidents::inhibitions(incident, upstream_.get()))
      dispatch_.inhibited[notify::alert_id(*each.alert)] = std::move(each.by);
  }
}

void Judge::note_alerts(storage::Commit& changes) {
  std::map<AlertKey, core::Alert> active;
  for (core::Alert& alert : parts_.rules.active()) {
    const AlertKey key{alert.fingerprint, alert.group, alert.rule};
    const auto known = written_.find(key);
    if (known == written_.end() || !same_state(known->second, alert)) changes.alerts.push_back(alert);
    active.emplace(key, std::move(alert));
  }
  for (const auto& [key, alert] : written_) {
    if (!active.contains(key)) changes.removed.push_back(alert);
  }
  written_ = std::move(active);
}

JudgeStep Judge::give_back(std::vector<core::OutboxMessage> messages) {
  JudgeStep step;
  step.messages = messages.size();
  write({.outbox = std::move(messages)}, step);
  return step;
}

void Judge::remember(const std::vector<core::Event>& events, core::Time now) {
  events_.insert(events_.end(), events.begin(), events.end());
  std::erase_if(events_, [&](const core::Event& event) { return event.time < now - kEventsKept; });
  if (events_.size() > kMostEvents) events_.erase(events_.begin(), events_.end() - kMostEvents);
}

void Judge::publish() {
  auto view = std::make_shared<JudgeView>();
  view->alerts = parts_.rules.active();
  view->rule_groups = rule_views_.groups();
  view->notifications = notifications_;
  view->incidents = open_;
  std::ranges::stable_sort(view->incidents, std::greater(), &core::Incident::opened_at);
  view->incidents.insert(view->incidents.end(), resolved_.begin(), resolved_.end());
  const std::lock_guard lock(view_mutex_);
  view_ = std::move(view);
}

std::shared_ptr<const JudgeView> Judge::view() const {
  const std::lock_guard lock(view_mutex_);
  return view_;
}

}  // namespace weir::app
