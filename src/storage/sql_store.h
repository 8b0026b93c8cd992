#pragma once

#include <memory>

#include "storage/database.h"
#include "storage/store.h"

namespace weir::storage {

/// The store over any SQL engine; the database is already at the present schema.
std::unique_ptr<Store> make_sql_store(std::unique_ptr<Database> database, core::FailPoints* fail_points = nullptr);

/// A row of kNewestMeasurements or kAllMeasurements. A mark of a later version counts as none.
core::Measurement measurement_of(const Row& row);

}  // namespace weir::storage
