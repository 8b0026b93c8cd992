#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/alert.h"
#include "core/deed.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/keyed_texts.h"
#include "core/measurement.h"
#include "core/secret.h"
#include "core/silence.h"
#include "core/time.h"

namespace weir::core {
class FailPoints;
}

namespace weir::storage {

/// A PostgreSQL server. No call of the store takes longer than to connect and one transaction.
struct PostgresOptions {
  core::Secret url = {};         // postgresql://user@host:port/database?sslmode=…; may hold a password
  core::Secret password = {};    // besides the URL's, and before it
  std::string sslmode = {};      // before the URL's; libpq's own where neither says it
  std::string sslrootcert = {};  // a file, before the URL's
  std::string schema = "weir";   // where the tables are, so that others may share the database
  core::Duration connect_timeout = std::chrono::seconds(5);     // libpq counts whole seconds, at least 2
  core::Duration statement_timeout = std::chrono::seconds(10);  // of a statement, and of a whole transaction
  core::Duration lock_timeout = std::chrono::seconds(2);
  core::Duration lock_wait{0};  // how long to wait while another Weir holds the schema
};

struct StorageSettings {
  std::string path = "weir.db";                     // with PostgreSQL just that of the series
  core::Duration history = std::chrono::days(400);  // of resolved incidents, transitions, messages and measurements
  bool backup = true;                               // of the file, before its schema is brought forward
  std::optional<PostgresOptions> postgres = {};     // instead of the file
};

/// The section `storage:`.
StorageSettings parse_storage_section(const config::Node& node, config::Diagnostics& diagnostics);

/// One step of the judge, written whole or not at all.
struct Commit {
  // Where it is given, a commit that was already the last one under an id is not written again: so one whose outcome
  // was not heard can be tried once more.
  std::string id = {};
  // The id of the commit that was the last one. Where storage has another, it is not what it was (an older copy,
  // another server), and nothing is written: see Trouble::lost.
  std::string follows = {};
  bool anew = false;                               // alerts and groups are all there are: what storage has of them goes
  std::vector<core::Alert> alerts = {};            // inserted or replaced, by fingerprint, group and rule
  std::vector<core::Alert> removed = {};           // no longer active; only fingerprint, group and rule are looked at
  std::vector<core::Transition> transitions = {};  // appended to the history
  std::vector<core::Incident> incidents = {};      // inserted or replaced whole, by id
  std::vector<core::OutboxMessage> outbox = {};    // appended; one with a known idempotency key is ignored
  std::vector<core::GroupRecord> groups = {};      // inserted or replaced, by key; those that are gone are removed

  bool empty() const {
    return !anew && alerts.empty() && removed.empty() && transitions.empty() && incidents.empty() && outbox.empty() &&
           groups.empty();
  }
};

struct IncidentQuery {
  bool open_only = false;
  std::size_t limit = 100;
  std::string id = {};  // just this one
  /// Those that it wants, newest first; `open_only` and `id` count for nothing then.
  std::optional<core::IncidentSearch> search = {};
  /// Those that are over since then, or whose alerts fire nevertheless, or that were merged into such or open ones, the
  /// latest end first; nothing else counts then but `limit`.
  std::optional<core::Time> lingering_since = {};
};

struct TransitionQuery {
  core::Time from = {};  // not older than this
  std::size_t limit = 1000;
};

/// The messages of one integration.
struct Lane {
  std::string receiver = {};  // "" for all of all
  std::string integration = {};
};

/// How long a silence is kept that has ended.
inline constexpr core::Duration kSilencesKept = std::chrono::hours(120);

/// What Weir must not forget. Safe to call from several threads. Every method may fail with a storage error; those
/// that can pass by themselves (a full disk, a locked file, a server that is away) are retryable, and nothing of the
/// call has then happened, unless the connection broke just when all was written: see Commit::id.
class Store : public core::MeasurementHistory, public core::KeyedTexts {
 public:
  virtual core::Result<void> commit(const Commit& changes) = 0;
  virtual core::Result<std::vector<core::Alert>> active_alerts() = 0;
  /// Newest first.
  virtual core::Result<std::vector<core::Incident>> incidents(const IncidentQuery& query) = 0;
  /// Newest first.
  virtual core::Result<std::vector<core::Transition>> transitions(const TransitionQuery& query) = 0;

  /// What receivers were told of the groups of alerts.
  virtual core::Result<std::vector<core::GroupRecord>> notification_groups() = 0;

  /// Inserted or replaced, by id.
  virtual core::Result<void> put_silences(const std::vector<core::Silence>& silences) = 0;
  virtual core::Result<std::vector<core::Silence>> silences() = 0;

  /// Messages to deliver now, receivers in turns. Of each receiver's integration and group of alerts only the oldest
  /// waiting one, so that order is kept.
  virtual core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit, const Lane& lane) = 0;
  core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) { return due(now, limit, {}); }
  /// The outcome of one attempt; each counts it. `reference` is what the group's next message is to know of this one;
  /// without it that stays as it was. Errors (not_found): no message waits under that sequence.
  virtual core::Result<void> delivered(std::int64_t sequence, core::Time now,
                                       const std::optional<std::string>& reference) = 0;
  core::Result<void> delivered(std::int64_t sequence, core::Time now) { return delivered(sequence, now, std::nullopt); }
  virtual core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at,
                                         const std::string& error) = 0;
  virtual core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) = 0;
  virtual core::Result<std::size_t> pending_messages() = 0;
  /// What became of the messages that tell of this incident, alone or with others, and of what was merged into it;
  /// oldest first.
  virtual core::Result<std::vector<core::ToldMessage>> messages_of(const std::string& incident, std::size_t limit) = 0;

  /// What a person says of one measurement; it outweighs its mark. Errors (not_found): there is none of that time.
  virtual core::Result<void> give_feedback(const std::string& check, core::Time time, core::Feedback feedback) = 0;

  /// Drops what is older than `history`; active alerts, open incidents and waiting messages never. Texts are as old as
  /// their last reading or writing, as of the first pruning after it.
  virtual core::Result<void> prune(core::Time now, core::Duration history) = 0;
};

struct SqliteOptions {
  core::Duration busy_timeout{5000};        // how long to wait while another process writes
  core::Duration lock_wait{0};              // how long to wait while another Weir holds the database
  std::int64_t max_pages = 0;               // the file grows no further than that; 0 for SQLite's own bound
  bool backup = true;                       // keep a copy of the file as it was before its schema is brought forward
  core::FailPoints* fail_points = nullptr;  // passed by commits; outlives the store
};

/// Opens or creates the file (mode 0600; ":memory:" keeps everything in memory) and brings it to the present schema.
/// Held by one Weir at a time. Errors (storage): not a database, somebody else's, in use by another Weir, damaged,
/// written by a newer Weir, read-only, locked.
core::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, const SqliteOptions& options = {});

/// Opens the schema of a PostgreSQL database, creates it where it is not there, and brings it to the present version.
/// Held by one Weir at a time, with an advisory lock. When the connection breaks, the next call connects again, and
/// writes nothing before it holds the lock anew; where another Weir had it meanwhile, it never writes again. After a
/// failure to connect, calls fail at once for a while. Errors (storage): cannot connect, in use by another Weir,
/// written by a newer Weir, tables of something else.
core::Result<std::unique_ptr<Store>> open_postgres(const PostgresOptions& options,
                                                   core::FailPoints* fail_points = nullptr);

/// Either of them.
core::Result<std::unique_ptr<Store>> open_store(const StorageSettings& settings, core::Duration lock_wait = {},
                                                core::FailPoints* fail_points = nullptr);

struct MeasurementQuery {
  core::Time from = {};    // not older than this
  std::string check = {};  // just this one
};

/// Hands out the measurements of a Weir's database, by check and time, without writing to it or holding it: the Weir
/// that has it open goes on. Stops at the first error of `read`. Errors: no such file, not Weir's, another schema.
core::Result<void> read_measurements(const StorageSettings& settings, const MeasurementQuery& query,
                                     const std::function<core::Result<void>(const core::Measurement&)>& read);

/// The text under which the id of the last commit is kept that had one.
inline constexpr std::string_view kLastCommit = "weir/last_commit";

/// Renames a file that cannot be used, with its -wal and -shm, to `<path>.corrupt-<time>`; returns the new name.
core::Result<std::string> set_aside(const std::string& path, core::Time now);

}  // namespace weir::storage
