#pragma once

#include <memory>

#include "core/error.h"
#include "storage/database.h"
#include "storage/store.h"

namespace weir::storage {

/// Connects to PostgreSQL and takes the schema for this process: creates it where it is not there, and holds a
/// session's advisory lock on it. The version lives in the table weir_schema, together with who holds it and a count of
/// the holders, by which a connection that is made anew sees that another Weir wrote meanwhile. The tables are not
/// looked at. A session pooler may stand between, one that pools transactions may not. Errors (storage): see
/// open_postgres.
core::Result<std::unique_ptr<Database>> open_postgres_database(const PostgresOptions& options);

/// Connects to read what a Weir wrote, which may go on writing; takes no lock. Between begin() and commit() it sees one
/// state, and rows are fetched as they are read. Errors (storage, not_found): no Weir has written there.
core::Result<std::unique_ptr<Database>> open_postgres_reader(const PostgresOptions& options);

/// "postgresql://host:port/database", without user or password.
std::string shown_address(const PostgresOptions& options);

}  // namespace weir::storage
