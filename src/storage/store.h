#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/alert.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/measurement.h"
#include "core/time.h"

namespace weir::storage {

struct StorageSettings {
  std::string path = "weir.db";
  core::Duration history = std::chrono::days(400);  // of resolved incidents, transitions and measurements
};

/// The section `storage:`.
StorageSettings parse_storage_section(const config::Node& node, config::Diagnostics& diagnostics);

/// One step of the judge, written whole or not at all.
struct Commit {
  std::vector<core::Alert> alerts;            // inserted or replaced, by fingerprint and rule
  std::vector<core::Alert> removed;           // no longer active
  std::vector<core::Transition> transitions;  // appended to the history
  std::vector<core::Incident> incidents;      // inserted or replaced, by id
  std::vector<core::OutboxMessage> outbox;    // appended; one with a known idempotency key is ignored

  bool empty() const {
    return alerts.empty() && removed.empty() && transitions.empty() && incidents.empty() && outbox.empty();
  }
};

struct IncidentQuery {
  bool open_only = false;
  std::size_t limit = 100;
  std::string id;  // just this one
};

/// What Weir must not forget. Safe to call from several threads.
class Store : public core::MeasurementHistory {
 public:
  virtual core::Result<void> commit(const Commit& changes) = 0;
  virtual core::Result<std::vector<core::Alert>> active_alerts() = 0;
  /// Newest first.
  virtual core::Result<std::vector<core::Incident>> incidents(const IncidentQuery& query) = 0;

  /// Messages to deliver now: of each receiver and incident only the oldest undelivered one, so that order is kept.
  virtual core::Result<std::vector<core::OutboxMessage>> due(core::Time now, std::size_t limit) = 0;
  virtual core::Result<void> delivered(std::int64_t sequence, core::Time now) = 0;
  virtual core::Result<void> retry_later(std::int64_t sequence, core::Time next_attempt_at,
                                         const std::string& error) = 0;
  virtual core::Result<void> give_up(std::int64_t sequence, core::Time now, const std::string& error) = 0;
  virtual core::Result<std::size_t> pending_messages() = 0;

  /// Drops what is older than `history`; open incidents and waiting messages never.
  virtual core::Result<void> prune(core::Time now, core::Duration history) = 0;
};

/// Opens or creates the file (mode 0600) and brings it to the present schema. Errors (storage): not a
/// database, damaged, written by a newer Weir, read-only, locked.
core::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

/// Renames a file that cannot be used, with its -wal and -shm, to `<path>.corrupt-<time>`; returns the new name.
core::Result<std::string> set_aside(const std::string& path, core::Time now);

}  // namespace weir::storage
