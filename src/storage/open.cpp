#include <filesystem>
#include <system_error>

#include "storage/postgres_database.h"
#include "storage/reader.h"
#include "storage/schema.h"
#include "storage/sql_store.h"
#include "storage/sqlite_database.h"
#include "storage/statements.h"
#include "storage/store.h"

namespace weir::storage {

core::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, const SqliteOptions& options) {
  auto database = open_sqlite_database(path, options);
  if (!database) return std::unexpected(database.error());
  if (auto done = migrate(**database, migrations()); !done) return std::unexpected(done.error());
  return make_sql_store(std::move(*database));
}

core::Result<std::unique_ptr<Store>> open_postgres(const PostgresOptions& options) {
  auto database = open_postgres_database(options);
  if (!database) return std::unexpected(database.error());
  if (auto done = migrate(**database, migrations()); !done) return std::unexpected(done.error());
  return make_sql_store(std::move(*database));
}

core::Result<std::unique_ptr<Store>> open_store(const StorageSettings& settings, core::Duration lock_wait) {
  if (!settings.postgres) return open_sqlite(settings.path, {.lock_wait = lock_wait, .backup = settings.backup});
  PostgresOptions options = *settings.postgres;
  options.lock_wait = lock_wait;
  return open_postgres(options);
}

core::Result<std::unique_ptr<Database>> open_reader(const StorageSettings& settings) {
  return settings.postgres ? open_postgres_reader(*settings.postgres)
                           : open_sqlite_reader(settings.path, SqliteOptions{}.busy_timeout);
}

core::Result<void> read_measurements(const StorageSettings& settings, const MeasurementQuery& query,
                                     const std::function<core::Result<void>(const core::Measurement&)>& read) {
  auto database = open_reader(settings);
  if (!database) return std::unexpected(database.error());
  const auto version = (*database)->version();
  if (!version) return std::unexpected(version.error());
  const auto known = static_cast<std::int64_t>(migrations().size());
  if (*version != known) {
    return core::fail(core::ErrorKind::storage,
                      "has schema " + std::to_string(*version) + ", this Weir reads " + std::to_string(known) +
                          "; export with the Weir that runs on it, or start this one on it first",
                      (*database)->where());
  }
  return in_transaction(**database, [&] {
    return (*database)->each(sql::kAllMeasurements,
                             {query.from.time_since_epoch().count(), std::string_view(query.check)},
                             [&](const Row& row) { return read(measurement_of(row)); });
  });
}

core::Result<std::string> set_aside(const std::string& path, core::Time now) {
  const std::string target = path + ".corrupt-" + core::format_rfc3339(now);
  // The log goes first: beside a new file, SQLite would replay it.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    std::error_code failed;
    if (!std::filesystem::exists(path + suffix, failed) && !failed && *suffix != '\0') continue;
    if (!failed) std::filesystem::rename(path + suffix, target + suffix, failed);
    if (failed) {
      return core::fail(core::ErrorKind::storage, "cannot be set aside: " + failed.message(), path + suffix);
    }
  }
  return target;
}

}  // namespace weir::storage
