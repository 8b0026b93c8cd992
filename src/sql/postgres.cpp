#include "sql/postgres.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <pqxx/pqxx>
#include <sys/socket.h>
#include <utility>

#include "config/reader_checks.h"
#include "core/masking.h"
#include "runtime/watchdog.h"
#include "sql/postgres_errors.h"
#include "sql/postgres_execute.h"
#include "sql/postgres_url.h"
#include "sql/postgres_values.h"
#include "sql/query_tag.h"
#include "sql/session_source.h"
#include "sql/statement.h"

namespace weir::sql {
namespace {

using core::ErrorKind;

/// To compile a statement of a thousand expressions takes minutes, in which no timeout is noticed.
constexpr std::string_view kNoJit = "SET LOCAL jit = off";

/// How much longer than its timeout a server may take to notice it.
constexpr core::Duration kGrace = std::chrono::seconds(1);

std::optional<std::string> parameter_text(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* time = std::get_if<core::Time>(&value)) return core::format_rfc3339(*time);
  return std::nullopt;
}

/// Always the extended protocol, even without parameters: it takes one statement, so no text can end the
/// read-only transaction and begin another.
pqxx::result execute(pqxx::transaction_base& transaction, const std::string& text, const std::vector<Value>& values) {
  std::vector<std::optional<std::string>> texts;
  for (const Value& value : values) texts.push_back(parameter_text(value));
  return execute_postgres(transaction, text, texts);
}

Table to_table(const pqxx::result& result) {
  Table table;
  using Index = pqxx::row::size_type;
  const auto columns = static_cast<Index>(result.columns());
  for (Index i = 0; i < columns; ++i) table.columns.emplace_back(result.column_name(i));
  for (const auto& source : result) {
    Row row;
    for (Index i = 0; i < columns; ++i) {
      const auto field = source[i];
      if (field.is_null()) {
        row.emplace_back(std::monostate{});
      } else {
        row.push_back(postgres_value(result.column_type(i), std::string_view(field.c_str(), field.size())));
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// libpqxx 6.4 forgets the SQLSTATE of a lacking privilege.
std::string state_of(const pqxx::sql_error& failure) {
  const bool privilege = dynamic_cast<const pqxx::insufficient_privilege*>(&failure) != nullptr;
  return privilege ? "42501" : failure.sqlstate();
}

std::string milliseconds(core::Duration duration) {
  return std::to_string(std::max<core::Duration::rep>(1, duration.count()));
}

class PostgresSource final : public SessionSource {
 public:
  PostgresSource(std::string name, PostgresSettings settings)
      : name_(std::move(name)), settings_(std::move(settings)), address_(address_of(settings_.url.reveal())) {}

  std::string_view name() const override { return name_; }
  const Dialect& dialect() const override { return postgres_dialect(); }

  core::Result<void> connect(const QueryLimits& limits) override {
    const auto left = time_left(limits, settings_.statement_timeout, name_);
    if (!left) return std::unexpected(left.error());
    if (connection_ && connection_->is_open()) return {};
    connection_.reset();
    try {
      // libpq waits whole seconds.
      const auto wait = std::chrono::ceil<std::chrono::seconds>(std::min(settings_.connect_timeout, *left));
      connection_ = std::make_unique<pqxx::connection>(connection_string(wait));
      has_jit_.reset();
      opened();
      return {};
    } catch (const std::exception& failure) {
      return cannot_connect(failure.what());
    }
  }

 private:
  bool has_session() const override { return connection_ != nullptr; }

  std::string connection_string(std::chrono::seconds wait) const {
    std::vector<std::pair<std::string, std::string>> parameters = {
        {"application_name", "weir"},
        {"connect_timeout", std::to_string(std::max<std::int64_t>(2, wait.count()))},
        // A server that vanished without a word is noticed in half a minute, query running or not.
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "30000"},
    };
    if (!settings_.password.empty()) parameters.emplace_back("password", settings_.password.reveal());
    return with_parameters(settings_.url.reveal(), parameters);
  }

  core::Result<Table> attempt(const std::string& text, const std::vector<Value>& parameters,
                              const QueryLimits& limits) override {
    const auto left = time_left(limits, settings_.statement_timeout, name_);
    if (!left) return std::unexpected(left.error());
    // Closing the socket is the one way to end a wait for the server that itself never waits. The watch has to be over
    // before the connection goes, whose descriptor may then be another's.
    runtime::Watchdog watch(std::chrono::steady_clock::now() + *left + kGrace, limits.stop,
                            [socket = connection_->sock()] { ::shutdown(socket, SHUT_RDWR); });
    try {
      pqxx::read_transaction transaction(*connection_);
      transaction.exec(session(*left));
      if (!has_jit_) {
        has_jit_ = !transaction.exec("SELECT 1 FROM pg_settings WHERE name = 'jit'").empty();
        if (*has_jit_) transaction.exec(std::string(kNoJit));
      }
      const pqxx::result result = execute(transaction, with_tag(limits.tag, text), parameters);
      if (result.size() > limits.rows) {
        return core::fail(ErrorKind::limit, fmt::format("the result has more than {} rows", limits.rows), name_);
      }
      Table table = to_table(result);
      transaction.commit();
      return table;
    } catch (const pqxx::broken_connection& failure) {
      return watch.late() ? overdue(*left, limits) : broken(failure.what(), limits);
    } catch (const pqxx::sql_error& failure) {
      const bool hung_up = watch.late() && (!connection_->is_open() || failure.sqlstate().empty());
      return hung_up ? overdue(*left, limits) : refused(failure, *left, limits);
    } catch (const std::exception& failure) {
      return watch.late() ? overdue(*left, limits) : broken(failure.what(), limits);
    }
  }

  /// Set inside the transaction: a pooler may give every transaction another server session, and what is set on a
  /// session (default_transaction_read_only, say) would stay there for its next client.
  std::string session(core::Duration timeout) const {
    return fmt::format(
        "SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; SET LOCAL TimeZone = 'UTC'; "
        "SET LOCAL DateStyle = 'ISO'{}{}",
        milliseconds(timeout), milliseconds(std::min(timeout, settings_.lock_timeout)),
        has_jit_.value_or(false) ? "; " : "", has_jit_.value_or(false) ? kNoJit : "");
  }

  std::unexpected<core::Error> cannot_connect(std::string_view message) {
    connection_.reset();
    const ErrorKind kind = kind_of_connect_failure(message);
    return core::fail(kind, fmt::format("cannot connect to {}: {}", address_, scrubbed(first_sentence(message))),
                      name_);
  }

  std::unexpected<core::Error> broken(std::string_view message, const QueryLimits& limits) {
    connection_.reset();
    if (limits.stop.stop_requested()) return core::fail(ErrorKind::cancelled, "shutting down", name_);
    return core::fail(ErrorKind::unavailable,
                      fmt::format("the connection to {} broke: {}", address_, scrubbed(first_sentence(message))),
                      name_);
  }

  std::unexpected<core::Error> overdue(core::Duration timeout, const QueryLimits& limits) {
    connection_.reset();
    if (limits.stop.stop_requested()) return core::fail(ErrorKind::cancelled, "shutting down", name_);
    return core::fail(ErrorKind::timeout,
                      fmt::format("the query took longer than its {} timeout; the server did not stop it, so the "
                                  "connection was closed",
                                  core::format_duration(timeout)),
                      name_);
  }

  std::unexpected<core::Error> refused(const pqxx::sql_error& failure, core::Duration timeout,
                                       const QueryLimits& limits) {
    const std::string state = state_of(failure);
    const bool open = connection_ && connection_->is_open();
    if (limits.stop.stop_requested() || state.empty() || !open) return broken(failure.what(), limits);
    const ErrorKind kind = kind_of_sqlstate(state);
    if (kind == ErrorKind::unavailable) return broken(failure.what(), limits);
    std::string message = scrubbed(first_sentence(failure.what()));
    if (state == "57014") {
      message =
          fmt::format("the query took longer than its {} timeout and was stopped", core::format_duration(timeout));
    } else if (state == "55P03") {
      message =
          fmt::format("waited longer than {} for a lock on the table", core::format_duration(settings_.lock_timeout));
    }
    return core::fail(kind, std::move(message), name_);
  }

  /// Messages are not supposed to hold a password; this makes sure of the ones we know.
  std::string scrubbed(std::string text) const {
    text = core::without_secret(std::move(text), settings_.url.reveal());
    return core::without_secret(std::move(text), settings_.password.reveal());
  }

  const std::string name_;
  const PostgresSettings settings_;
  const std::string address_;
  std::unique_ptr<pqxx::connection> connection_;
  std::optional<bool> has_jit_;  // of the open connection, once it was asked
};

}  // namespace

PostgresSettings parse_postgres(const config::Node&, config::MapReader& reader) {
  PostgresSettings settings;
  settings.url = config::required_secret(reader, "url");
  if (const auto readable = check_postgres_url(settings.url.reveal()); !settings.url.empty() && !readable)
    reader.error(reader.has("url") ? "url" : "url_file", readable.error().message);
  settings.password = reader.secret("password");
  settings.connect_timeout = reader.duration("connect_timeout", settings.connect_timeout);
  settings.statement_timeout = reader.duration("statement_timeout", settings.statement_timeout);
  settings.lock_timeout = reader.duration("lock_timeout", settings.lock_timeout);
  const auto bounded = [&](std::string_view key, core::Duration value) {
    if (value < std::chrono::milliseconds(1) || value > std::chrono::hours(1))
      reader.error(key, "must be from 1ms to 1h");
  };
  bounded("connect_timeout", settings.connect_timeout);
  bounded("statement_timeout", settings.statement_timeout);
  bounded("lock_timeout", settings.lock_timeout);
  return settings;
}

std::unique_ptr<SqlSource> make_postgres(std::string name, PostgresSettings settings) {
  return std::make_unique<PostgresSource>(std::move(name), std::move(settings));
}

}  // namespace weir::sql
