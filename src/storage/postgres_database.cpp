#include "storage/postgres_database.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>
#include <optional>
#include <pqxx/pqxx>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/masking.h"
#include "runtime/watchdog.h"
#include "sql/postgres_errors.h"
#include "sql/postgres_execute.h"
#include "sql/postgres_url.h"
#include "storage/postgres_text.h"
#include "storage/trouble.h"

namespace weir::storage {
namespace {

using Steady = std::chrono::steady_clock;

constexpr core::Duration kGrace = std::chrono::seconds(1);    // for a server to notice its own timeout
constexpr core::Duration kParting = std::chrono::seconds(1);  // for a session that just ended to let go
constexpr core::Duration kMigration = std::chrono::minutes(10);
constexpr std::size_t kBatch = 256 * 1024;  // bytes of statements that are sent together
constexpr int kFetched = 500;               // rows of a cursor at a time
constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kLockClass = "1464158546";  // "WEIR", so that other programs' locks are others

template <class Number>
Number parsed(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class ResultRow final : public Row {
 public:
  ResultRow(const pqxx::result& result, pqxx::result::size_type index) : result_(result), index_(index) {}
  std::int64_t integer(int column) const override { return parsed<std::int64_t>(raw(column)); }
  double real(int column) const override { return parsed<double>(raw(column)); }
  std::string text(int column) const override { return from_postgres_text(raw(column)); }
  bool is_null(int column) const override { return field(column).is_null(); }

 private:
  pqxx::field field(int column) const { return result_[index_][static_cast<pqxx::row::size_type>(column)]; }
  std::string_view raw(int column) const {
    const pqxx::field found = field(column);
    return {found.c_str(), found.size()};
  }
  const pqxx::result& result_;
  pqxx::result::size_type index_;
};

std::optional<std::string> parameter_text(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) return to_postgres_number(*number);
  if (const auto* text = std::get_if<std::string_view>(&value)) return to_postgres_text(*text);
  return std::nullopt;
}

pqxx::result execute(pqxx::connection& connection, std::string_view sql, std::initializer_list<Value> values) {
  pqxx::nontransaction work(connection);
  if (values.size() == 0) return work.exec(std::string(sql));
  std::vector<std::optional<std::string>> texts;
  for (const Value& value : values) texts.push_back(parameter_text(value));
  return weir::sql::execute_postgres(work, std::string(sql), texts);
}

/// "host name, process 123".
std::string this_process() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) name.at(0) = '?';
  return fmt::format("host {}, process {}", name.data(), ::getpid());
}

/// libpqxx leaves out some that have a class of their own.
std::string state_of(const pqxx::sql_error& failure) {
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&failure) != nullptr) return "42501";
  if (dynamic_cast<const pqxx::undefined_table*>(&failure) != nullptr) return std::string(kUndefinedTable);
  return failure.sqlstate();
}

/// Worth another try, as the server's state may be another then.
bool passes(std::string_view state) {
  static constexpr std::array<std::string_view, 7> kPassing{"08", "53", "57", "58", "40", "55P03", "25006"};
  return std::ranges::any_of(kPassing, [&](std::string_view beginning) { return state.starts_with(beginning); });
}

std::string hint(std::string_view state) {
  if (state == kUndefinedTable || state == "3F000") return std::string(kGoneMark) + ": ";
  if (state == "53100") return "the server's disk is full: ";
  if (state == "25006") return "the server takes no writes (is it a standby?): ";
  return {};
}

class PostgresDatabase final : public Database {
 public:
  enum class Use { write, read };
  PostgresDatabase(PostgresOptions options, Use use)
      : options_(std::move(options)), use_(use), where_(shown_address(options_)) {}

  const Dialect& dialect() const override {
    static constexpr Dialect kDialect{.id_column = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                                      .text_column = "TEXT COLLATE \"C\""};
    return kDialect;
  }
  const std::string& where() const override { return where_; }

  /// Connects, and takes the schema, unless that is so already. After a failure the next tries rest for a while.
  core::Result<void> ready() {
    if (connection_ && connection_->is_open()) return {};
    const auto began = Steady::now();
    if (last_failure_ && began < rest_until_) return std::unexpected(*last_failure_);
    drop();
    auto done = connect();
    if (done) done = use_ == Use::write ? take() : find();
    disarm();
    if (done) {
      last_failure_.reset();
      return {};
    }
    drop();
    const auto ended = Steady::now();
    constexpr Steady::duration kLeast = std::chrono::seconds(1);
    constexpr Steady::duration kMost = std::chrono::seconds(30);
    rest_until_ = taken_over_ ? Steady::time_point::max() : ended + std::clamp((ended - began) * 4, kLeast, kMost);
    last_failure_ = done.error();
    return done;
  }

  core::Result<std::int64_t> run(std::string_view sql, std::initializer_list<Value> values) override {
    std::int64_t changed = 0;
    const auto one = [&]() -> core::Result<void> {
      if (auto sent = flush(); !sent) return sent;
      const auto result = ask(sql, values);
      if (!result) return std::unexpected(result.error());
      changed = static_cast<std::int64_t>(result->affected_rows());
      return {};
    };
    const auto done = in_transaction_ ? one() : in_transaction(*this, one);
    if (!done) return std::unexpected(done.error());
    return changed;
  }

  core::Result<void> put(std::string_view sql, std::initializer_list<Value> values) override {
    if (!in_transaction_ || !connection_) return Database::put(sql, values);
    const auto whole = quoted(sql, values);
    if (!whole) return std::unexpected(whole.error());
    batch_.append(*whole).append(";\n");
    return batch_.size() < kBatch ? core::Result<void>() : flush();
  }

  core::Result<void> each(std::string_view sql, std::initializer_list<Value> values,
                          const std::function<core::Result<void>(const Row&)>& read) override {
    if (in_transaction_ && use_ == Use::read) return fetch(sql, values, read);
    if (auto sent = flush(); !sent) return sent;
    const auto result = in_transaction_ ? ask(sql, values) : ask_alone(sql, values);
    if (!result) return std::unexpected(result.error());
    return hand_out(*result, read);
  }

  /// Has ten minutes.
  core::Result<void> script(const std::string& sql) override {
    if (auto sent = flush(); !sent) return sent;
    arm(kMigration);
    if (auto set = ask(fmt::format("SET LOCAL statement_timeout = {}", kMigration.count()), {}); !set) {
      return std::unexpected(set.error());
    }
    const auto done = ask(sql, {});
    if (!done) return std::unexpected(done.error());
    return {};
  }

  core::Result<void> begin() override {
    const std::string_view kind = use_ == Use::write ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    if (const auto begun = ask_alone(kind, {}); !begun) return std::unexpected(begun.error());
    if (use_ == Use::write) arm(options_.statement_timeout);
    in_transaction_ = true;
    return {};
  }

  core::Result<void> commit() override {
    if (auto sent = flush(); !sent) return sent;
    const auto done = ask("COMMIT", {});
    in_transaction_ = false;
    disarm();
    if (!done) return std::unexpected(done.error());
    return {};
  }

  void roll_back() noexcept override {
    batch_.clear();
    if (!std::exchange(in_transaction_, false)) return;
    if (connection_ && connection_->is_open()) {
      arm(options_.lock_timeout);
      if (!ask("ROLLBACK", {})) drop();
    }
    disarm();
  }

  core::Result<std::int64_t> version() override {
    std::int64_t version = 0;
    auto done = each("SELECT version FROM weir_schema", {}, [&](const Row& row) -> core::Result<void> {
      version = row.integer(0);
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return version;
  }
  core::Result<void> set_version(std::int64_t version) override {
    if (const auto done = run("UPDATE weir_schema SET version = $1", {version}); !done) {
      return std::unexpected(done.error());
    }
    return {};
  }

  core::Result<std::int64_t> size() override {
    std::int64_t bytes = 0;
    auto done = each(
        "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'",
        {std::string_view(options_.schema)}, [&](const Row& row) -> core::Result<void> {
          bytes = row.integer(0);
          return {};
        });
    if (!done) return std::unexpected(done.error());
    return bytes;
  }
  /// The server keeps foreign keys itself; its pages are its administrator's (pg_amcheck).
  core::Result<void> check(bool, const std::function<void(const std::string&)>&) override { return {}; }

 private:
  /// The socket is closed when what follows takes longer: the one way to end a wait for the server.
  void arm(core::Duration bound) {
    watch_.reset();
    if (!connection_) return;
    watch_.emplace(Steady::now() + bound + kGrace, std::stop_token(),
                   [socket = connection_->sock()] { ::shutdown(socket, SHUT_RDWR); });
  }
  void disarm() { watch_.reset(); }

  void drop() {
    disarm();  // before the descriptor may be another's
    batch_.clear();
    connection_.reset();
  }

  core::Error failed(std::string message, bool retryable) const {
    message = core::without_secret(std::move(message), options_.url.reveal());
    message = core::without_secret(std::move(message), options_.password.reveal());
    return {core::ErrorKind::storage, std::move(message), retryable, where_};
  }

  std::unexpected<core::Error> broken(std::string_view message) {
    const bool late = watch_ && watch_->late();
    drop();
    if (late) return std::unexpected(failed("the server did not answer in time; the connection was closed", true));
    return std::unexpected(failed("the connection broke: " + sql::first_sentence(message), true));
  }

  /// One statement, or several without values, on the connection as it is.
  core::Result<pqxx::result> ask(std::string_view sql, std::initializer_list<Value> values) {
    if (!connection_ || !connection_->is_open()) return broken("it is closed");
    try {
      return execute(*connection_, sql, values);
    } catch (const pqxx::sql_error& failure) {
      if (!connection_->is_open() || failure.sqlstate().starts_with("57P")) return broken(failure.what());
      const std::string state = state_of(failure);
      return std::unexpected(failed(hint(state) + sql::first_sentence(failure.what()), passes(state)));
    } catch (const std::exception& failure) {
      return broken(failure.what());
    }
  }

  /// Outside of a transaction. What was not a writing, or just its beginning, is tried again on a new connection when
  /// the old one turns out to be gone.
  core::Result<pqxx::result> ask_alone(std::string_view sql, std::initializer_list<Value> values) {
    const bool used_before = connection_ && connection_->is_open();
    for (int attempt = 0;; ++attempt) {
      if (auto open = ready(); !open) return std::unexpected(open.error());
      const auto began = Steady::now();
      arm(options_.statement_timeout);
      auto result = ask(sql, values);
      const bool gone = !result && !connection_;
      if (!gone || !used_before || attempt > 0 || Steady::now() - began > options_.lock_timeout) {
        disarm();
        return result;
      }
    }
  }

  core::Result<std::string> quoted(std::string_view sql, std::initializer_list<Value> values) {
    if (!connection_ || !connection_->is_open()) return broken("it is closed");
    try {
      return with_literals(sql, values, [this](const std::string& text) { return connection_->quote(text); });
    } catch (const std::exception& failure) {
      return broken(failure.what());
    }
  }

  core::Result<void> flush() {
    if (batch_.empty()) return {};
    const std::string statements = std::exchange(batch_, {});
    const auto done = ask(statements, {});
    if (!done) return std::unexpected(done.error());
    return {};
  }

  static core::Result<void> hand_out(const pqxx::result& result,
                                     const std::function<core::Result<void>(const Row&)>& read) {
    for (pqxx::result::size_type i = 0; i < result.size(); ++i) {
      if (auto done = read(ResultRow(result, i)); !done) return done;
    }
    return {};
  }

  core::Result<void> fetch(std::string_view sql, std::initializer_list<Value> values,
                           const std::function<core::Result<void>(const Row&)>& read) {
    const std::string name = fmt::format("weir_rows_{}", cursors_++);
    const auto bounded = [&](const std::string& statement) {
      arm(options_.statement_timeout);
      auto result = ask(statement, {});
      disarm();
      return result;
    };
    const auto asked = quoted(sql, values);
    if (!asked) return std::unexpected(asked.error());
    if (const auto made = bounded(fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", name, *asked)); !made) {
      return std::unexpected(made.error());
    }
    while (true) {
      const auto rows = bounded(fmt::format("FETCH {} FROM {}", kFetched, name));
      if (!rows) return std::unexpected(rows.error());
      if (auto done = hand_out(*rows, read); !done) return done;
      if (rows->size() < kFetched) break;
    }
    if (const auto closed = bounded("CLOSE " + name); !closed) return std::unexpected(closed.error());
    return {};
  }

  std::string connection_string() const {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(options_.connect_timeout);
    std::vector<std::pair<std::string, std::string>> parameters = {
        {"application_name", "weir"}, {"connect_timeout", std::to_string(std::max<std::int64_t>(2, wait.count()))},
        {"keepalives_idle", "10"},    {"keepalives_interval", "5"},
        {"keepalives_count", "3"},    {"tcp_user_timeout", "30000"},
    };
    if (!options_.password.empty()) parameters.emplace_back("password", options_.password.reveal());
    if (!options_.sslmode.empty()) parameters.emplace_back("sslmode", options_.sslmode);
    if (!options_.sslrootcert.empty()) parameters.emplace_back("sslrootcert", options_.sslrootcert);
    return sql::with_parameters(options_.url.reveal(), parameters);
  }

  core::Result<void> connect() {
    try {
      connection_ = std::make_unique<pqxx::connection>(connection_string());
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
      // It would connect again by itself, without the lock.
      connection_->inhibit_reactivation(true);
#pragma GCC diagnostic pop
#endif
    } catch (const std::exception& failure) {
      return std::unexpected(failed("cannot connect: " + sql::first_sentence(failure.what()), true));
    }
    arm(options_.lock_timeout + kParting + options_.lock_wait);
    // A client that vanished without a word gives up its lock within half a minute. What a server does not know yet is
    // left out.
    auto set = ask(fmt::format("SET client_min_messages = error; SET client_encoding = 'UTF8'; "
                               "SET standard_conforming_strings = on; "
                               "SET search_path = {}; SET statement_timeout = {}; SET lock_timeout = {}; "
                               "SELECT set_config(name, wanted, false) FROM (VALUES ('tcp_keepalives_idle', '10'), "
                               "('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'), "
                               "('tcp_user_timeout', '30000'), ('extra_float_digits', '3'), ('jit', 'off')) "
                               "AS v (name, wanted) JOIN pg_settings USING (name); "
                               "SELECT set_config(name, 'on', false) FROM pg_settings "
                               "WHERE name = 'synchronous_commit' AND setting = 'off'",
                               connection_->quote_name(options_.schema), options_.statement_timeout.count(),
                               options_.lock_timeout.count()),
                   {});
    if (!set) return std::unexpected(set.error());
    return {};
  }

  core::Result<std::optional<std::string>> first(std::string_view sql, std::initializer_list<Value> values) {
    const auto result = ask(sql, values);
    if (!result) return std::unexpected(result.error());
    if (result->empty() || (*result)[0][0].is_null()) return std::nullopt;
    return ResultRow(*result, 0).text(0);
  }

  core::Result<bool> has_own_table() {
    const auto found = first("SELECT 'yes' FROM pg_tables WHERE schemaname = $1 AND tablename = 'weir_schema'",
                             {std::string_view(options_.schema)});
    if (!found) return std::unexpected(found.error());
    return found->has_value();
  }

  core::Result<void> find() {
    const auto known = has_own_table();
    if (!known) return std::unexpected(known.error());
    if (*known) return {};
    return core::fail(core::ErrorKind::not_found,
                      fmt::format("no Weir has written to the schema \"{}\"; see storage.schema", options_.schema),
                      where_);
  }

  core::Result<void> take() {
    const auto standby = first("SELECT 'yes' WHERE pg_is_in_recovery()", {});
    if (!standby) return std::unexpected(standby.error());
    if (*standby) return std::unexpected(failed("is a standby, which takes no writes; name the primary", true));
    if (auto held = lock(); !held) return held;
    auto done = epoch_ ? see_that_nobody_wrote() : prepare();
    if (!done) return done;
    const auto session = ask("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()", {});
    if (!session) return std::unexpected(session.error());
    if (!session->empty()) {
      backend_ = ResultRow(*session, 0).integer(0);
      backend_start_ = ResultRow(*session, 0).text(1);
    }
    return {};
  }

  /// Of the session, so it ends with it. A session of our own that the server still believes in is ended.
  core::Result<void> lock() {
    const std::string key = fmt::format("({}, hashtext($1))", kLockClass);
    const std::string_view schema = options_.schema;
    auto held = first("SELECT 'yes' WHERE pg_try_advisory_lock" + key, {schema});
    if (!held) return std::unexpected(held.error());
    if (*held) return {};
    core::Duration wait = std::max(options_.lock_wait, kParting);
    if (backend_) {
      wait = std::max(wait, options_.lock_timeout);
      const auto ended =
          ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
              "WHERE pid = $1 AND backend_start = $2::timestamptz",
              {*backend_, std::string_view(backend_start_)});
      if (!ended && !connection_) return std::unexpected(ended.error());
    }
    const auto timeout = [](core::Duration value) { return fmt::format("SET lock_timeout = {}", value.count()); };
    if (const auto set = ask(timeout(wait), {}); !set) return std::unexpected(set.error());
    held = first("SELECT 'yes' FROM pg_advisory_lock" + key, {schema});
    if (!connection_) return std::unexpected(held.error());
    if (!held || !*held) return in_use();
    const auto set = ask(timeout(options_.lock_timeout), {});
    return set ? core::Result<void>() : std::unexpected(set.error());
  }

  core::Result<void> in_use() {
    std::string holder;
    if (const auto known = has_own_table(); known && *known) {
      if (const auto told = first("SELECT holder FROM weir_schema", {}); told && *told) holder = ", " + **told;
    }
    const std::string who = fmt::format("{} (schema \"{}\")", holder, options_.schema);
    return std::unexpected(failed(held_text(who, "end that one, or name another storage.schema"), true));
  }

  core::Result<void> prepare() {
    const auto encoding = first("SHOW server_encoding", {});
    if (!encoding) return std::unexpected(encoding.error());
    if (*encoding != "UTF8") {
      return std::unexpected(failed(
          "the database's encoding is " + encoding->value_or("unknown") + "; make one with ENCODING 'UTF8' for Weir",
          false));
    }
    const std::string_view schema = options_.schema;
    const auto there = first("SELECT 'yes' FROM pg_namespace WHERE nspname = $1", {schema});
    if (!there) return std::unexpected(there.error());
    const std::string name = connection_->quote_name(options_.schema);
    if (!*there) {
      if (const auto made = ask("CREATE SCHEMA " + name, {}); !made) {
        core::Error error = made.error();
        error.message = fmt::format(
            "the schema \"{0}\" cannot be created ({1}); have the database's owner run: CREATE "
            "SCHEMA {2} AUTHORIZATION <Weir's user>",
            options_.schema, error.message, name);
        return std::unexpected(error);
      }
    }
    const auto known = has_own_table();
    if (!known) return std::unexpected(known.error());
    if (!*known) {
      if (auto made = make_own_table(); !made) return made;
    }
    const std::string me = this_process();
    const auto taken =
        first("UPDATE weir_schema SET epoch = epoch + 1, holder = $1 RETURNING epoch", {std::string_view(me)});
    if (!taken) return std::unexpected(taken.error());
    if (!*taken) return std::unexpected(failed("the table weir_schema is empty; restore it from a backup", false));
    epoch_ = parsed<std::int64_t>(**taken);
    return {};
  }

  core::Result<void> make_own_table() {
    const auto foreign = first(
        "SELECT relname FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE "
        "nspname = $1) AND relname IN ('alerts', 'transitions', 'incidents', 'outbox', "
        "'measurements', 'silences', 'texts') ORDER BY relname LIMIT 1",
        {std::string_view(options_.schema)});
    if (!foreign) return std::unexpected(foreign.error());
    if (*foreign) {
      return std::unexpected(failed(fmt::format("the schema \"{}\" has a table \"{}\" of something else; name another "
                                                "storage.schema",
                                                options_.schema, **foreign),
                                    false));
    }
    const auto made =
        ask("BEGIN; CREATE TABLE weir_schema (only_row BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_row), "
            "version BIGINT NOT NULL, epoch BIGINT NOT NULL, holder TEXT NOT NULL); "
            "INSERT INTO weir_schema (version, epoch, holder) VALUES (0, 0, ''); COMMIT",
            {});
    if (!made) return std::unexpected(made.error());
    return {};
  }

  /// With the lock held anew: what another Weir made of the tables meanwhile does not fit to what this one has in
  /// memory.
  core::Result<void> see_that_nobody_wrote() {
    const auto now = ask("SELECT epoch, holder FROM weir_schema", {});
    if (!now) return std::unexpected(now.error());
    if (!now->empty() && ResultRow(*now, 0).integer(0) == *epoch_) return {};
    // Behind what this process has taken: a copy from before that. What it lacks is told by Commit::follows.
    if (now->empty() || ResultRow(*now, 0).integer(0) < *epoch_)
      return std::unexpected(failed(std::string(kGoneMark) + ": an older copy is in their place", true));
    taken_over_ = true;
    return std::unexpected(
        failed(fmt::format("another Weir ({}) {} while the connection was gone; this one writes nothing "
                           "more to it as it is",
                           ResultRow(*now, 0).text(1), kTakenOverMark),
               false));
  }

  const PostgresOptions options_;
  const Use use_;
  const std::string where_;
  std::unique_ptr<pqxx::connection> connection_;
  std::optional<runtime::Watchdog> watch_;  // ends before the connection
  bool in_transaction_ = false;
  std::string batch_;                    // statements of the transaction that were not sent yet
  std::int64_t cursors_ = 0;             // made so far
  std::optional<std::int64_t> epoch_;    // of this process's taking
  std::optional<std::int64_t> backend_;  // that held the lock last
  std::string backend_start_;
  bool taken_over_ = false;
  std::optional<core::Error> last_failure_;  // to connect
  Steady::time_point rest_until_{};
};

core::Result<std::unique_ptr<Database>> open(const PostgresOptions& options, PostgresDatabase::Use use) {
  auto database = std::make_unique<PostgresDatabase>(options, use);
  if (auto ready = database->ready(); !ready) return std::unexpected(ready.error());
  return database;
}

}  // namespace

core::Result<std::unique_ptr<Database>> open_postgres_database(const PostgresOptions& options) {
  return open(options, PostgresDatabase::Use::write);
}

core::Result<std::unique_ptr<Database>> open_postgres_reader(const PostgresOptions& options) {
  return open(options, PostgresDatabase::Use::read);
}

std::string shown_address(const PostgresOptions& options) {
  return "postgresql://" + sql::address_of(options.url.reveal());
}

}  // namespace weir::storage
