#include "sql/mysql.h"

#include <algorithm>
#include <errmsg.h>
#include <fmt/format.h>
#include <mutex>
#include <mysql.h>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include "config/reader_checks.h"
#include "core/masking.h"
#include "sql/mysql_errors.h"
#include "sql/mysql_result.h"
#include "sql/query_tag.h"
#include "sql/session_source.h"
#include "sql/statement.h"

namespace weir::sql {
namespace {

using core::ErrorKind;

struct CloseConnection {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
};
struct CloseStatement {
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
};
using Connection = std::unique_ptr<MYSQL, CloseConnection>;
using Statement = std::unique_ptr<MYSQL_STMT, CloseStatement>;

unsigned whole_seconds(core::Duration duration) {
  return static_cast<unsigned>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

class MysqlSource final : public SessionSource {
 public:
  MysqlSource(std::string name, MysqlSettings settings) : name_(std::move(name)), settings_(std::move(settings)) {
    address_ = settings_.socket.empty() ? fmt::format("{}:{}", settings_.host, settings_.port) : settings_.socket;
  }

  std::string_view name() const override { return name_; }
  const Dialect& dialect() const override { return mysql_dialect(); }

  core::Result<void> connect(const QueryLimits& limits) override {
    const auto left = time_left(limits, settings_.statement_timeout, name_);
    if (!left) return std::unexpected(left.error());
    if (connection_) return {};
    static std::once_flag library;
    std::call_once(library, [] { mysql_library_init(0, nullptr, nullptr); });
    Connection connection(mysql_init(nullptr));
    if (!connection) return core::fail(ErrorKind::limit, "out of memory", name_);
    set_options(connection.get(), std::min(settings_.connect_timeout, *left));
    const bool local = !settings_.socket.empty();
    const auto text = [](const std::string& value) { return value.empty() ? nullptr : value.c_str(); };
    const char* host = local ? nullptr : settings_.host.c_str();
    if (mysql_real_connect(connection.get(), host, settings_.user.c_str(), settings_.password.reveal().c_str(),
                           text(settings_.database), local ? 0 : settings_.port, text(settings_.socket),
                           CLIENT_REMEMBER_OPTIONS) == nullptr) {
      return failure(connection.get(), "cannot connect to " + address_);
    }
    mariadb_ = mariadb_connection(connection.get()) != 0;
    // An old MySQL's stricter modes and a zone of its own would change what the same SELECT means.
    const std::string_view kSession =
        "SET SESSION time_zone = '+00:00', sql_mode = '', autocommit = 1, group_concat_max_len = 1048576";
    if (!run(connection.get(), kSession)) return failure(connection.get(), "cannot use " + address_);
    connection_ = std::move(connection);
    opened();
    return {};
  }

 private:
  core::Result<void> check(const std::string& text) const override { return check_reads_only(text, Quoting(), name_); }
  bool has_session() const override { return connection_ != nullptr; }

  void set_options(MYSQL* connection, core::Duration wait) const {
    const auto set = [&](mysql_option option, const void* value) { mysql_optionsv(connection, option, value); };
    const unsigned connect_seconds = whole_seconds(wait);
    // The server ends a statement at its timeout; a server that vanished without a word is given up a little later.
    const unsigned read_seconds = whole_seconds(settings_.statement_timeout) + 2;
    const unsigned zero = 0;
    const unsigned long most = kMysqlLongestRow;
    set(MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
    set(MYSQL_OPT_READ_TIMEOUT, &read_seconds);
    set(MYSQL_OPT_WRITE_TIMEOUT, &read_seconds);
    set(MYSQL_OPT_LOCAL_INFILE, &zero);  // else a server may ask for any file of this host
    set(MYSQL_OPT_MAX_ALLOWED_PACKET, &most);
    set(MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(connection, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "weir");
    if (settings_.socket.empty()) set_tls(connection);
  }

  void set_tls(MYSQL* connection) const {
    const my_bool enforce = settings_.tls != MysqlTls::off ? 1 : 0;
    const my_bool verify = settings_.tls == MysqlTls::verified ? 1 : 0;
    const unsigned tcp = MYSQL_PROTOCOL_TCP;
    mysql_optionsv(connection, MYSQL_OPT_PROTOCOL, &tcp);
    mysql_optionsv(connection, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_optionsv(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    const auto file = [&](mysql_option option, const std::string& path) {
      if (!path.empty()) mysql_optionsv(connection, option, path.c_str());
    };
    if (enforce == 0) return;
    file(MYSQL_OPT_SSL_CA, settings_.ca_file);
    file(MYSQL_OPT_SSL_CERT, settings_.cert_file);
    file(MYSQL_OPT_SSL_KEY, settings_.key_file);
  }

  static bool run(MYSQL* connection, std::string_view text) {
    return mysql_real_query(connection, text.data(), text.size()) == 0;
  }

  std::string timeouts(core::Duration left) const {
    const unsigned lock = whole_seconds(std::min(left, settings_.lock_timeout));
    const std::string locks = fmt::format("lock_wait_timeout = {0}, innodb_lock_wait_timeout = {0}", lock);
    if (mariadb_) return fmt::format("SET SESSION max_statement_time = {:.3f}, {}", core::to_seconds(left), locks);
    return fmt::format("SET SESSION max_execution_time = {}, {}", std::max<std::int64_t>(1, left.count()), locks);
  }

  core::Result<Table> attempt(const std::string& text, const std::vector<Value>& parameters,
                              const QueryLimits& limits) override {
    const auto left = time_left(limits, settings_.statement_timeout, name_);
    if (!left) return std::unexpected(left.error());
    MYSQL* connection = connection_.get();
    // Closing the socket is the one way to end a wait for the server that itself never waits.
    const int socket = static_cast<int>(mysql_get_socket(connection));
    const std::stop_callback end_wait(limits.stop, [socket] { ::shutdown(socket, SHUT_RDWR); });
    if (!run(connection, timeouts(*left)) || !run(connection, "START TRANSACTION READ ONLY")) {
      return refused(mysql_errno(connection), mysql_error(connection), *left, limits);
    }
    auto table = prepared(text, parameters, limits, *left);
    // After a limit the rest of the rows is still on its way; the end of the session ends the transaction too.
    if (!table && table.error().kind == ErrorKind::limit) connection_.reset();
    if (connection_ && !run(connection, "ROLLBACK")) connection_.reset();
    return table;
  }

  core::Result<Table> prepared(const std::string& text, const std::vector<Value>& parameters, const QueryLimits& limits,
                               core::Duration left) {
    Statement statement(mysql_stmt_init(connection_.get()));
    if (!statement) return core::fail(ErrorKind::limit, "out of memory", name_);
    const auto fail = [&] {
      // An error in the midst of the rows is the connection's only.
      const bool own = mysql_stmt_errno(statement.get()) != 0;
      const unsigned number = own ? mysql_stmt_errno(statement.get()) : mysql_errno(connection_.get());
      const std::string message = own ? mysql_stmt_error(statement.get()) : mysql_error(connection_.get());
      // The library must not touch the statement once the connection is gone.
      statement.reset();
      return refused(number, message, left, limits);
    };
    const std::string tagged = with_tag(limits.tag, text);
    if (mysql_stmt_prepare(statement.get(), tagged.data(), tagged.size()) != 0) return fail();
    if (mysql_stmt_field_count(statement.get()) == 0) {
      return core::fail(ErrorKind::denied, "the statement gives no rows, so it may do more than read", name_);
    }
    if (mysql_stmt_param_count(statement.get()) != parameters.size()) {
      return core::fail(ErrorKind::invalid, "the statement has another number of parameters than there are values",
                        name_);
    }
    if (!execute_mysql(statement.get(), parameters)) return fail();
    auto table = fetch_mysql(statement.get(), limits.rows, name_);
    if (!table) {
      ::shutdown(static_cast<int>(mysql_get_socket(connection_.get())), SHUT_RDWR);
      return std::unexpected(table.error());
    }
    if (!*table) return fail();
    return std::move(**table);
  }

  /// The message is a copy: the library's own goes with the connection.
  std::unexpected<core::Error> refused(unsigned number, const std::string& message, core::Duration timeout,
                                       const QueryLimits& limits) {
    if (limits.stop.stop_requested()) {
      connection_.reset();
      return core::fail(ErrorKind::cancelled, "shutting down", name_);
    }
    // Within a session TLS fails because the server is gone.
    const bool gone = number == CR_SSL_CONNECTION_ERROR;
    const ErrorKind kind = gone ? ErrorKind::unavailable : kind_of_mysql_error(number, message);
    const bool broke = (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) || kind == ErrorKind::unavailable;
    if (broke) connection_.reset();
    if (kind == ErrorKind::timeout && (broke || number == 1969 || number == 3024)) {
      return core::fail(
          kind,
          fmt::format("the query took longer than its {} timeout and was stopped", core::format_duration(timeout)),
          name_);
    }
    if (number == 1205) {
      const core::Duration waited = std::chrono::seconds(whole_seconds(settings_.lock_timeout));
      return core::fail(
          kind, fmt::format("waited longer than {} for a lock on the table", core::format_duration(waited)), name_);
    }
    if (number == 1242) {
      return core::fail(kind, "a column is text where numbers are measured (or a subquery gives more than one row)",
                        name_);
    }
    if (broke)
      return core::fail(kind, fmt::format("the connection to {} broke: {}", address_, scrubbed(message)), name_);
    return core::fail(kind, scrubbed(message), name_);
  }

  std::unexpected<core::Error> failure(MYSQL* connection, const std::string& what) const {
    const ErrorKind kind = kind_of_mysql_error(mysql_errno(connection), mysql_error(connection));
    return core::fail(kind, fmt::format("{}: {}", what, scrubbed(mysql_error(connection))), name_);
  }

  /// Messages are not supposed to hold the password; this makes sure.
  std::string scrubbed(std::string_view message) const {
    return core::without_secret(std::string(message), settings_.password.reveal());
  }

  const std::string name_;
  const MysqlSettings settings_;
  std::string address_;
  Connection connection_;
  bool mariadb_ = true;
};

}  // namespace

MysqlSettings parse_mysql(const config::Node&, config::MapReader& reader) {
  MysqlSettings settings;
  settings.socket = reader.text("socket");
  settings.host = reader.text("host", settings.host);
  if (settings.host.empty()) reader.error("host", "must not be empty");
  settings.port = static_cast<std::uint16_t>(reader.integer("port", settings.port, 1, 65535));
  if (!settings.socket.empty() && (reader.has("host") || reader.has("port"))) {
    reader.error("socket", "is instead of \"host\" and \"port\", not beside them");
  }
  settings.user = reader.required_text("user");
  settings.password = reader.secret("password");
  settings.database = reader.text("database");
  const std::string tls = reader.choice("tls", "verified", {"verified", "unverified", "off"});
  settings.tls = tls == "off" ? MysqlTls::off : tls == "unverified" ? MysqlTls::unverified : MysqlTls::verified;
  settings.ca_file = config::file_path(reader, "ca_file");
  settings.cert_file = config::file_path(reader, "cert_file");
  settings.key_file = config::file_path(reader, "key_file");
  if (settings.cert_file.empty() != settings.key_file.empty()) {
    reader.error(settings.cert_file.empty() ? "key_file" : "cert_file",
                 "\"cert_file\" and \"key_file\" belong together");
  }
  if (settings.tls == MysqlTls::off && !(settings.ca_file + settings.cert_file).empty()) {
    reader.error("tls", "is off, so no certificate is looked at");
  }
  settings.connect_timeout = bounded_duration(reader, "connect_timeout", settings.connect_timeout);
  settings.statement_timeout = bounded_duration(reader, "statement_timeout", settings.statement_timeout);
  settings.lock_timeout = bounded_duration(reader, "lock_timeout", settings.lock_timeout);
  return settings;
}

std::unique_ptr<SqlSource> make_mysql(std::string name, MysqlSettings settings) {
  return std::make_unique<MysqlSource>(std::move(name), std::move(settings));
}

}  // namespace weir::sql
