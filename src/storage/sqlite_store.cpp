#include <cmath>
#include <filesystem>
#include <mutex>

#include "storage/json_values.h"
#include "storage/schema.h"
#include "storage/sqlite_database.h"
#include "storage/store.h"

namespace weir::storage {
namespace {

std::int64_t milliseconds(core::Time time) { return time.time_since_epoch().count(); }
core::Time to_time(std::int64_t value) { return core::Time(core::Duration(value)); }

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(Database database) : database_(std::move(database)) {}

  core::Result<void> commit(const Commit& changes) override {
    const std::lock_guard lock(mutex_);
    return database_.transaction([&]() -> core::Result<void> {
      for (const core::Alert& alert : changes.alerts) {
        if (auto done = put_alert(alert); !done) return done;
      }
      for (const core::Alert& alert : changes.removed) {
        if (auto done = remove_alert(alert); !done) return done;
      }
      for (const core::Transition& transition : changes.transitions) {
        if (auto done = add_transition(transition); !done) return done;
      }
      for (const core::Incident& incident : changes.incidents) {
        if (auto done = put_incident(incident); !done) return done;
      }
      for (const core::OutboxMessage& message : changes.outbox) {
        if (auto done = add_message(message); !done) return done;
      }
      return {};
    });
  }

  core::Result<std::vector<core::Alert>> active_alerts() override {
    const std::lock_guard lock(mutex_);
    auto select = database_.prepare("SELECT alert FROM alerts ORDER BY rule_group, rule, fingerprint");
    return read_alerts(select);
  }

  core::Result<std::vector<core::Incident>> incidents(const IncidentQuery& query) override {
    const std::lock_guard lock(mutex_);
    auto select = database_.prepare(
        "SELECT id, incident_key, title, severity, cause, labels, opened_at, resolved_at FROM incidents "
        "WHERE (?1 = '' OR id = ?1) AND (?2 = 0 OR resolved_at IS NULL) ORDER BY opened_at DESC, id LIMIT ?3");
    if (!select) return std::unexpected(select.error());
    select->bind(query.id).bind(std::int64_t{query.open_only}).bind(static_cast<std::int64_t>(query.limit));
    std::vector<core::Incident> incidents;
    while (true) {
      const auto row = select->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) return incidents;
      auto incident = read_incident(*select);
      if (!incident) return std::unexpected(incident.error());
      incidents.push_back(std::move(*incident));
    }
  }

  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    auto select = database_.prepare(
        "SELECT sequence, idempotency_key, notification, created_at, next_attempt_at, attempts, last_error FROM outbox "
        "WHERE sequence IN (SELECT min(sequence) FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL "
        "GROUP BY receiver, incident_id) AND next_attempt_at <= ? ORDER BY sequence LIMIT ?");
    if (!select) return std::unexpected(select.error());
    select->bind(milliseconds(now)).bind(static_cast<std::int64_t>(limit));
    std::vector<core::OutboxMessage> messages;
    while (true) {
      const auto row = select->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) return messages;
      auto notification = read_notification(select->text(2));
      if (!notification) return std::unexpected(notification.error());
      messages.push_back({.sequence = select->integer(0),
                          .idempotency_key = select->text(1),
                          .notification = std::move(*notification),
                          .created_at = to_time(select->integer(3)),
                          .next_attempt_at = to_time(select->integer(4)),
                          .attempts = static_cast<int>(select->integer(5)),
                          .last_error = select->text(6)});
    }
  }

  core::Result<void> delivered(std::int64_t sequence, core::Time now) override {
    const std::lock_guard lock(mutex_);
    auto update = database_.prepare("UPDATE outbox SET delivered_at = ?, attempts = attempts + 1 WHERE sequence = ?");
    if (!update) return std::unexpected(update.error());
    return update->bind(milliseconds(now)).bind(sequence).run();
  }

  core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at, const std::string& error) override {
    const std::lock_guard lock(mutex_);
    auto update = database_.prepare(
        "UPDATE outbox SET next_attempt_at = ?, last_error = ?, attempts = attempts + 1 WHERE sequence = ?");
    if (!update) return std::unexpected(update.error());
    return update->bind(milliseconds(next_attempt_at)).bind(error).bind(sequence).run();
  }

  core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) override {
    const std::lock_guard lock(mutex_);
    auto update =
        database_.prepare("UPDATE outbox SET dead_at = ?, last_error = ?, attempts = attempts + 1 WHERE sequence = ?");
    if (!update) return std::unexpected(update.error());
    return update->bind(milliseconds(now)).bind(error).bind(sequence).run();
  }

  core::Result<std::size_t> pending_messages() override {
    const std::lock_guard lock(mutex_);
    const auto count = database_.integer("SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL");
    if (!count) return std::unexpected(count.error());
    return static_cast<std::size_t>(*count);
  }

  core::Result<void> append(const std::vector<core::Measurement>& measurements) override {
    const std::lock_guard lock(mutex_);
    return database_.transaction([&]() -> core::Result<void> {
      for (const core::Measurement& measurement : measurements) {
        auto insert = database_.prepare("INSERT INTO measurements (check_id, at, value) VALUES (?, ?, ?)");
        if (!insert) return std::unexpected(insert.error());
        insert->bind(measurement.check).bind(milliseconds(measurement.time)).bind(measurement.value);
        if (auto done = insert->run(); !done) return done;
      }
      return {};
    });
  }

  core::Result<std::vector<core::Measurement>> newest(const std::string& check, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    auto select =
        database_.prepare("SELECT at, value FROM measurements WHERE check_id = ? ORDER BY at DESC, id DESC LIMIT ?");
    if (!select) return std::unexpected(select.error());
    select->bind(check).bind(static_cast<std::int64_t>(limit));
    std::vector<core::Measurement> found;
    while (true) {
      const auto row = select->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      found.push_back({.check = check, .time = to_time(select->integer(0)), .value = select->real(1)});
    }
    return std::vector<core::Measurement>(found.rbegin(), found.rend());
  }

  core::Result<void> prune(core::Time now, core::Duration history) override {
    const std::lock_guard lock(mutex_);
    return database_.transaction([&]() -> core::Result<void> {
      for (const char* sql :
           {"DELETE FROM transitions WHERE at < ?", "DELETE FROM incidents WHERE resolved_at < ?",
            "DELETE FROM outbox WHERE coalesce(delivered_at, dead_at) < ?", "DELETE FROM measurements WHERE at < ?"}) {
        auto statement = database_.prepare(sql);
        if (!statement) return std::unexpected(statement.error());
        if (auto done = statement->bind(milliseconds(now - history)).run(); !done) return done;
      }
      return {};
    });
  }

 private:
  core::Result<void> put_alert(const core::Alert& alert) {
    auto insert =
        database_.prepare("INSERT OR REPLACE INTO alerts (fingerprint, rule_group, rule, alert) VALUES (?, ?, ?, ?)");
    if (!insert) return std::unexpected(insert.error());
    return insert->bind(static_cast<std::int64_t>(alert.fingerprint))
        .bind(alert.group)
        .bind(alert.rule)
        .bind(write_alert(alert))
        .run();
  }

  core::Result<void> remove_alert(const core::Alert& alert) {
    auto erase = database_.prepare("DELETE FROM alerts WHERE fingerprint = ? AND rule_group = ? AND rule = ?");
    if (!erase) return std::unexpected(erase.error());
    return erase->bind(static_cast<std::int64_t>(alert.fingerprint)).bind(alert.group).bind(alert.rule).run();
  }

  core::Result<void> add_transition(const core::Transition& transition) {
    auto insert = database_.prepare(
        "INSERT INTO transitions (at, fingerprint, rule, from_state, to_state, reason, labels, value) VALUES (?, ?, ?, "
        "?, ?, ?, ?, ?)");
    if (!insert) return std::unexpected(insert.error());
    const core::Alert& alert = transition.alert;
    insert->bind(milliseconds(transition.at)).bind(static_cast<std::int64_t>(alert.fingerprint)).bind(alert.rule);
    insert->bind(core::to_string(transition.from)).bind(core::to_string(transition.to)).bind(transition.reason);
    insert->bind(write_labels(alert.labels));
    std::isnan(alert.value) ? insert->bind_null() : insert->bind(alert.value);
    return insert->run();
  }

  core::Result<void> put_incident(const core::Incident& incident) {
    auto insert = database_.prepare(
        "INSERT INTO incidents (id, incident_key, title, severity, cause, labels, opened_at, resolved_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title, "
        "severity = excluded.severity, cause = excluded.cause, labels = excluded.labels, resolved_at = "
        "excluded.resolved_at");
    if (!insert) return std::unexpected(insert.error());
    insert->bind(incident.id).bind(incident.key).bind(incident.title).bind(incident.severity).bind(incident.cause);
    insert->bind(write_labels(incident.labels)).bind(milliseconds(incident.opened_at));
    incident.resolved_at ? insert->bind(milliseconds(*incident.resolved_at)) : insert->bind_null();
    if (auto done = insert->run(); !done) return done;
    std::int64_t position = 0;
    for (const core::Alert& alert : incident.alerts) {
      auto put =
          database_.prepare("INSERT OR REPLACE INTO incident_alerts (incident_id, position, alert) VALUES (?, ?, ?)");
      if (!put) return std::unexpected(put.error());
      if (auto done = put->bind(incident.id).bind(position++).bind(write_alert(alert)).run(); !done) return done;
    }
    position = 0;
    for (const core::TimelineEntry& entry : incident.timeline) {
      auto put = database_.prepare(
          "INSERT OR REPLACE INTO incident_timeline (incident_id, position, at, kind, entry) VALUES (?, ?, ?, ?, ?)");
      if (!put) return std::unexpected(put.error());
      put->bind(incident.id).bind(position++).bind(milliseconds(entry.at)).bind(entry.kind).bind(entry.text);
      if (auto done = put->run(); !done) return done;
    }
    return {};
  }

  core::Result<void> add_message(const core::OutboxMessage& message) {
    auto insert = database_.prepare(
        "INSERT OR IGNORE INTO outbox (idempotency_key, receiver, incident_id, notification, created_at, "
        "next_attempt_at) "
        "VALUES (?, ?, ?, ?, ?, ?)");
    if (!insert) return std::unexpected(insert.error());
    const core::Notification& notification = message.notification;
    insert->bind(message.idempotency_key).bind(notification.receiver).bind(notification.incident_id);
    insert->bind(write_notification(notification))
        .bind(milliseconds(message.created_at))
        .bind(milliseconds(message.next_attempt_at));
    return insert->run();
  }

  static core::Result<std::vector<core::Alert>> read_alerts(core::Result<Statement>& select) {
    if (!select) return std::unexpected(select.error());
    std::vector<core::Alert> alerts;
    while (true) {
      const auto row = select->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) return alerts;
      auto alert = read_alert(select->text(0));
      if (!alert) return std::unexpected(alert.error());
      alerts.push_back(std::move(*alert));
    }
  }

  core::Result<core::Incident> read_incident(const Statement& row) {
    auto labels = read_labels(row.text(5));
    if (!labels) return std::unexpected(labels.error());
    core::Incident incident{.id = row.text(0),
                            .key = row.text(1),
                            .title = row.text(2),
                            .severity = row.text(3),
                            .cause = row.text(4),
                            .labels = *labels,
                            .opened_at = to_time(row.integer(6)),
                            .resolved_at = std::nullopt,
                            .alerts = {},
                            .timeline = {}};
    if (!row.is_null(7)) incident.resolved_at = to_time(row.integer(7));
    auto alerts = database_.prepare("SELECT alert FROM incident_alerts WHERE incident_id = ? ORDER BY position");
    if (alerts) alerts->bind(incident.id);
    auto found = read_alerts(alerts);
    if (!found) return std::unexpected(found.error());
    incident.alerts = std::move(*found);
    auto timeline =
        database_.prepare("SELECT at, kind, entry FROM incident_timeline WHERE incident_id = ? ORDER BY position");
    if (!timeline) return std::unexpected(timeline.error());
    timeline->bind(incident.id);
    while (true) {
      const auto entry = timeline->step();
      if (!entry) return std::unexpected(entry.error());
      if (!*entry) return incident;
      incident.timeline.push_back({to_time(timeline->integer(0)), timeline->text(1), timeline->text(2)});
    }
  }

  std::mutex mutex_;
  Database database_;
};

}  // namespace

core::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return std::unexpected(database.error());
  auto check = database->prepare("PRAGMA quick_check(1)");
  if (!check) return std::unexpected(check.error());
  const auto row = check->step();
  if (!row) return std::unexpected(row.error());
  if (check->text(0) != "ok") {
    return core::fail(core::ErrorKind::storage, "the database is damaged (" + check->text(0) + ")", path);
  }
  { const Statement finished = std::move(*check); }
  if (auto done = migrate(*database); !done) return std::unexpected(done.error());
  return std::make_unique<SqliteStore>(std::move(*database));
}

core::Result<std::string> set_aside(const std::string& path, core::Time now) {
  const std::string target = path + ".corrupt-" + core::format_rfc3339(now);
  std::error_code failed;
  std::filesystem::rename(path, target, failed);
  if (failed) return core::fail(core::ErrorKind::storage, "cannot be renamed: " + failed.message(), path);
  for (const char* suffix : {"-wal", "-shm"}) {
    if (std::filesystem::exists(path + suffix)) std::filesystem::rename(path + suffix, target + suffix, failed);
  }
  return target;
}

}  // namespace weir::storage
