#include "storage/sqlite_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

namespace weir::storage {
namespace {

core::Error error_of(sqlite3* database, const std::string& path) {
  const int code = sqlite3_errcode(database);
  std::string message = sqlite3_errmsg(database);
  switch (code & 0xff) {
    case SQLITE_NOTADB: message = "is not a SQLite database; move it away or name another storage.path"; break;
    case SQLITE_CORRUPT: message = "the database is damaged (" + message + ")"; break;
    case SQLITE_FULL: message = "the disk is full"; break;
    case SQLITE_READONLY: message = "the file is read-only"; break;
    case SQLITE_BUSY: message = "another process holds the database"; break;
    default: break;
  }
  const bool retryable = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_FULL;
  return {core::ErrorKind::storage, message, retryable, path};
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)), next_(other.next_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, next_++, value);
  return *this;
}

Statement& Statement::bind(double value) {
  sqlite3_bind_double(statement_, next_++, value);
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  sqlite3_bind_text64(statement_, next_++, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_null() {
  sqlite3_bind_null(statement_, next_++);
  return *this;
}

core::Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(error_of(database_, sqlite3_db_filename(database_, "main")));
}

core::Result<void> Statement::run() {
  while (true) {
    const core::Result<bool> row = step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
  }
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Database::Database(std::string path, std::unique_ptr<sqlite3, Close> handle)
    : path_(std::move(path)), handle_(std::move(handle)) {}

core::Result<Database> Database::open(const std::string& path) {
  // SQLite would create the file with the process's umask; incidents are nobody else's business.
  if (path != ":memory:") {
    const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) ::close(file);
  }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<sqlite3, Close> handle(raw);
  if (code != SQLITE_OK)
    return core::fail(core::ErrorKind::storage, "cannot be opened: " + std::string(sqlite3_errstr(code)), path);
  sqlite3_busy_timeout(raw, 5000);
  Database database(path, std::move(handle));
  if (auto set = database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"); !set) {
    return std::unexpected(set.error());
  }
  return database;
}

core::Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(error_of(handle_.get(), path_));
}

core::Result<Statement> Database::prepare(const std::string& sql) {
  auto& slot = statements_[sql];
  if (!slot) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v3(handle_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK) {
      return std::unexpected(error_of(handle_.get(), path_));
    }
    slot.reset(raw);
  }
  return Statement(handle_.get(), slot.get());
}

core::Result<std::int64_t> Database::integer(const std::string& sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const core::Result<bool> row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->integer(0) : 0;
}

}  // namespace weir::storage
