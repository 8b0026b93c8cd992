#pragma once

#include "core/error.h"
#include "storage/sqlite_database.h"

namespace weir::storage {

/// Brings the database to the present version, each step in its own transaction. Errors: a version from
/// the future, which an older Weir must not touch.
core::Result<void> migrate(Database& database);

/// The version that migrate() leads to, kept in `PRAGMA user_version`.
int schema_version();

}  // namespace weir::storage
