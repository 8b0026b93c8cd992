#pragma once

#include <string>

#include "core/error.h"
#include "storage/store.h"

namespace weir::app {

/// What a command's option names: a file, or the URL of a PostgreSQL database, whose password may also be in the file
/// that PGPASSFILE names, as for psql. Errors (invalid): a URL that cannot be read.
core::Result<storage::StorageSettings> storage_named(const std::string& database);

/// The same; without it, what the configuration's `storage:` says. Errors (invalid): mistakes in that section.
core::Result<storage::StorageSettings> storage_of(const std::string& config_file, const std::string& database);

}  // namespace weir::app
