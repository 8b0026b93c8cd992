#include "storage/sqlite_database.h"

#include <cerrno>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <unordered_map>
#include <utility>

#include "storage/file_lock.h"
#include "storage/trouble.h"

namespace weir::storage {
namespace {

constexpr std::string_view kInMemory = ":memory:";
constexpr std::int64_t kApplicationId = 0x57454952;  // "WEIR", in the file's header

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, CloseDatabase>;
using Prepared = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

std::string explain(int code, const std::string& original) {
  switch (code & 0xff) {
    case SQLITE_NOTADB: return std::string(kNoDatabaseMark) + "; move it away or name another storage.path";
    case SQLITE_CORRUPT: return std::string(kDamagedMark) + " (" + original + ")";
    case SQLITE_FULL: return "the disk is full (" + original + "); free some space";
    case SQLITE_READONLY: return "the file is read-only; make it and its folder writable for Weir's user";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another process holds the database; is a second Weir or a database tool running?";
    default: return original;
  }
}

core::Error error_of(int code, const std::string& original, const std::string& path) {
  const int primary = code & 0xff;
  const bool passes = primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
                      primary == SQLITE_IOERR || primary == SQLITE_READONLY;
  return {core::ErrorKind::storage, explain(code, original), passes, path};
}

class StatementRow final : public Row {
 public:
  explicit StatementRow(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
  double real(int column) const override { return sqlite3_column_double(statement_, column); }
  bool is_null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string text(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
};

/// One use of a prepared statement; leaves it ready for the next.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  /// An SQLite result code.
  int bind(std::initializer_list<Value> values) {
    int index = 0;
    for (const Value& value : values) {
      ++index;
      const int code = std::visit([&](const auto& held) { return bind_one(index, held); }, value);
      if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
  }
  int step() { return sqlite3_step(statement_); }

 private:
  int bind_one(int index, std::nullptr_t) { return sqlite3_bind_null(statement_, index); }
  int bind_one(int index, std::int64_t value) { return sqlite3_bind_int64(statement_, index, value); }
  int bind_one(int index, double value) { return sqlite3_bind_double(statement_, index, value); }
  int bind_one(int index, std::string_view value) {
    // A null pointer would bind NULL; the caller's text outlives the use.
    return sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(), value.size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  sqlite3_stmt* statement_;
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(std::string path, Handle handle) : path_(std::move(path)), handle_(std::move(handle)) {}
  void hold(std::unique_ptr<FileLock> lock) { lock_ = std::move(lock); }

  const Dialect& dialect() const override {
    static constexpr Dialect kDialect{.id_column = "INTEGER PRIMARY KEY AUTOINCREMENT"};
    return kDialect;
  }
  const std::string& where() const override { return path_; }

  core::Result<std::int64_t> run(std::string_view sql, std::initializer_list<Value> values) override {
    if (auto done = each(sql, values, [](const Row&) -> core::Result<void> { return {}; }); !done) {
      return std::unexpected(done.error());
    }
    return sqlite3_changes64(handle_.get());
  }

  core::Result<void> each(std::string_view sql, std::initializer_list<Value> values,
                          const std::function<core::Result<void>(const Row&)>& read) override {
    const auto statement = prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    Use use(*statement);
    if (use.bind(values) != SQLITE_OK) return std::unexpected(last_error());
    const StatementRow row(*statement);
    while (true) {
      const int code = use.step();
      if (code == SQLITE_DONE) return {};
      if (code != SQLITE_ROW) return std::unexpected(last_error());
      if (auto done = read(row); !done) return done;
    }
  }

  core::Result<void> script(const std::string& sql) override {
    if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return std::unexpected(last_error());
  }

  core::Result<void> begin() override {
    return script(sqlite3_db_readonly(handle_.get(), "main") == 1 ? "BEGIN" : "BEGIN IMMEDIATE");
  }
  core::Result<void> commit() override { return script("COMMIT"); }
  void roll_back() noexcept override {
    // A full disk or an I/O error has already ended the transaction.
    if (sqlite3_get_autocommit(handle_.get()) == 0) {
      sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }

  core::Result<std::int64_t> version() override {
    std::int64_t version = 0;
    auto done = each("PRAGMA user_version", {}, [&](const Row& row) -> core::Result<void> {
      version = row.integer(0);
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return version;
  }
  core::Result<void> set_version(std::int64_t version) override {
    return script("PRAGMA user_version = " + std::to_string(version));
  }

  core::Result<std::int64_t> size() override {
    std::int64_t bytes = 0;
    auto done = each("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", {},
                     [&](const Row& row) -> core::Result<void> {
                       bytes = row.integer(0);
                       return {};
                     });
    if (!done) return std::unexpected(done.error());
    return bytes;
  }

  core::Result<void> check(bool full, const std::function<void(const std::string&)>& damage) override {
    auto done = each(full ? "PRAGMA integrity_check(100)" : "PRAGMA quick_check(100)", {},
                     [&](const Row& row) -> core::Result<void> {
                       if (row.text(0) != "ok") damage(row.text(0));
                       return {};
                     });
    if (!done) return done;
    return each("SELECT \"table\", count(*) FROM pragma_foreign_key_check() GROUP BY 1", {},
                [&](const Row& row) -> core::Result<void> {
                  damage(row.text(1) + " rows of " + row.text(0) + " belong to rows that are not there");
                  return {};
                });
  }

 private:
  core::Error last_error() const {
    return error_of(sqlite3_extended_errcode(handle_.get()), sqlite3_errmsg(handle_.get()), path_);
  }

  core::Result<sqlite3_stmt*> prepare(std::string_view sql) {
    const auto [slot, fresh] = statements_.try_emplace(std::string(sql));
    if (!slot->second) {
      sqlite3_stmt* raw = nullptr;
      const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
      if (code != SQLITE_OK) return std::unexpected(last_error());
      slot->second.reset(raw);
    }
    return slot->second.get();
  }

  std::string path_;
  std::unique_ptr<FileLock> lock_;  // given up after the handle is closed
  Handle handle_;
  std::unordered_map<std::string, Prepared> statements_;  // as many as the code has
};

/// SQLite would create the file with the process's umask; incidents are nobody else's business.
core::Result<void> create_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
    return {};
  }
  const int code = errno;
  if (code == EACCES || code == EROFS || code == EPERM) {
    return std::unexpected(error_of(SQLITE_READONLY, "", path));
  }
  return core::fail(core::ErrorKind::storage, "cannot be opened or created: " + std::system_category().message(code),
                    path);
}

core::Result<std::int64_t> number(SqliteDatabase& database, std::string_view sql) {
  std::int64_t found = 0;
  auto done = database.each(sql, {}, [&](const Row& row) -> core::Result<void> {
    found = row.integer(0);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

/// Whether the file is new, or Weir's own; reads only. Files from before Weir marked them are told by their tables.
core::Result<void> refuse_foreign(SqliteDatabase& database) {
  const auto id = number(database, "PRAGMA application_id");
  const auto version = id ? database.version() : id;
  const auto tables =
      version ? number(database, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'") : id;
  const auto ours = tables ? number(database,
                                    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('alerts', "
                                    "'transitions', 'incidents', 'incident_timeline', 'outbox', 'measurements')")
                           : tables;
  for (const auto& answer : {id, version, tables, ours}) {
    if (!answer) return std::unexpected(answer.error());
  }
  constexpr std::int64_t kOurTables = 6;
  const bool fresh = *id == 0 && *version == 0 && *tables == 0;
  const bool unmarked = *id == 0 && *version > 0 && *ours == kOurTables;
  if (fresh || unmarked || *id == kApplicationId) return {};
  std::string what;
  auto done = database.each("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name LIMIT 1", {},
                            [&](const Row& row) -> core::Result<void> {
                              what = " (it has a table \"" + row.text(0) + "\")";
                              return {};
                            });
  if (!done) return done;
  return core::fail(core::ErrorKind::storage,
                    "is the SQLite database of something else" + what + "; name another storage.path",
                    database.where());
}

core::Result<void> readable_file(const std::string& path) {
  const auto cannot = [&](core::ErrorKind kind, const std::string& why) { return core::fail(kind, why, path); };
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return cannot(core::ErrorKind::not_found, "there is no such file");
    return cannot(core::ErrorKind::denied, "cannot be read: " + std::system_category().message(errno));
  }
  if (!S_ISREG(found.st_mode)) return cannot(core::ErrorKind::invalid, "is no file but a folder or a device");
  if (::access(path.c_str(), R_OK) == 0) return {};
  return cannot(core::ErrorKind::denied, "cannot be read: " + std::system_category().message(errno));
}

/// The first problem that SQLite finds in the pages of the file.
core::Result<void> quick_check(SqliteDatabase& database) {
  return database.each("PRAGMA quick_check(1)", {}, [&](const Row& row) -> core::Result<void> {
    if (row.text(0) == "ok") return {};
    return std::unexpected(error_of(SQLITE_CORRUPT, row.text(0), database.where()));
  });
}

}  // namespace

core::Result<std::unique_ptr<Database>> open_sqlite_database(const std::string& path, const SqliteOptions& options) {
  if (path != kInMemory) {
    if (auto created = create_private(path); !created) return std::unexpected(created.error());
  }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  Handle handle(raw);
  if (code != SQLITE_OK) return std::unexpected(error_of(code, sqlite3_errstr(code), path));
  if (sqlite3_db_readonly(raw, "main") == 1) return std::unexpected(error_of(SQLITE_READONLY, "", path));
  sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
  auto database = std::make_unique<SqliteDatabase>(path, std::move(handle));
  // Nothing is written to what is not ours, not even the journal's mode.
  if (auto ours = refuse_foreign(*database); !ours) return std::unexpected(ours.error());
  if (path != kInMemory) {
    auto lock = FileLock::take(path, options.lock_wait);
    if (!lock) return std::unexpected(lock.error());
    database->hold(std::move(*lock));
  }
  // The WAL file is cut back to 64 MB after a burst.
  if (auto set = database->script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                                  "PRAGMA journal_size_limit=67108864;");
      !set) {
    return std::unexpected(set.error());
  }
  if (auto sound = quick_check(*database); !sound) return std::unexpected(sound.error());
  if (auto marked = database->script("PRAGMA application_id = " + std::to_string(kApplicationId)); !marked) {
    return std::unexpected(marked.error());
  }
  if (options.max_pages > 0) {
    if (auto set = database->script("PRAGMA max_page_count=" + std::to_string(options.max_pages)); !set) {
      return std::unexpected(set.error());
    }
  }
  return database;
}

core::Result<std::unique_ptr<Database>> open_sqlite_reader(const std::string& path, core::Duration busy_timeout) {
  if (auto there = readable_file(path); !there) return std::unexpected(there.error());
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, nullptr);
  Handle handle(raw);
  if (code != SQLITE_OK) return std::unexpected(error_of(code, sqlite3_errstr(code), path));
  sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count()));
  auto database = std::make_unique<SqliteDatabase>(path, std::move(handle));
  auto ours = refuse_foreign(*database);
  if (ours) return database;
  const int primary = sqlite3_errcode(raw) & 0xff;
  if (primary != SQLITE_READONLY && primary != SQLITE_CANTOPEN) return std::unexpected(ours.error());
  // Also a reader notes beside the file how far it has read.
  return core::fail(
      core::ErrorKind::denied,
      "cannot be read without the right to write to its folder; do this as the user that Weir runs as, or "
      "with a copy in a folder of your own",
      path);
}

}  // namespace weir::storage
