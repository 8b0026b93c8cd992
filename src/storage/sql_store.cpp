#include "storage/sql_store.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <set>
#include <utility>

#include "core/fail_points.h"
#include "storage/json_values.h"
#include "storage/search.h"
#include "storage/statements.h"
#include "storage/told_of.h"
#include "storage/trouble.h"

namespace weir::storage {
namespace {

using core::FailPoint;

std::int64_t ms(core::Time time) { return time.time_since_epoch().count(); }
core::Time to_time(std::int64_t value) { return core::Time(core::Duration(value)); }
std::int64_t key_of(const core::Alert& alert) { return static_cast<std::int64_t>(alert.fingerprint); }
std::int64_t bound(std::size_t limit) { return static_cast<std::int64_t>(std::min<std::size_t>(limit, 1U << 30U)); }

core::AlertState to_state(const std::string& text) {
  return core::parse_alert_state(text).value_or(core::AlertState::inactive);
}

/// Messages that may be about an incident, of which those are chosen that are.
constexpr std::size_t kMostScanned = 2000;

/// Messages with the same key are delivered one after the other.
std::string order_key(const core::Notification& notification) { return "group:" + notification.group_key; }

std::int64_t firing_alerts(const core::Incident& incident) {
  if (!incident.handling.merged_into.empty()) return 0;
  return std::ranges::count(incident.alerts, core::AlertState::firing, &core::Alert::state);
}

/// What begins with the text, as LIKE has it.
std::string like_prefix(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}
std::string like_pattern(std::string_view word) { return "%" + like_prefix(searchable(word)); }

core::Result<void> only_status(const core::Result<std::int64_t>& changed) {
  if (!changed) return std::unexpected(changed.error());
  return {};
}

class SqlStore final : public Store {
 public:
  SqlStore(std::unique_ptr<Database> database, core::FailPoints* fail_points)
      : database_(std::move(database)), fail_points_(fail_points) {}

  core::Result<void> commit(const Commit& changes) override {
    const std::lock_guard lock(mutex_);
    if (auto reached = core::reach(fail_points_, FailPoint::commit_before); !reached) return reached;
    auto committed = in_transaction(*database_, [&]() -> core::Result<void> {
      if (!changes.id.empty()) {
        const auto last = find_text(kLastCommit);
        if (!last) return std::unexpected(last.error());
        if (*last == changes.id) return {};
        if (!changes.follows.empty() && *last != changes.follows) return lost();
        if (auto done = database_->put(sql::kPutText, {kLastCommit, std::string_view(changes.id)}); !done) return done;
      }
      if (auto done = changes.anew ? forget_states() : core::Result<void>(); !done) return done;
      if (auto done = table(changes.alerts, &SqlStore::put_alert, FailPoint::commit_alerts); !done) return done;
      if (auto done = table(changes.removed, &SqlStore::remove_alert, FailPoint::commit_removed); !done) return done;
      if (auto done = table(changes.transitions, &SqlStore::add_transition, FailPoint::commit_transitions); !done)
        return done;
      if (auto done = table(changes.incidents, &SqlStore::put_incident, FailPoint::commit_incidents); !done)
        return done;
      if (auto done = table(changes.groups, &SqlStore::put_group, FailPoint::commit_groups); !done) return done;
      return table(changes.outbox, &SqlStore::add_message, FailPoint::commit_outbox);
    });
    if (committed) (void)core::reach(fail_points_, FailPoint::commit_after);
    return committed;
  }

  core::Result<std::vector<core::Alert>> active_alerts() override {
    const std::lock_guard lock(mutex_);
    return alerts_of(sql::kAlerts, {});
  }

  core::Result<std::vector<core::Incident>> incidents(const IncidentQuery& query) override {
    const std::lock_guard lock(mutex_);
    if (query.lingering_since)
      return incidents_of(sql::kLingeringIncidents, {ms(*query.lingering_since), bound(query.limit)});
    if (query.search) return search(*query.search, query.limit);
    return incidents_of(sql::kIncidents,
                        {std::string_view(query.id), std::int64_t{query.open_only}, bound(query.limit)});
  }

  core::Result<std::vector<core::Transition>> transitions(const TransitionQuery& query) override {
    const std::lock_guard lock(mutex_);
    std::vector<core::Transition> found;
    auto done = database_->each(sql::kTransitions, {ms(query.from), bound(query.limit)},
                                [&](const Row& row) -> core::Result<void> {
                                  auto alert = read_alert(row.text(4));
                                  if (!alert) return std::unexpected(alert.error());
                                  found.push_back({.alert = std::move(*alert),
                                                   .from = to_state(row.text(1)),
                                                   .to = to_state(row.text(2)),
                                                   .at = to_time(row.integer(0)),
                                                   .reason = row.text(3)});
                                  return {};
                                });
    if (!done) return std::unexpected(done.error());
    return found;
  }

  core::Result<std::vector<core::GroupRecord>> notification_groups() override {
    const std::lock_guard lock(mutex_);
    std::vector<core::GroupRecord> found;
    auto done = database_->each(sql::kGroups, {}, [&](const Row& row) -> core::Result<void> {
      auto record = read_group(row.text(1));
      if (!record) return std::unexpected(record.error());
      record->key = row.text(0);
      found.push_back(std::move(*record));
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return found;
  }

  core::Result<void> put_silences(const std::vector<core::Silence>& silences) override {
    const std::lock_guard lock(mutex_);
    return in_transaction(*database_, [&] { return all(silences, &SqlStore::put_silence); });
  }

  core::Result<std::vector<core::Silence>> silences() override {
    const std::lock_guard lock(mutex_);
    std::vector<core::Silence> found;
    auto done = database_->each(sql::kSilences, {}, [&](const Row& row) -> core::Result<void> {
      auto silence = read_silence(row.text(0));
      if (!silence) return std::unexpected(silence.error());
      found.push_back(std::move(*silence));
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return found;
  }

  using Store::delivered;
  using Store::due;

  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit, const Lane& lane) override {
    const std::lock_guard lock(mutex_);
    std::vector<core::OutboxMessage> messages;
    std::vector<std::pair<std::int64_t, std::string>> unreadable;
    const std::initializer_list<Value> asked{ms(now), std::string_view(lane.receiver),
                                             std::string_view(lane.integration), bound(limit)};
    auto done = database_->each(sql::kDue, asked, [&](const Row& row) -> core::Result<void> {
      auto notification = read_notification(row.text(2));
      if (!notification) {
        unreadable.emplace_back(row.integer(0), notification.error().message);
        return {};
      }
      messages.push_back({.sequence = row.integer(0),
                          .idempotency_key = row.text(1),
                          .notification = std::move(*notification),
                          .created_at = to_time(row.integer(3)),
                          .next_attempt_at = to_time(row.integer(4)),
                          .attempts = static_cast<int>(row.integer(5)),
                          .last_error = row.text(6),
                          .reference = row.text(7)});
      return {};
    });
    if (!done) return std::unexpected(done.error());
    // A row that cannot be read would hold up its incident for ever.
    for (const auto& [sequence, error] : unreadable) {
      if (auto given_up = outcome(sql::kGiveUp, {ms(now), std::string_view(error), sequence}, sequence); !given_up) {
        return std::unexpected(given_up.error());
      }
    }
    return messages;
  }

  core::Result<void> delivered(std::int64_t sequence, core::Time now,
                               const std::optional<std::string>& reference) override {
    const std::lock_guard lock(mutex_);
    if (!reference) return outcome(sql::kDelivered, {ms(now), sequence}, sequence);
    return in_transaction(*database_, [&]() -> core::Result<void> {
      if (auto done = outcome(sql::kDelivered, {ms(now), sequence}, sequence); !done) return done;
      return only_status(database_->run(sql::kPutReference, {std::string_view(*reference), ms(now), sequence}));
    });
  }
  core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at, const std::string& error) override {
    const std::lock_guard lock(mutex_);
    return outcome(sql::kRetryLater, {ms(next_attempt_at), std::string_view(error), sequence}, sequence);
  }
  core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) override {
    const std::lock_guard lock(mutex_);
    return outcome(sql::kGiveUp, {ms(now), std::string_view(error), sequence}, sequence);
  }

  core::Result<std::size_t> pending_messages() override {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    auto done = database_->each(sql::kPendingMessages, {}, [&](const Row& row) -> core::Result<void> {
      count = static_cast<std::size_t>(row.integer(0));
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return count;
  }

  core::Result<std::vector<core::ToldMessage>> messages_of(const std::string& incident, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    auto of = incidents_of(sql::kIncidents, {std::string_view(incident), std::int64_t{0}, std::int64_t{1}});
    if (!of) return std::unexpected(of.error());
    std::vector<core::ToldMessage> found;
    if (of->empty()) return found;
    const ToldOf told_of(of->front());
    const std::string keys = like_prefix(incident + "-");
    auto done = database_->each(
        sql::kMessagesOf,
        {std::string_view(keys), std::string_view(incident), ms(told_of.from()), ms(told_of.to()), bound(kMostScanned)},
        [&](const Row& row) -> core::Result<void> {
          if (found.size() >= limit) return {};
          const auto notification = read_notification(row.text(3));
          const bool several = row.text(8).starts_with("group-");
          if (several && (!notification || !told_of.tells(*notification))) return {};
          core::ToldMessage told{.created_at = to_time(row.integer(0)),
                                 .receiver = row.text(1),
                                 .integration = row.text(2),
                                 .status = notification ? notification->status : "unreadable",
                                 .attempts = static_cast<int>(row.integer(4)),
                                 .delivered_at = {},
                                 .given_up_at = {},
                                 .last_error = row.text(7),
                                 .with_others = several};
          if (!row.is_null(5)) told.delivered_at = to_time(row.integer(5));
          if (!row.is_null(6)) told.given_up_at = to_time(row.integer(6));
          found.push_back(std::move(told));
          return {};
        });
    if (!done) return std::unexpected(done.error());
    return found;
  }

  /// A NaN says that nothing was measured; it is not kept.
  core::Result<void> append(const std::vector<core::Measurement>& measurements) override {
    const std::lock_guard lock(mutex_);
    return in_transaction(*database_, [&] { return all(measurements, &SqlStore::add_measurement); });
  }

  core::Result<std::vector<core::Measurement>> newest(const std::string& check, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<core::Measurement> found;
    auto done = database_->each(sql::kNewestMeasurements, {std::string_view(check), bound(limit)},
                                [&](const Row& row) -> core::Result<void> {
                                  found.push_back(measurement_of(row));
                                  return {};
                                });
    if (!done) return std::unexpected(done.error());
    std::ranges::reverse(found);
    return found;
  }

  core::Result<void> put_text(const std::string& key, const std::string& text) override {
    const std::lock_guard lock(mutex_);
    used_.insert(key);
    return only_status(database_->run(sql::kPutText, {std::string_view(key), std::string_view(text)}));
  }

  core::Result<std::optional<std::string>> text(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    auto found = find_text(key);
    if (found && *found) used_.insert(key);
    return found;
  }

  core::Result<void> give_feedback(const std::string& check, core::Time time, core::Feedback feedback) override {
    const std::lock_guard lock(mutex_);
    const auto changed = database_->run(sql::kMeasurementFeedback,
                                        {static_cast<std::int64_t>(feedback), std::string_view(check), ms(time)});
    if (!changed) return std::unexpected(changed.error());
    if (*changed == 1) return {};
    return core::fail(core::ErrorKind::not_found,
                      "there is no measurement of \"" + check + "\" at " + core::format_rfc3339(time),
                      database_->where());
  }

  core::Result<void> prune(core::Time now, core::Duration history) override {
    const std::lock_guard lock(mutex_);
    used_.emplace(kLastCommit);  // however long ago it was
    auto pruned = in_transaction(*database_, [&]() -> core::Result<void> {
      for (const std::string& name : used_) {
        if (auto done = only_status(database_->run(sql::kTextUsed, {ms(now), std::string_view(name)})); !done) {
          return done;
        }
      }
      if (auto done = only_status(database_->run(sql::kTextsUsed, {ms(now)})); !done) return done;
      for (const std::string_view statement : sql::kPrune) {
        if (auto done = only_status(database_->run(statement, {ms(now - history)})); !done) return done;
      }
      return only_status(database_->run(sql::kPruneSilences, {ms(now - kSilencesKept)}));
    });
    if (pruned) used_.clear();
    return pruned;
  }

 private:
  template <class Item>
  core::Result<void> all(const std::vector<Item>& items, core::Result<void> (SqlStore::*put)(const Item&)) {
    for (const Item& item : items) {
      if (auto done = (this->*put)(item); !done) return done;
    }
    return {};
  }

  /// One table's part of a commit; its place is passed when there is something to write.
  template <class Item>
  core::Result<void> table(const std::vector<Item>& items, core::Result<void> (SqlStore::*put)(const Item&),
                           FailPoint written) {
    if (items.empty()) return {};
    if (auto done = all(items, put); !done) return done;
    return core::reach(fail_points_, written);
  }

  core::Result<void> lost() const {
    return core::fail(core::ErrorKind::storage,
                      std::string(kLostMark) +
                          ": it is an older copy, or another server; all that is known is written "
                          "again",
                      database_->where());
  }

  core::Result<void> forget_states() {
    for (const std::string_view statement : sql::kForgetStates) {
      if (auto done = database_->put(statement, {}); !done) return done;
    }
    return {};
  }

  core::Result<std::optional<std::string>> find_text(std::string_view key) {
    std::optional<std::string> found;
    auto done = database_->each(sql::kText, {key}, [&](const Row& row) -> core::Result<void> {
      found = row.text(0);
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return found;
  }

  core::Result<void> put_alert(const core::Alert& alert) {
    return database_->put(sql::kPutAlert, {key_of(alert), std::string_view(alert.group), std::string_view(alert.rule),
                                           write_alert(alert)});
  }

  core::Result<void> remove_alert(const core::Alert& alert) {
    return database_->put(sql::kRemoveAlert,
                          {key_of(alert), std::string_view(alert.group), std::string_view(alert.rule)});
  }

  core::Result<void> add_transition(const core::Transition& transition) {
    const core::Alert& alert = transition.alert;
    return database_->put(sql::kAddTransition,
                          {ms(transition.at), key_of(alert), std::string_view(alert.group),
                           std::string_view(alert.rule), core::to_string(transition.from),
                           core::to_string(transition.to), std::string_view(transition.reason), write_alert(alert)});
  }

  core::Result<void> put_incident(const core::Incident& incident) {
    const std::string_view id = incident.id;
    const std::string search_text = write_search_text(incident);
    const Value resolved_at = incident.resolved_at ? Value(ms(*incident.resolved_at)) : Value(nullptr);
    auto done = database_->put(
        sql::kPutIncident,
        {id, std::string_view(incident.key), std::string_view(incident.title), std::string_view(incident.severity),
         std::string_view(incident.cause), write_labels(incident.labels), ms(incident.opened_at), resolved_at,
         write_incident_details(incident), std::string_view(incident.handling.owner),
         std::string_view(incident.handling.merged_into), firing_alerts(incident), std::string_view(search_text)});
    if (!done) return done;
    std::int64_t position = 0;
    for (const core::Alert& alert : incident.alerts) {
      done = database_->put(sql::kPutIncidentAlert, {id, position++, write_alert(alert)});
      if (!done) return done;
    }
    if (done = database_->put(sql::kCutIncidentAlerts, {id, position}); !done) return done;
    position = 0;
    for (const core::TimelineEntry& entry : incident.timeline) {
      done = database_->put(sql::kPutTimelineEntry,
                            {id, position++, ms(entry.at), std::string_view(entry.kind), std::string_view(entry.text)});
      if (!done) return done;
    }
    return database_->put(sql::kCutTimeline, {id, position});
  }

  core::Result<void> add_message(const core::OutboxMessage& message) {
    const core::Notification& notification = message.notification;
    return database_->put(sql::kAddMessage,
                          {std::string_view(message.idempotency_key), std::string_view(notification.receiver),
                           std::string_view(notification.integration), order_key(notification),
                           write_notification(notification), ms(message.created_at), ms(message.next_attempt_at)});
  }

  core::Result<void> put_group(const core::GroupRecord& record) {
    const std::string_view key = record.key;
    if (record.gone) return database_->put(sql::kRemoveGroup, {key});
    return database_->put(sql::kPutGroup, {key, write_group(record)});
  }

  core::Result<void> put_silence(const core::Silence& silence) {
    return database_->put(sql::kPutSilence,
                          {std::string_view(silence.id), ms(silence.ends_at), write_silence(silence)});
  }

  core::Result<void> add_measurement(const core::Measurement& measurement) {
    if (std::isnan(measurement.value)) return {};
    return database_->put(sql::kAddMeasurement, {std::string_view(measurement.check), ms(measurement.time),
                                                 measurement.value, static_cast<std::int64_t>(measurement.mark),
                                                 static_cast<std::int64_t>(measurement.feedback)});
  }

  core::Result<void> outcome(std::string_view sql, std::initializer_list<Value> values, std::int64_t sequence) {
    const auto changed = database_->run(sql, values);
    if (!changed) return std::unexpected(changed.error());
    if (*changed == 1) return {};
    return core::fail(core::ErrorKind::not_found, "no message waits under sequence " + std::to_string(sequence),
                      database_->where());
  }

  core::Result<std::vector<core::Alert>> alerts_of(std::string_view sql, std::initializer_list<Value> values) {
    std::vector<core::Alert> alerts;
    auto done = database_->each(sql, values, [&](const Row& row) -> core::Result<void> {
      auto alert = read_alert(row.text(0));
      if (!alert) return std::unexpected(alert.error());
      alerts.push_back(std::move(*alert));
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return alerts;
  }

  core::Result<std::vector<core::Incident>> incidents_of(std::string_view sql, std::initializer_list<Value> values) {
    std::vector<core::Incident> found;
    auto done = database_->each(sql, values, [&](const Row& row) -> core::Result<void> {
      auto incident = read_incident(row);
      if (!incident) return std::unexpected(incident.error());
      found.push_back(std::move(*incident));
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return found;
  }

  core::Result<std::vector<core::Incident>> search(const core::IncidentSearch& wanted, std::size_t limit) {
    if (wanted.words.size() > core::kMostSearchWords)
      return core::fail(core::ErrorKind::invalid,
                        "a search has at most " + std::to_string(core::kMostSearchWords) + " words");
    std::array<std::string, core::kMostSearchWords> patterns;
    for (std::size_t i = 0; i < patterns.size(); ++i)
      patterns.at(i) = i < wanted.words.size() ? like_pattern(wanted.words[i]) : "%";
    const std::string label =
        wanted.label_name.empty() ? std::string() : write_label_pair(wanted.label_name, wanted.label_value);
    std::vector<core::Incident> found;
    core::Time end = wanted.before.value_or(core::Time::max());
    std::string after = wanted.before_id;
    while (found.size() < limit) {
      auto page = search_page(wanted, label, patterns, end, after, limit);
      if (!page) return page;
      const bool last = page->size() < limit;
      if (!last) {
        end = page->back().opened_at;
        after = page->back().id;
      }
      // The statement also finds annotations and other texts of alerts that look like the label.
      std::ranges::copy_if(*page, std::back_inserter(found), [&](const core::Incident& incident) {
        return has_label(incident, wanted.label_name, wanted.label_value);
      });
      if (last) break;
    }
    if (found.size() > limit) found.resize(limit);
    return found;
  }

  core::Result<std::vector<core::Incident>> search_page(const core::IncidentSearch& wanted, const std::string& label,
                                                        const std::array<std::string, core::kMostSearchWords>& patterns,
                                                        core::Time end, const std::string& after, std::size_t limit) {
    return incidents_of(
        sql::kSearchIncidents,
        {static_cast<std::int64_t>(wanted.state), std::string_view(wanted.owner), std::string_view(wanted.severity),
         std::string_view(label), ms(wanted.from.value_or(core::Time())), ms(wanted.to.value_or(core::Time::max())),
         ms(end), std::string_view(after), std::string_view(patterns[0]), std::string_view(patterns[1]),
         std::string_view(patterns[2]), std::string_view(patterns[3]), std::string_view(patterns[4]),
         std::string_view(patterns[5]), bound(limit)});
  }

  core::Result<core::Incident> read_incident(const Row& row) {
    auto labels = read_labels(row.text(5));
    if (!labels) return std::unexpected(labels.error());
    core::Incident incident;
    incident.id = row.text(0);
    incident.key = row.text(1);
    incident.title = row.text(2);
    incident.severity = row.text(3);
    incident.cause = row.text(4);
    incident.labels = std::move(*labels);
    incident.opened_at = to_time(row.integer(6));
    if (!row.is_null(7)) incident.resolved_at = to_time(row.integer(7));
    if (auto read = read_incident_details(row.text(8), incident); !read) return std::unexpected(read.error());
    auto alerts = alerts_of(sql::kIncidentAlerts, {std::string_view(incident.id)});
    if (!alerts) return std::unexpected(alerts.error());
    incident.alerts = std::move(*alerts);
    auto done =
        database_->each(sql::kTimeline, {std::string_view(incident.id)}, [&](const Row& entry) -> core::Result<void> {
          incident.timeline.push_back({to_time(entry.integer(0)), entry.text(1), entry.text(2)});
          return {};
        });
    if (!done) return std::unexpected(done.error());
    return incident;
  }

  std::mutex mutex_;
  std::set<std::string> used_;  // names of texts since the last pruning
  std::unique_ptr<Database> database_;
  core::FailPoints* fail_points_;
};

}  // namespace

core::Measurement measurement_of(const Row& row) {
  core::Measurement found{.check = row.text(0), .time = to_time(row.integer(1)), .value = row.real(2)};
  if (row.integer(3) >= 0 && row.integer(3) <= 3) found.mark = static_cast<core::Mark>(row.integer(3));
  if (row.integer(4) >= 0 && row.integer(4) <= 2) found.feedback = static_cast<core::Feedback>(row.integer(4));
  return found;
}

std::unique_ptr<Store> make_sql_store(std::unique_ptr<Database> database, core::FailPoints* fail_points) {
  return std::make_unique<SqlStore>(std::move(database), fail_points);
}

}  // namespace weir::storage
