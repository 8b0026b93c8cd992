#pragma once

#include <memory>

#include "core/error.h"
#include "storage/database.h"
#include "storage/store.h"

namespace weir::storage {

/// A connection that only reads, beside a Weir that may have the database open; see open_sqlite_reader and
/// open_postgres_reader. Between begin() and commit() it sees one state.
core::Result<std::unique_ptr<Database>> open_reader(const StorageSettings& settings);

/// Its schema's version, of one that a Weir has begun. Errors (storage): it is empty.
core::Result<std::int64_t> version_begun(Database& database);

/// Its schema's version. Errors (storage): it is empty; not the one that this Weir reads.
core::Result<std::int64_t> version_known(Database& database);

}  // namespace weir::storage
