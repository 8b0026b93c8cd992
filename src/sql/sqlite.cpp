#include "sql/sqlite.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <sqlite3.h>
#include <sys/stat.h>
#include <utility>

#include "sql/query_tag.h"
#include "sql/sqlite_functions.h"

namespace weir::sql {
namespace {

using core::ErrorKind;
using std::chrono::steady_clock;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinishStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

/// Which file a path names at the moment: a new file under the old name is another database.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

/// Reading is allowed, and nothing else: no ATTACH of other files, no PRAGMA but those that describe a table.
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  if (action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE) return SQLITE_OK;
  // What SQLite asks on the first use of a pragma as a table; a real UPDATE is no read-only statement.
  if (action == SQLITE_UPDATE && first != nullptr && std::string_view(first) == "sqlite_master") return SQLITE_OK;
  if (action == SQLITE_FUNCTION) {
    return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
  }
  if (action == SQLITE_PRAGMA && first != nullptr) {
    const std::string_view pragma = first;
    const bool describes = pragma == "table_xinfo" || pragma == "table_info" || pragma == "index_list" ||
                           pragma == "index_info" || pragma == "data_version";
    return describes ? SQLITE_OK : SQLITE_DENY;
  }
  return SQLITE_DENY;
}

/// What the progress handler looks at while a statement runs.
struct Guard {
  steady_clock::time_point deadline;
  std::stop_token stop;

  static int interrupted(void* self) {
    const auto& guard = *static_cast<const Guard*>(self);
    return guard.stop.stop_requested() || steady_clock::now() >= guard.deadline ? 1 : 0;
  }
};

ErrorKind kind_of(int code, std::string_view message) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: return ErrorKind::unavailable;
    case SQLITE_INTERRUPT: return ErrorKind::timeout;
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_PERM: return ErrorKind::denied;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return ErrorKind::protocol;
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM: return ErrorKind::limit;
    default: break;
  }
  if (message.starts_with("not authorized")) return ErrorKind::denied;
  const bool missing = message.starts_with("no such table") || message.starts_with("no such column");
  return missing ? ErrorKind::not_found : ErrorKind::invalid;
}

Value column_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const int size = sqlite3_column_bytes(statement, column);
      return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
    }
    default: return std::monostate{};
  }
}

int bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, index, *whole);
  if (const auto* number = std::get_if<double>(&value)) return sqlite3_bind_double(statement, index, *number);
  std::string text;
  if (const auto* given = std::get_if<std::string>(&value)) {
    text = *given;
  } else if (const auto* time = std::get_if<core::Time>(&value)) {
    text = core::format_rfc3339(*time);
  } else {
    return sqlite3_bind_null(statement, index);
  }
  return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

class SqliteSource final : public SqlSource {
 public:
  SqliteSource(std::string name, SqliteSettings settings) : name_(std::move(name)), settings_(std::move(settings)) {}

  std::string_view name() const override { return name_; }
  const Dialect& dialect() const override { return sqlite_dialect(); }

  core::Result<void> connect(const QueryLimits& limits) override {
    const auto identity = identity_of(settings_.path);
    if (database_ && identity == opened_) return {};
    database_.reset();
    if (!identity) {
      return core::fail(ErrorKind::unavailable, fmt::format("there is no database file at {}", settings_.path), name_);
    }
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(settings_.path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(raw);
    if (code != SQLITE_OK) return failure(raw, code);
    if (auto ready = prepare_session(database.get(), limits); !ready) return ready;
    database_ = std::move(database);
    opened_ = *identity;
    return {};
  }

  core::Result<Table> query(const std::string& text, const std::vector<Value>& parameters,
                            const QueryLimits& limits) override {
    if (limits.stop.stop_requested()) return core::fail(ErrorKind::cancelled, "shutting down", name_);
    const auto now = steady_clock::now();
    const core::Duration most = std::min(settings_.statement_timeout, limits.timeout);
    const Guard guard{std::min(limits.deadline, now + most), limits.stop};
    if (guard.deadline <= now) return core::fail(ErrorKind::timeout, "no time is left for the query", name_);
    if (auto connected = connect(limits); !connected) return std::unexpected(connected.error());
    // The handler keeps a pointer to the guard for this call only.
    sqlite3_progress_handler(database_.get(), 1000, &Guard::interrupted, const_cast<Guard*>(&guard));
    set_busy_timeout(database_.get(), guard.deadline);
    auto table = run(with_tag(limits.tag, text), parameters, limits, guard);
    sqlite3_progress_handler(database_.get(), 0, nullptr, nullptr);
    return table;
  }

 private:
  core::Result<void> prepare_session(sqlite3* database, const QueryLimits& limits) {
    sqlite3_extended_result_codes(database, 1);
    // "no_such_column" in quotes must be an error, not the text 'no_such_column'.
    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    set_busy_timeout(database, limits.deadline);
    // Reading the schema also finds a file that is no database.
    const char* kSession = "PRAGMA query_only = ON; SELECT count(*) FROM sqlite_schema;";
    const int code = sqlite3_exec(database, kSession, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(database, code);
    if (const int added = add_functions(database); added != SQLITE_OK) return failure(database, added);
    sqlite3_set_authorizer(database, &authorize, nullptr);
    return {};
  }

  /// Waiting for a writer's lock ends with the query's deadline.
  void set_busy_timeout(sqlite3* database, steady_clock::time_point deadline) const {
    const auto left = std::chrono::duration_cast<core::Duration>(deadline - steady_clock::now());
    const auto wait = std::clamp(left, core::Duration::zero(), settings_.busy_timeout);
    sqlite3_busy_timeout(database, static_cast<int>(wait.count()));
  }

  core::Result<Table> run(const std::string& text, const std::vector<Value>& parameters, const QueryLimits& limits,
                          const Guard& guard) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int size = static_cast<int>(std::min<std::size_t>(text.size(), 1U << 30U));
    int code = sqlite3_prepare_v2(database_.get(), text.c_str(), size, &raw, &tail);
    const Statement statement(raw);
    if (code != SQLITE_OK) return interrupted_or_failure(code, guard);
    const std::string_view rest = tail == nullptr ? std::string_view() : std::string_view(tail);
    if (!statement || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      return core::fail(ErrorKind::invalid, "expected exactly one SQL statement", name_);
    }
    if (sqlite3_stmt_readonly(raw) == 0) return core::fail(ErrorKind::denied, "the statement is not read-only", name_);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      code = bind(raw, static_cast<int>(i) + 1, parameters[i]);
      if (code != SQLITE_OK) return interrupted_or_failure(code, guard);
    }
    return fetch(raw, limits, guard);
  }

  core::Result<Table> fetch(sqlite3_stmt* statement, const QueryLimits& limits, const Guard& guard) {
    Table table;
    const int columns = sqlite3_column_count(statement);
    for (int i = 0; i < columns; ++i) {
      const char* column = sqlite3_column_name(statement, i);
      table.columns.emplace_back(column == nullptr ? "" : column);
    }
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      if (table.rows.size() >= limits.rows) {
        return core::fail(ErrorKind::limit, fmt::format("the result has more than {} rows", limits.rows), name_);
      }
      Row row;
      for (int i = 0; i < columns; ++i) row.push_back(column_value(statement, i));
      table.rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) return interrupted_or_failure(code, guard);
    return table;
  }

  std::unexpected<core::Error> interrupted_or_failure(int code, const Guard& guard) const {
    if ((code & 0xff) == SQLITE_INTERRUPT) {
      if (guard.stop.stop_requested()) return core::fail(ErrorKind::cancelled, "shutting down", name_);
      return core::fail(ErrorKind::timeout, "the query took longer than its timeout and was stopped", name_);
    }
    return failure(database_.get(), code);
  }

  std::unexpected<core::Error> failure(sqlite3* database, int code) const {
    const std::string message = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
    const ErrorKind kind = kind_of(code, message);
    const bool about_file = kind == ErrorKind::protocol || kind == ErrorKind::unavailable;
    return core::fail(kind, about_file ? message + ": " + settings_.path : message, name_);
  }

  const std::string name_;
  const SqliteSettings settings_;
  Database database_;
  FileIdentity opened_;
};

}  // namespace

SqliteSettings parse_sqlite(const config::Node& node, config::MapReader& reader) {
  SqliteSettings settings;
  const std::filesystem::path path = reader.required_text("path");
  const std::filesystem::path folder = std::filesystem::path(node.position().file).parent_path();
  settings.path = path.empty() || path.is_absolute() ? path.string() : (folder / path).string();
  // One that is not there yet may come; SQLite would wait for a pipe.
  std::error_code ignored;
  if (!settings.path.empty() && std::filesystem::exists(settings.path, ignored) &&
      !std::filesystem::is_regular_file(settings.path, ignored))
    reader.error("path", "\"" + settings.path + "\" is no file");
  settings.busy_timeout = reader.duration("busy_timeout", settings.busy_timeout);
  settings.statement_timeout = reader.duration("statement_timeout", settings.statement_timeout);
  const auto bounded = [&](std::string_view key, core::Duration value, core::Duration least) {
    if (value < least || value > std::chrono::hours(1)) {
      reader.error(key, "must be from " + core::format_duration(least) + " to 1h");
    }
  };
  bounded("busy_timeout", settings.busy_timeout, core::Duration::zero());
  bounded("statement_timeout", settings.statement_timeout, core::Duration(1));
  return settings;
}

std::unique_ptr<SqlSource> make_sqlite(std::string name, SqliteSettings settings) {
  return std::make_unique<SqliteSource>(std::move(name), std::move(settings));
}

}  // namespace weir::sql
