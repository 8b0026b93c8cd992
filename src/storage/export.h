#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "storage/store.h"

namespace weir::storage {

/// What `weir db check` says of a database.
struct Inspection {
  std::string where;
  std::int64_t version = 0;  // of its schema
  std::int64_t known = 0;    // the newest that this Weir knows
  std::int64_t bytes = 0;
  std::vector<std::pair<std::string, std::int64_t>> rows = {};  // by table
  std::vector<std::string> problems = {};                       // bounded; each names what and where
  std::size_t more_problems = 0;                                // that were left out
};

/// Told how many rows of how many are done.
using RowProgress = std::function<void(std::size_t done, std::size_t all)>;

/// Looks at a database without writing to it, beside a Weir that may have it open: the engine's own check (`full` with
/// the indexes), the schema's version, the rows by table, every column that holds JSON. Errors: it cannot be opened or
/// read at all.
core::Result<Inspection> inspect(const StorageSettings& settings, bool full, const RowProgress& progress = {});

/// Reads the pages of a SQLite file, beside the Weir that has it open. Errors: the first that is damaged (see
/// Trouble::damaged); it cannot be opened.
core::Result<void> quick_check(const StorageSettings& settings);

/// Hands out everything as JSON, a line each without its end, as of one moment, beside a Weir that may have the
/// database open: {"type": "weir_export", …}, then alerts, incidents (with alerts and timeline), transitions,
/// measurements, silences, notification groups, messages, and kept texts. Times are RFC 3339 in UTC. Both engines give
/// the same lines for the same contents. What cannot be read is handed out as it is, as "unreadable". Holds a row at a
/// time (of an incident all its alerts). Errors: those of open_reader, another schema; of `line`, which end it.
core::Result<void> export_json(const StorageSettings& settings,
                               const std::function<core::Result<void>(const std::string&)>& line,
                               const RowProgress& progress = {});

}  // namespace weir::storage
