#include "storage/schema.h"

#include <array>
#include <string>

namespace weir::storage {
namespace {

// Times are milliseconds since 1970. A migration, once released, never changes; a new one is added below it.
constexpr std::array<const char*, 1> kMigrations{R"sql(
CREATE TABLE alerts (
  fingerprint INTEGER NOT NULL, rule_group TEXT NOT NULL, rule TEXT NOT NULL, alert TEXT NOT NULL,
  PRIMARY KEY (fingerprint, rule_group, rule)) WITHOUT ROWID;
CREATE TABLE transitions (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, fingerprint INTEGER NOT NULL, rule TEXT NOT NULL,
  from_state TEXT NOT NULL, to_state TEXT NOT NULL, reason TEXT NOT NULL, labels TEXT NOT NULL, value REAL);
CREATE INDEX transitions_at ON transitions (at);
CREATE TABLE incidents (
  id TEXT PRIMARY KEY, incident_key TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT NULL, cause TEXT NOT NULL,
  labels TEXT NOT NULL, opened_at INTEGER NOT NULL, resolved_at INTEGER) WITHOUT ROWID;
CREATE INDEX incidents_opened_at ON incidents (opened_at);
CREATE INDEX incidents_open ON incidents (id) WHERE resolved_at IS NULL;
CREATE TABLE incident_alerts (
  incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, position INTEGER NOT NULL, alert TEXT NOT NULL,
  PRIMARY KEY (incident_id, position)) WITHOUT ROWID;
CREATE TABLE incident_timeline (
  incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, position INTEGER NOT NULL, at INTEGER NOT NULL,
  kind TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (incident_id, position)) WITHOUT ROWID;
CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, idempotency_key TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL,
  incident_id TEXT NOT NULL, notification TEXT NOT NULL, created_at INTEGER NOT NULL, next_attempt_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL DEFAULT '', delivered_at INTEGER, dead_at INTEGER);
CREATE INDEX outbox_waiting ON outbox (receiver, incident_id, sequence) WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE TABLE measurements (
  id INTEGER PRIMARY KEY, check_id TEXT NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL);
CREATE INDEX measurements_check ON measurements (check_id, at);
)sql"};

}  // namespace

int schema_version() { return static_cast<int>(kMigrations.size()); }

core::Result<void> migrate(Database& database) {
  const auto found = database.integer("PRAGMA user_version");
  if (!found) return std::unexpected(found.error());
  if (*found > schema_version()) {
    return core::fail(core::ErrorKind::storage,
                      "was written by a newer Weir (schema " + std::to_string(*found) + ", this one knows " +
                          std::to_string(schema_version()) + "); run that version or name another storage.path",
                      database.path());
  }
  for (auto version = static_cast<std::size_t>(*found); version < kMigrations.size(); ++version) {
    auto done = database.transaction([&]() -> core::Result<void> {
      if (auto made = database.execute(kMigrations[version]); !made) return made;
      return database.execute("PRAGMA user_version = " + std::to_string(version + 1));
    });
    if (!done) return done;
  }
  return {};
}

}  // namespace weir::storage
