#include "storage/schema.h"

#include <array>
#include <string>

namespace weir::storage {
namespace {

// Times are milliseconds since 1970. A step, once released, never changes; a new one is added below it.
constexpr std::array<std::string_view, 7> kSteps{
    R"sql(
CREATE TABLE alerts (
  fingerprint BIGINT NOT NULL, rule_group TEXT NOT NULL, rule TEXT NOT NULL, alert TEXT NOT NULL,
  PRIMARY KEY (fingerprint, rule_group, rule));
CREATE TABLE transitions (
  id {id}, at BIGINT NOT NULL, fingerprint BIGINT NOT NULL, rule_group TEXT NOT NULL, rule TEXT NOT NULL,
  from_state TEXT NOT NULL, to_state TEXT NOT NULL, reason TEXT NOT NULL, alert TEXT NOT NULL);
CREATE INDEX transitions_at ON transitions (at);
CREATE TABLE incidents (
  id TEXT NOT NULL PRIMARY KEY, incident_key TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT NULL,
  cause TEXT NOT NULL, labels TEXT NOT NULL, opened_at BIGINT NOT NULL, resolved_at BIGINT);
CREATE INDEX incidents_opened_at ON incidents (opened_at);
CREATE INDEX incidents_open ON incidents (id) WHERE resolved_at IS NULL;
CREATE INDEX incidents_resolved_at ON incidents (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE TABLE incident_alerts (
  incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, position BIGINT NOT NULL, alert TEXT NOT NULL,
  PRIMARY KEY (incident_id, position));
CREATE TABLE incident_timeline (
  incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE, position BIGINT NOT NULL, at BIGINT NOT NULL,
  kind TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (incident_id, position));
CREATE TABLE outbox (
  sequence {id}, idempotency_key TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL, integration TEXT NOT NULL,
  order_key TEXT NOT NULL, notification TEXT NOT NULL, created_at BIGINT NOT NULL, next_attempt_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL, last_error TEXT NOT NULL, delivered_at BIGINT, dead_at BIGINT);
CREATE INDEX outbox_waiting ON outbox (receiver, integration, order_key, sequence)
  WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE TABLE measurements (
  check_id TEXT NOT NULL, at BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL, PRIMARY KEY (check_id, at));
CREATE INDEX measurements_at ON measurements (at);
)sql",
    R"sql(
CREATE TABLE texts (name TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL);
)sql",
    R"sql(
ALTER TABLE measurements ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;
ALTER TABLE measurements ADD COLUMN feedback BIGINT NOT NULL DEFAULT 0;
)sql",
    R"sql(
ALTER TABLE texts ADD COLUMN used BIGINT NOT NULL DEFAULT 0;
)sql",
    R"sql(
CREATE TABLE notification_groups (name TEXT NOT NULL PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE silences (id TEXT NOT NULL PRIMARY KEY, ends_at BIGINT NOT NULL, silence TEXT NOT NULL);
CREATE TABLE message_references (
  receiver TEXT NOT NULL, integration TEXT NOT NULL, order_key TEXT NOT NULL, reference TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (receiver, integration, order_key));
)sql",
    R"sql(
ALTER TABLE incidents ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
)sql",
    // `search_text` is what a search looks into, in lower case; of old incidents what their alerts are called is in the
    // title. `firing` counts alerts that fire, 0 once it was merged.
    R"sql(
ALTER TABLE incidents ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN firing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
UPDATE incidents SET search_text = lower(title || ' ' || cause || ' ' || labels);
)sql"};

void replace_all(std::string& sql, std::string_view what, std::string_view with) {
  for (auto at = sql.find(what); at != std::string::npos; at = sql.find(what, at + with.size())) {
    sql.replace(at, what.size(), with);
  }
}

std::string in_dialect(std::string_view step, const Dialect& dialect) {
  std::string sql(step);
  replace_all(sql, "{id}", dialect.id_column);
  replace_all(sql, " TEXT ", " " + std::string(dialect.text_column) + " ");
  return sql;
}

}  // namespace

std::span<const std::string_view> migrations() { return kSteps; }

core::Result<void> migrate(Database& database, std::span<const std::string_view> steps) {
  const auto found = database.version();
  if (!found) return std::unexpected(found.error());
  if (*found < 0 || *found > static_cast<std::int64_t>(steps.size())) {
    return core::fail(core::ErrorKind::storage,
                      "was written by a newer Weir (schema " + std::to_string(*found) + ", this one knows " +
                          std::to_string(steps.size()) + "); run that version or name another storage.path",
                      database.where());
  }
  for (auto version = static_cast<std::size_t>(*found); version < steps.size(); ++version) {
    auto done = in_transaction(database, [&]() -> core::Result<void> {
      if (auto made = database.script(in_dialect(steps[version], database.dialect())); !made) return made;
      return database.set_version(static_cast<std::int64_t>(version + 1));
    });
    if (!done) {
      core::Error error = done.error();
      error.message = "migration to schema " + std::to_string(version + 1) + " failed: " + error.message;
      return std::unexpected(error);
    }
  }
  return {};
}

}  // namespace weir::storage
