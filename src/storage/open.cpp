#include <algorithm>

#include "storage/postgres_database.h"
#include "storage/reader.h"
#include "storage/schema.h"
#include "storage/sql_store.h"
#include "storage/sqlite_database.h"
#include "storage/statements.h"
#include "storage/store.h"

namespace weir::storage {

core::Result<std::unique_ptr<Store>> open_postgres(const PostgresOptions& options, core::FailPoints* fail_points) {
  auto database = open_postgres_database(options);
  if (!database) return std::unexpected(database.error());
  if (auto done = migrate(**database, migrations()); !done) return std::unexpected(done.error());
  return make_sql_store(std::move(*database), fail_points);
}

core::Result<std::unique_ptr<Store>> open_store(const StorageSettings& settings, core::Duration lock_wait,
                                                core::FailPoints* fail_points) {
  if (!settings.postgres)
    return open_sqlite(settings.path, {.lock_wait = lock_wait, .backup = settings.backup, .fail_points = fail_points});
  PostgresOptions options = *settings.postgres;
  options.lock_wait = std::max(options.lock_wait, lock_wait);
  return open_postgres(options, fail_points);
}

core::Result<std::unique_ptr<Database>> open_reader(const StorageSettings& settings) {
  return settings.postgres ? open_postgres_reader(*settings.postgres)
                           : open_sqlite_reader(settings.path, SqliteOptions{}.busy_timeout);
}

core::Result<std::int64_t> version_begun(Database& database) {
  auto version = database.version();
  if (!version || *version > 0) return version;
  return core::fail(core::ErrorKind::storage, "is empty: no Weir has written to it", database.where());
}

core::Result<std::int64_t> version_known(Database& database) {
  auto version = version_begun(database);
  const auto known = static_cast<std::int64_t>(migrations().size());
  if (!version || *version == known) return version;
  return core::fail(core::ErrorKind::storage,
                    "has schema " + std::to_string(*version) + ", this Weir reads " + std::to_string(known) +
                        "; export with the Weir that runs on it, or start this one on it first",
                    database.where());
}

core::Result<void> read_measurements(const StorageSettings& settings, const MeasurementQuery& query,
                                     const std::function<core::Result<void>(const core::Measurement&)>& read) {
  auto database = open_reader(settings);
  if (!database) return std::unexpected(database.error());
  if (const auto version = version_known(**database); !version) return std::unexpected(version.error());
  return in_transaction(**database, [&] {
    return (*database)->each(sql::kAllMeasurements,
                             {query.from.time_since_epoch().count(), std::string_view(query.check)},
                             [&](const Row& row) { return read(measurement_of(row)); });
  });
}

}  // namespace weir::storage
