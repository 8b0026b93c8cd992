#include "sql/odbc.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

// The driver manager's headers need each other in this order.
// clang-format off
#include <sql.h>
#include <sqlext.h>
// clang-format on

#include "core/masking.h"
#include "runtime/watchdog.h"
#include "sql/odbc_result.h"
#include "sql/odbc_session.h"
#include "sql/query_tag.h"
#include "sql/session_source.h"
#include "sql/statement.h"
#include "sql/unicode.h"

namespace weir::sql {
namespace {

using core::ErrorKind;
using std::chrono::steady_clock;

/// How long the driver and the server have to end a statement by themselves once its time is over.
constexpr auto kGrace = std::chrono::milliseconds(250);

/// Owns one handle of ODBC's.
template <SQLSMALLINT Type>
class Handle {
 public:
  Handle() = default;
  explicit Handle(SQLHANDLE parent) {
    if (!SQL_SUCCEEDED(SQLAllocHandle(Type, parent, &handle_))) handle_ = SQL_NULL_HANDLE;
  }
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, SQL_NULL_HANDLE)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void reset() {
    if (handle_ == SQL_NULL_HANDLE) return;
    if constexpr (Type == SQL_HANDLE_DBC) SQLDisconnect(handle_);
    SQLFreeHandle(Type, handle_);
    handle_ = SQL_NULL_HANDLE;
  }
  SQLHANDLE get() const { return handle_; }
  explicit operator bool() const { return handle_ != SQL_NULL_HANDLE; }

 private:
  SQLHANDLE handle_ = SQL_NULL_HANDLE;
};
using Environment = Handle<SQL_HANDLE_ENV>;
using Connection = Handle<SQL_HANDLE_DBC>;
using Statement = Handle<SQL_HANDLE_STMT>;

SQLPOINTER as_pointer(std::uintptr_t number) { return reinterpret_cast<SQLPOINTER>(number); }

SQLWCHAR* wide(std::u16string& text) { return reinterpret_cast<SQLWCHAR*>(text.data()); }

/// A value of a connection string; in braces where it needs them, which not every driver takes off again.
std::string braced(std::string_view value) {
  if (value.find_first_of("[]{}(),;?*=!@ ") == std::string_view::npos) return std::string(value);
  std::string out = "{";
  for (const char c : value) out += c == '}' ? std::string("}}") : std::string(1, c);
  return out + "}";
}

Quoting quoting_of(std::string_view dialect) {
  if (dialect == "sqlserver" || dialect == "sqlite") return {.brackets = true, .backslash_escapes = false};
  return {.brackets = false, .backslash_escapes = dialect != "oracle" && dialect != "trino"};
}

class OdbcSource final : public SessionSource {
 public:
  OdbcSource(std::string name, OdbcSettings settings) : name_(std::move(name)), settings_(std::move(settings)) {}

  std::string_view name() const override { return name_; }
  const Dialect& dialect() const override { return *settings_.dialect; }

  core::Result<void> connect(const QueryLimits& limits) override {
    const auto left = time_left(limits, settings_.statement_timeout, name_);
    if (!left) return std::unexpected(left.error());
    if (connection_) return {};
    environment_ = Environment(SQL_NULL_HANDLE);
    if (!environment_) return core::fail(ErrorKind::internal, "unixODBC cannot be used", name_);
    SQLSetEnvAttr(environment_.get(), SQL_ATTR_ODBC_VERSION, as_pointer(SQL_OV_ODBC3), 0);
    Connection connection(environment_.get());
    if (!connection) return core::fail(ErrorKind::internal, "unixODBC cannot be used", name_);
    const auto wait = std::chrono::ceil<std::chrono::seconds>(std::min(settings_.connect_timeout, *left));
    SQLSetConnectAttrW(connection.get(), SQL_ATTR_LOGIN_TIMEOUT, as_pointer(static_cast<std::uintptr_t>(wait.count())),
                       0);
    SQLSetConnectAttrW(connection.get(), SQL_ATTR_ACCESS_MODE, as_pointer(SQL_MODE_READ_ONLY), 0);
    std::u16string text = to_utf16(connection_string());
    const SQLRETURN code =
        SQLDriverConnectW(connection.get(), nullptr, wide(text), static_cast<SQLSMALLINT>(text.size()), nullptr, 0,
                          nullptr, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(code)) return failure(SQL_HANDLE_DBC, connection.get(), "cannot connect");
    connection_ = std::move(connection);
    if (auto ready = prepare_session(); !ready) {
      drop();
      return ready;
    }
    opened();
    return {};
  }

 private:
  core::Result<void> check(const std::string& text) const override {
    return check_reads_only(text, quoting_of(dialect().name()), name_);
  }
  bool has_session() const override { return static_cast<bool>(connection_); }

  std::string connection_string() const {
    std::string text = settings_.dsn.empty() ? std::string() : "DSN=" + settings_.dsn + ";";
    text += settings_.connection.reveal();
    if (!text.empty() && text.back() != ';') text += ';';
    if (!settings_.user.empty()) text += "UID=" + braced(settings_.user) + ";";
    if (!settings_.password.empty()) text += "PWD=" + braced(settings_.password.reveal()) + ";";
    return text;
  }

  OdbcSession session(core::Duration left, std::string_view tag) const {
    return odbc_session(dialect().name(), left, settings_.lock_timeout, tag);
  }

  core::Result<void> prepare_session() {
    const OdbcSession wanted = session(settings_.statement_timeout, {});
    if (!wanted.autocommit) {
      SQLSetConnectAttrW(connection_.get(), SQL_ATTR_AUTOCOMMIT, as_pointer(SQL_AUTOCOMMIT_OFF), SQL_IS_UINTEGER);
    }
    if (auto done = run_all(wanted.once); !done) return std::unexpected(done.error());
    if (!wanted.autocommit) SQLEndTran(SQL_HANDLE_DBC, connection_.get(), SQL_ROLLBACK);
    return {};
  }

  core::Result<void> run_all(const std::vector<Preparation>& preparations) {
    for (const Preparation& preparation : preparations) {
      const Statement statement(connection_.get());
      std::u16string text = to_utf16(preparation.sql);
      const SQLRETURN code = SQLExecDirectW(statement.get(), wide(text), static_cast<SQLINTEGER>(text.size()));
      if (!SQL_SUCCEEDED(code) && code != SQL_NO_DATA && preparation.required) {
        return failure(SQL_HANDLE_STMT, statement.get(), "the session cannot be prepared");
      }
    }
    return {};
  }

  core::Result<Table> attempt(const std::string& text, const std::vector<Value>& parameters,
                              const QueryLimits& limits) override {
    const auto left = time_left(limits, settings_.statement_timeout, name_);
    if (!left) return std::unexpected(left.error());
    const OdbcSession wanted = session(*left, limits.tag);
    if (auto ready = run_all(wanted.before); !ready) {
      // Of a session that is half prepared nothing is known.
      drop();
      return std::unexpected(ready.error());
    }
    auto table = run(with_tag(limits.tag, text + wanted.suffix), parameters, limits, *left);
    // Not before the statement is freed.
    if (broken_) drop();
    if (!connection_) return table;
    const bool ended = run_all(wanted.after).has_value();
    const bool rolled = wanted.autocommit || SQL_SUCCEEDED(SQLEndTran(SQL_HANDLE_DBC, connection_.get(), SQL_ROLLBACK));
    // A session of which it is not known that its transaction ended is not used again.
    if (!ended || !rolled) drop();
    return table;
  }

  core::Result<Table> run(const std::string& text, const std::vector<Value>& values, const QueryLimits& limits,
                          core::Duration left) {
    const Statement statement(connection_.get());
    if (!statement) {
      broken_ = true;
      return std::unexpected(first_error(SQL_HANDLE_DBC, connection_.get()));
    }
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
    // What a driver does not know it refuses, and there are other guards.
    SQLSetStmtAttrW(statement.get(), SQL_ATTR_QUERY_TIMEOUT, as_pointer(static_cast<std::uintptr_t>(seconds)), 0);
    SQLSetStmtAttrW(statement.get(), SQL_ATTR_MAX_ROWS, as_pointer(limits.rows + 1), 0);
    SQLSetStmtAttrW(statement.get(), SQL_ATTR_NOSCAN, as_pointer(SQL_NOSCAN_ON), 0);
    OdbcParameters parameters(values);
    std::u16string sql = to_utf16(text);
    runtime::Watchdog watch(steady_clock::now() + left + kGrace, limits.stop,
                            [handle = statement.get()] { SQLCancel(handle); });
    const bool ran = parameters.bind(statement.get()) && executed(statement.get(), sql);
    core::Result<std::optional<Table>> table = std::nullopt;
    if (ran) table = fetch_odbc(statement.get(), limits.rows, name_);
    const bool late = watch.late();
    if (table && *table) {
      // A cancelled query may look like one that ended early.
      if (!late && !limits.stop.stop_requested()) return std::move(**table);
    } else if (!table) {
      SQLCloseCursor(statement.get());
      return std::unexpected(table.error());
    }
    return refused(statement.get(), late, left, limits);
  }

  static bool executed(SQLHSTMT statement, std::u16string& sql) {
    const SQLRETURN prepared = SQLPrepareW(statement, wide(sql), static_cast<SQLINTEGER>(sql.size()));
    if (!SQL_SUCCEEDED(prepared)) return false;
    const SQLRETURN code = SQLExecute(statement);
    return SQL_SUCCEEDED(code) || code == SQL_NO_DATA;
  }

  std::unexpected<core::Error> refused(SQLHSTMT statement, bool late, core::Duration timeout,
                                       const QueryLimits& limits) {
    if (limits.stop.stop_requested()) {
      broken_ = true;
      return core::fail(ErrorKind::cancelled, "shutting down", name_);
    }
    core::Error error = first_error(SQL_HANDLE_STMT, statement);
    if (late || (error.kind == ErrorKind::timeout && error.message.find("lock") == std::string::npos)) {
      return core::fail(
          ErrorKind::timeout,
          fmt::format("the query took longer than its {} timeout and was stopped", core::format_duration(timeout)),
          name_);
    }
    broken_ = error.kind == ErrorKind::unavailable;
    return std::unexpected(std::move(error));
  }

  core::Error first_error(SQLSMALLINT type, SQLHANDLE handle) const {
    const auto said = diagnostics_of(type, handle);
    if (said.empty())
      return core::fail(ErrorKind::unavailable, "the driver failed and says nothing of it", name_).error();
    // Warnings come first with some drivers.
    const auto fatal =
        std::ranges::find_if(said, [](const OdbcDiagnostic& one) { return !one.state.starts_with("01"); });
    const OdbcDiagnostic& shown = fatal == said.end() ? said.front() : *fatal;
    return core::fail(kind_of_odbc(shown), scrubbed(words_of(shown)), name_).error();
  }

  std::unexpected<core::Error> failure(SQLSMALLINT type, SQLHANDLE handle, std::string_view what) const {
    core::Error error = first_error(type, handle);
    error.message = fmt::format("{}: {}", what, error.message);
    return std::unexpected(std::move(error));
  }

  void drop() {
    broken_ = false;
    connection_.reset();
    environment_.reset();
  }

  /// Messages are not supposed to hold a password; this makes sure of the ones we know.
  std::string scrubbed(std::string text) const {
    text = core::without_secret(std::move(text), settings_.connection.reveal());
    return core::without_secret(std::move(text), settings_.password.reveal());
  }

  const std::string name_;
  const OdbcSettings settings_;
  Environment environment_;  // before the connection, which goes first
  Connection connection_;
  bool broken_ = false;  // to be closed when the statement that found it is freed
};

}  // namespace

OdbcSettings parse_odbc(const config::Node&, config::MapReader& reader) {
  OdbcSettings settings;
  settings.connection = reader.secret("connection");
  settings.dsn = reader.text("dsn");
  if (settings.connection.empty() && settings.dsn.empty()) {
    reader.missing({"connection", "dsn"}, R"(one of "connection" ("Driver={…};Server=…") and "dsn" is needed)");
  }
  if (settings.dsn.find_first_of(";{}=") != std::string::npos) {
    reader.error("dsn", "is the name of an entry of odbc.ini; write a connection string under \"connection\"");
  }
  settings.user = reader.text("user");
  settings.password = reader.secret("password");
  if (reader.required_text("dialect").empty()) {
    settings.dialect = &odbc_postgres_dialect();
  } else {
    std::vector<std::string> names;
    for (const OdbcDialect& known : odbc_dialects()) names.emplace_back(known.name);
    const std::string chosen = reader.choice("dialect", names.front(), names);
    const auto dialect = std::ranges::find(odbc_dialects(), chosen, &OdbcDialect::name);
    settings.dialect = dialect == odbc_dialects().end() ? &odbc_postgres_dialect() : dialect->dialect;
  }
  settings.connect_timeout = bounded_duration(reader, "connect_timeout", settings.connect_timeout);
  settings.statement_timeout = bounded_duration(reader, "statement_timeout", settings.statement_timeout);
  settings.lock_timeout = bounded_duration(reader, "lock_timeout", settings.lock_timeout);
  return settings;
}

std::unique_ptr<SqlSource> make_odbc(std::string name, OdbcSettings settings) {
  return std::make_unique<OdbcSource>(std::move(name), std::move(settings));
}

}  // namespace weir::sql
