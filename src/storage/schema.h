#pragma once

#include <span>
#include <string_view>

#include "core/error.h"
#include "storage/database.h"

namespace weir::storage {

/// The steps from an empty database to the present schema; the n-th leads to version n. `{id}` stands for the
/// dialect's id_column, the type TEXT for its text_column.
std::span<const std::string_view> migrations();

/// Runs the steps that the database has not seen, each in its own transaction together with its version. Errors: a
/// version from the future, which an older Weir must not touch.
core::Result<void> migrate(Database& database, std::span<const std::string_view> steps);

}  // namespace weir::storage
