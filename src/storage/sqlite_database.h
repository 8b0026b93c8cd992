#pragma once

#include <memory>
#include <string>

#include "core/error.h"
#include "storage/database.h"
#include "storage/store.h"

namespace weir::storage {

/// Opens or creates a SQLite file: mode 0600, WAL, synchronous=FULL, foreign keys; statements are prepared once. The
/// schema is not looked at. The file is marked as Weir's and held by a FileLock. Errors (storage): not a database,
/// somebody else's (it is left as it is), in use by another Weir, damaged (quick_check), read-only, locked.
core::Result<std::unique_ptr<Database>> open_sqlite_database(const std::string& path, const SqliteOptions& options);

/// Opens a file of Weir's to read from it, while another process may have it open; writes nothing and takes no lock.
/// Errors (storage, not_found): no such file, not a database, somebody else's.
core::Result<std::unique_ptr<Database>> open_sqlite_reader(const std::string& path, core::Duration busy_timeout);

}  // namespace weir::storage
