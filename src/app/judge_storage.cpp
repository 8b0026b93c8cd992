// What the judge reads from storage and writes to it, and what it does while there is none.
#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <utility>

#include "app/judge.h"
#include "app/storage_rejoin.h"
#include "storage/trouble.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

bool about_storage(const core::Alert& alert) { return alert.rule.starts_with("WeirStorage"); }

bool about_storage_alone(const core::OutboxMessage& message) {
  const std::vector<core::Alert>& alerts = message.notification.alerts;
  return !alerts.empty() && std::ranges::all_of(alerts, about_storage);
}

/// Whether any of what the message says of storage is news for whom it is for.
bool note_told(const core::OutboxMessage& message, std::map<std::string, core::AlertState>& told) {
  const core::Notification& to = message.notification;
  bool news = false;
  for (const core::Alert& alert : to.alerts) {
    if (!about_storage(alert)) continue;
    const std::string key =
        fmt::format("{}\n{}\n{}\n{:016x}", to.receiver, to.integration, to.group_key, notify::alert_id(alert));
    const auto [known, fresh] = told.try_emplace(key, alert.state);
    news = news || fresh || known->second != alert.state;
    known->second = alert.state;
  }
  return news;
}

/// What says that storage fails. A message that is about other alerts too stays, so that it overtakes none of its
/// group; of that the part goes which is about storage, unless that is what `told` says already.
std::vector<core::OutboxMessage> take_urgent(std::vector<core::OutboxMessage>& outbox,
                                             std::map<std::string, core::AlertState>& told) {
  std::vector<core::OutboxMessage> urgent;
  for (core::OutboxMessage& message : outbox) {
    const std::vector<core::Alert>& alerts = message.notification.alerts;
    const auto about = std::ranges::count_if(alerts, about_storage);
    if (about == 0) continue;
    const bool alone = static_cast<std::size_t>(about) == alerts.size();
    if (!note_told(message, told) && !alone) continue;
    urgent.push_back(message);
    if (alone) continue;
    urgent.back().idempotency_key += "-urgent";
    urgent.back().notification.truncated_alerts = 0;
    std::erase_if(urgent.back().notification.alerts, std::not_fn(about_storage));
  }
  std::erase_if(outbox, about_storage_alone);
  return urgent;
}

}  // namespace

/// What the last run left.
struct Judge::Stored {
  std::vector<core::Alert> alerts;
  std::vector<core::Incident> open;
  std::vector<core::Incident> latest;
  std::vector<core::Incident> ended;
  std::vector<core::GroupRecord> groups;
  std::string last_commit;
};

core::Result<Judge::Stored> Judge::read_stored(core::Time now) {
  auto alerts = parts_.storage.active_alerts();
  if (!alerts) return std::unexpected(alerts.error());
  auto open = parts_.storage.incidents({.open_only = true, .limit = kMostIncidents, .id = {}});
  if (!open) return std::unexpected(open.error());
  auto latest = parts_.storage.incidents({.open_only = false, .limit = kResolvedShown, .id = {}});
  if (!latest) return std::unexpected(latest.error());
  auto groups = parts_.storage.notification_groups();
  if (!groups) return std::unexpected(groups.error());
  auto ended = parts_.storage.incidents({.limit = kMostIncidents, .lingering_since = now - reopen_within()});
  if (!ended) return std::unexpected(ended.error());
  auto last = parts_.storage.text(std::string(storage::kLastCommit));
  if (!last) return std::unexpected(last.error());
  std::erase_if(*latest, &core::Incident::open);
  return Stored{.alerts = std::move(*alerts),
                .open = std::move(*open),
                .latest = std::move(*latest),
                .ended = std::move(*ended),
                .groups = std::move(*groups),
                .last_commit = last->value_or("")};
}

core::Result<JudgeStep> Judge::restore(core::Time now) {
  pass(core::FailPoint::restore_before);
  auto stored = read_stored(now);
  if (!stored) return std::unexpected(stored.error());
  const Mode before = std::exchange(mode_, Mode::loaded);
  Rejoined joined = rejoin(stored->alerts, parts_.rules.active(), backlog_.take_transitions());
  backlog_.go_on_after(std::move(stored->last_commit));
  open_ = std::move(stored->open);
  ended_ = std::move(stored->ended);
  resolved_.assign(std::make_move_iterator(stored->latest.begin()), std::make_move_iterator(stored->latest.end()));
  written_.clear();
  for (const core::Alert& alert : stored->alerts) written_[{alert.fingerprint, alert.group, alert.rule}] = alert;
  if (before != Mode::memory) started_ = began_ = now;
  dispatch_ = {};
  rebuild_dispatch(stored->groups, as_told(stored->alerts), now);
  // Rules that are no longer configured end their alerts now, with their incidents and notifications.
  std::vector<core::Transition> ends = parts_.rules.restore(std::move(joined.alerts), now);
  rule_views_.show_all(parts_.rules);
  JudgeStep replayed;
  replay(std::move(joined.transitions), replayed);
  JudgeStep step = judge({}, std::move(ends), false, now);
  step.incidents += replayed.incidents;
  step.messages += replayed.messages;
  step.incident_notes.insert(step.incident_notes.begin(), replayed.incident_notes.begin(),
                             replayed.incident_notes.end());
  step.measures.insert(step.measures.begin(), replayed.measures.begin(), replayed.measures.end());
  urgent_told_.clear();
  urgent_states_.clear();
  // What can pass by itself, as a full disk, is no reason not to watch.
  if (before == Mode::loaded && step.storage && !step.storage->retryable) return std::unexpected(*step.storage);
  pass(core::FailPoint::restore_after);
  return step;
}

void Judge::await(core::Error why, core::Time now) {
  if (mode_ == Mode::loaded) started_ = began_ = now;
  mode_ = Mode::memory;
  awaited_ = std::move(why);
  storage_error_ = awaited_;
  last_storage_error_.emplace(*awaited_, now);
}

void Judge::stand_by() {
  mode_ = Mode::standby;
  backlog_.clear();
  parts_.rules.forget();
  rule_views_.show_all(parts_.rules);
  open_.clear();
  ended_.clear();
  resolved_.clear();
  written_.clear();
  urgent_told_.clear();
  urgent_states_.clear();
  dispatch_ = {};
  storage_error_.reset();
  last_storage_error_.reset();
  note_notifications(judged_at_);
  publish();
}

/// What happened before storage could be read enters incidents and is told as of when it happened, but for what was
/// told without storage.
void Judge::replay(std::vector<core::Transition> transitions, JudgeStep& step) {
  const auto keep = [&](storage::Commit changes) {
    std::erase_if(changes.outbox, [this](const core::OutboxMessage& message) {
      return about_storage_alone(message) && urgent_told_.contains(message.notification.group_key);
    });
    step.messages += changes.outbox.size();
    backlog_.add(std::move(changes));
  };
  std::size_t incidents = 0;
  for (auto from = transitions.begin(); from != transitions.end();) {
    const core::Time at = from->at;
    const auto to = std::find_if(from, transitions.end(), [&](const core::Transition& each) { return each.at != at; });
    JudgeStep one;
    storage::Commit before;
    dispatch({}, at - 1ms, one, before);
    keep(std::move(before));
    storage::Commit changes;
    changes.transitions.assign(from, to);
    const std::vector<core::Transition> told = annotated(changes.transitions);
    plan(told, at, step, changes);
    incidents += changes.incidents.size();
    dispatch(told, at, one, changes);
    keep(std::move(changes));
    from = to;
  }
  step.incidents = incidents;
}

void Judge::keep_in_memory(storage::Commit changes, JudgeStep& step) {
  step.urgent = take_urgent(changes.outbox, urgent_states_);
  for (const core::OutboxMessage& message : step.urgent) urgent_told_.insert(message.notification.group_key);
  // These incidents are only shown: what becomes of them is known when storage is.
  step.messages = 0;
  step.incident_notes.clear();
  step.measures.clear();
  backlog_.add({.transitions = std::move(changes.transitions)});
  step.storage = awaited_;
  step.unwritten = {backlog_.size(), backlog_.dropped()};
}

storage::Commit Judge::all_states() const {
  storage::Commit all{.incidents = open_, .groups = notify::records(dispatch_)};
  for (const auto& [key, alert] : written_) all.alerts.push_back(alert);
  all.incidents.insert(all.incidents.end(), ended_.begin(), ended_.end());
  std::ranges::copy_if(resolved_, std::back_inserter(all.incidents), [this](const core::Incident& incident) {
    return std::ranges::find(ended_, incident.id, &core::Incident::id) == ended_.end();
  });
  return all;
}

JudgeStep Judge::write_again() {
  JudgeStep step;
  backlog_.begin_anew(all_states());
  step.rewritten = true;
  write({}, step);
  return step;
}

core::Result<void> Judge::write_backlog(bool* rewritten) {
  while (!backlog_.empty()) {
    const auto done = parts_.storage.commit(backlog_.next());
    if (done) {
      backlog_.written();
    } else if (storage::trouble_of(done.error()) == storage::Trouble::lost) {
      backlog_.begin_anew(all_states());
      if (rewritten != nullptr) *rewritten = true;
    } else {
      return done;
    }
  }
  return {};
}

void Judge::write(storage::Commit changes, JudgeStep& step) {
  if (mode_ == Mode::standby) {
    step.standby = true;
    return;
  }
  if (mode_ == Mode::memory) return keep_in_memory(std::move(changes), step);
  if (storage_error_) step.urgent = take_urgent(changes.outbox, urgent_states_);
  backlog_.add(std::move(changes));
  if (auto done = write_backlog(&step.rewritten); !done) step.storage = done.error();
  storage_error_ = step.storage;
  if (!storage_error_) urgent_states_.clear();
  if (storage_error_) last_storage_error_.emplace(*storage_error_, judged_at_);
  step.unwritten = {backlog_.size(), backlog_.dropped()};
}

}  // namespace weir::app
