#include <filesystem>
#include <system_error>

#include "storage/schema.h"
#include "storage/sql_store.h"
#include "storage/sqlite_copy.h"
#include "storage/sqlite_database.h"
#include "storage/store.h"

namespace weir::storage {

core::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, const SqliteOptions& options) {
  auto database = open_sqlite_database(path, options);
  if (!database) return std::unexpected(database.error());
  const auto found = (*database)->version();
  if (!found) return std::unexpected(found.error());
  if (options.backup && path != ":memory:" && *found > 0 && *found < static_cast<std::int64_t>(migrations().size())) {
    if (auto kept = back_up_before_migration(path, *found); !kept) return std::unexpected(kept.error());
  }
  if (auto done = migrate(**database, migrations()); !done) return std::unexpected(done.error());
  return make_sql_store(std::move(*database), options.fail_points);
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
