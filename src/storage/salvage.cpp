#include "storage/salvage.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <sqlite3.h>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/file_lock.h"
#include "storage/json_values.h"
#include "storage/schema.h"
#include "storage/sqlite_database.h"
#include "storage/trouble.h"

namespace weir::storage {
namespace {

/// By what is missed most; incidents before what belongs to them.
constexpr std::array<std::string_view, 11> kTables{
    "alerts", "incidents",    "incident_alerts",     "incident_timeline",
    "outbox", "silences",     "notification_groups", "message_references",
    "texts",  "measurements", "transitions"};

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Statement prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr);
  return Statement(raw);
}

std::string text_at(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return text == nullptr ? "" : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
}

/// Whether what is in the column is what the store can read: one row that is not would keep Weir from starting.
bool readable(std::string_view table, std::string_view column, const std::string& text) {
  if (column == "alert") return read_alert(text).has_value();
  if (column == "notification") return read_notification(text).has_value();
  if (column == "silence") return read_silence(text).has_value();
  if (column == "record") return read_group(text).has_value();
  if (column == "labels") return read_labels(text).has_value();
  if (table == "incidents" && column == "details") {
    core::Incident incident;
    return read_incident_details(text, incident).has_value();
  }
  return true;
}

/// One table of the damaged file, read by rowid, so that what cannot be read can be passed over.
class TableSalvage {
 public:
  TableSalvage(sqlite3* from, sqlite3* into, std::string_view table, SetAside& tally)
      : from_(from), into_(into), table_(table), tally_(tally) {}

  void run() {
    for (const Statement info = prepare(into_, "PRAGMA table_info(" + table_ + ")");
         sqlite3_step(info.get()) == SQLITE_ROW;) {
      columns_.push_back(text_at(info.get(), 1));
    }
    std::string names;
    std::string marks;
    for (const std::string& column : columns_) {
      names += ", \"" + column + "\"";
      marks += marks.empty() ? "?" : ", ?";
    }
    if (columns_.empty()) return;
    put_ = prepare(into_, fmt::format("INSERT OR IGNORE INTO {} ({}) VALUES ({})", table_, names.substr(2), marks));
    // NOT INDEXED: an index may be what is damaged.
    scan_ = prepare(from_,
                    fmt::format("SELECT rowid{} FROM {} NOT INDEXED WHERE rowid >= ? ORDER BY rowid", names, table_));
    if (!put_ || !scan_) {
      ++tally_.gaps;
      return;
    }
    std::int64_t next = 0;
    while (const auto broken_at = carry_from(next)) {
      ++tally_.gaps;
      const auto beyond = first_readable_after(*broken_at);
      if (!beyond) return;
      next = *beyond;
    }
  }

 private:
  bool begin(std::int64_t rowid) {
    sqlite3_reset(scan_.get());
    sqlite3_bind_int64(scan_.get(), 1, rowid);
    const int code = sqlite3_step(scan_.get());
    at_end_ = code == SQLITE_DONE;
    return code == SQLITE_ROW || code == SQLITE_DONE;
  }

  /// Carries rows over until the end; where it came upon damage, the first row number that was not read.
  std::optional<std::int64_t> carry_from(std::int64_t rowid) {
    if (!begin(rowid)) return rowid;
    while (!at_end_) {
      rowid = sqlite3_column_int64(scan_.get(), 0) + 1;
      carry();
      const int code = sqlite3_step(scan_.get());
      if (code == SQLITE_DONE) break;
      if (code != SQLITE_ROW) return rowid;
    }
    return std::nullopt;
  }

  /// The damage reaches over some rows: the least number from which reading goes on, found in growing strides and then
  /// by halves.
  std::optional<std::int64_t> first_readable_after(std::int64_t rowid) {
    constexpr std::int64_t kLast = std::int64_t{1} << 40U;
    std::int64_t unreadable = rowid;
    std::int64_t stride = 1;
    while (!begin(rowid + stride)) {
      unreadable = rowid + stride;
      if (stride > kLast) return std::nullopt;
      stride *= 2;
    }
    std::int64_t fine = rowid + stride;
    while (unreadable + 1 < fine) {
      const std::int64_t middle = unreadable + (fine - unreadable) / 2;
      (begin(middle) ? fine : unreadable) = middle;
    }
    return fine;
  }

  void carry() {
    bool taken = true;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const int column = static_cast<int>(i) + 1;
      taken = taken && readable(table_, columns_[i], text_at(scan_.get(), column));
      sqlite3_bind_value(put_.get(), column, sqlite3_column_value(scan_.get(), column));
    }
    taken = taken && sqlite3_step(put_.get()) == SQLITE_DONE && sqlite3_changes(into_) == 1;
    sqlite3_reset(put_.get());
    ++(taken ? tally_.rows : tally_.refused);
  }

  sqlite3* from_;
  sqlite3* into_;
  const std::string table_;
  SetAside& tally_;
  std::vector<std::string> columns_;
  Statement put_;
  Statement scan_;
  bool at_end_ = false;
};

Handle open_raw(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Handle handle(raw);
  if (code != SQLITE_OK) return nullptr;
  sqlite3_busy_timeout(raw, static_cast<int>(SqliteOptions{}.busy_timeout.count()));
  return handle;
}

/// 0 where it cannot be read.
std::int64_t version_of(sqlite3* database) {
  const Statement asked = prepare(database, "PRAGMA user_version");
  return asked && sqlite3_step(asked.get()) == SQLITE_ROW ? sqlite3_column_int64(asked.get(), 0) : 0;
}

/// Where the new file is until all is in it: so that one that could not be finished takes nobody's place.
std::string saved_name(const std::string& path) { return path + ".saved"; }

void remove_saved(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".lock"}) {
    std::error_code ignored;
    std::filesystem::remove(saved_name(path) + suffix, ignored);
  }
}

/// Makes the new file with the schema of the old one, fills it, and leaves the rest of the way to the next opening.
core::Result<void> carry_over(const std::string& damaged, const std::string& path, SetAside& tally) {
  const Handle from = open_raw(damaged, SQLITE_OPEN_READWRITE);  // its log may have to be played back
  const std::int64_t version = from ? version_of(from.get()) : 0;
  if (version <= 0 || version > static_cast<std::int64_t>(migrations().size())) {
    ++tally.gaps;
    return {};
  }
  auto held = open_sqlite_database(path, {});
  if (!held) return std::unexpected(held.error());
  if (auto made = migrate(**held, migrations().first(static_cast<std::size_t>(version))); !made) return made;
  const Handle into = open_raw(path, SQLITE_OPEN_READWRITE);
  if (!into) return core::fail(core::ErrorKind::storage, "cannot be opened to carry over what was saved", path);
  const auto exec = [&](const char* sql) { sqlite3_exec(into.get(), sql, nullptr, nullptr, nullptr); };
  exec("PRAGMA foreign_keys=ON");
  for (const std::string_view table : kTables) {
    exec("BEGIN");
    TableSalvage(from.get(), into.get(), table, tally).run();
    const int code = sqlite3_exec(into.get(), "COMMIT", nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
      return core::fail(
          core::ErrorKind::storage,
          fmt::format("what could be read of the damaged file cannot be written: {}", sqlite3_errmsg(into.get())),
          path);
    }
  }
  // Nobody is to believe that all is there which was written up to that commit.
  exec(fmt::format("DELETE FROM texts WHERE name = '{}'", kLastCommit).c_str());
  return {};
}

/// Until the last step the damaged file is where it was, for the next try.
core::Result<SetAside> save(const std::string& path, core::Time now, std::string why) {
  SetAside tally{.kept_as = {}, .why = std::move(why)};
  remove_saved(path);
  auto done = carry_over(path, saved_name(path), tally);
  if (done) {
    auto moved = set_aside(path, now);
    if (moved) {
      tally.kept_as = *moved;
    } else {
      done = std::unexpected(moved.error());
    }
  }
  std::error_code failed;
  if (done && std::filesystem::exists(saved_name(path), failed)) {
    std::filesystem::rename(saved_name(path), path, failed);
    if (failed) return core::fail(core::ErrorKind::storage, "cannot be renamed: " + failed.message(), saved_name(path));
  }
  remove_saved(path);
  if (done) return tally;
  core::Error error = done.error();
  error.message = tally.why + "; it was not set aside: " + error.message;
  error.where = path;
  error.retryable = true;
  return std::unexpected(std::move(error));
}

}  // namespace

core::Result<Opened> open_or_salvage(const StorageSettings& settings, core::Time now, core::FailPoints* fail_points,
                                     const std::string& damage) {
  // A process that was killed between the last two steps of save().
  std::error_code ignored;
  if (!settings.postgres && !std::filesystem::exists(settings.path, ignored))
    std::filesystem::rename(saved_name(settings.path), settings.path, ignored);
  std::string why = damage;
  if (why.empty()) {
    auto store = open_store(settings, {}, fail_points);
    if (store) return Opened{.store = std::move(*store), .set_aside = std::nullopt};
    const core::Error& error = store.error();
    const bool no_database = error.message.contains(kNoDatabaseMark);
    if (settings.postgres || trouble_of(error) != Trouble::damaged ||
        (no_database && !FileLock::was_taken(settings.path))) {
      return std::unexpected(error);
    }
    why = error.message;
  }
  auto tally = save(settings.path, now, why);
  if (!tally) return std::unexpected(tally.error());
  StorageSettings fresh = settings;
  fresh.backup = false;  // what there was is kept already
  auto opened = open_store(fresh, {}, fail_points);
  if (!opened) return std::unexpected(opened.error());
  return Opened{.store = std::move(*opened), .set_aside = std::move(*tally)};
}

}  // namespace weir::storage
