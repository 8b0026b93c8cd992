#include "sql/postgres.h"

#include <cmath>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pqxx/pqxx>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "sql/postgres_url.h"

namespace weir::sql {
namespace {

using core::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

/// A schema of its own on the server that WEIR_TEST_POSTGRES names.
class PostgresSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = std::getenv("WEIR_TEST_POSTGRES");
    ASSERT_NE(url, nullptr)
        << "WEIR_TEST_POSTGRES is not set: these tests need a PostgreSQL server. Run them with ./tests/run, "
           "which starts one, or set it to the URL of a role that may create schemas and roles.";
    url_ = url;
    schema_ = "weir_test_" + std::to_string(::getpid());
    admin_ = std::make_unique<pqxx::connection>(url_);
    write("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE; CREATE SCHEMA " + schema_);
    settings_.url = core::Secret(with_parameters(url_, {{"options", "-csearch_path=" + schema_}}));
    settings_.statement_timeout = seconds(10);
    settings_.lock_timeout = milliseconds(50);
  }

  void TearDown() override {
    if (admin_) write("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
  }

  void write(const std::string& sql) {
    pqxx::work transaction(*admin_);
    transaction.exec("SET LOCAL client_min_messages = error; SET LOCAL search_path = " + schema_ + ";" + sql);
    transaction.commit();
  }

  std::unique_ptr<SqlSource> open() const { return make_postgres("warehouse", settings_); }

  Value value(const std::string& expression, const std::vector<Value>& parameters = {}) const {
    const auto table = open()->query("SELECT " + expression, parameters, {});
    EXPECT_TRUE(table) << expression << ": " << table.error().describe();
    return table ? table->rows[0][0] : Value();
  }

  core::Error error_of(const std::string& sql) const {
    const auto result = open()->query(sql, {}, {});
    EXPECT_FALSE(result) << sql;
    return result ? core::Error{} : result.error();
  }

  std::string url_;
  std::string schema_;
  PostgresSettings settings_;
  std::unique_ptr<pqxx::connection> admin_;
};

TEST_F(PostgresSourceTest, GivesTypedValues) {
  EXPECT_EQ(value("1"), Value(std::int64_t{1}));
  EXPECT_EQ(value("true"), Value(std::int64_t{1}));
  EXPECT_EQ(value("2.5::numeric"), Value(2.5));
  EXPECT_EQ(value("2.5::float8"), Value(2.5));
  EXPECT_TRUE(std::isnan(std::get<double>(value("'NaN'::float8"))));
  EXPECT_EQ(value("NULL"), Value());
  EXPECT_EQ(value("'é'::text"), Value(std::string("é")));
  EXPECT_EQ(value("'1970-01-02'::date"), Value(core::time_from_seconds(86400)));
  EXPECT_EQ(value("'1970-01-01 02:00:00+02'::timestamptz"), Value(core::time_from_seconds(0)));
}

TEST_F(PostgresSourceTest, BindsParametersOfEveryType) {
  EXPECT_EQ(value("$1::int + 1", {std::int64_t{7}}), Value(std::int64_t{8}));
  EXPECT_EQ(value("$1::float8", {0.1}), Value(0.1));
  EXPECT_EQ(value("$1::text", {std::string("it's; --")}), Value(std::string("it's; --")));
  EXPECT_EQ(value("$1::timestamptz", {core::time_from_seconds(1.5)}), Value(core::time_from_seconds(1.5)));
  EXPECT_EQ(value("$1::text IS NULL", {std::monostate{}}), Value(std::int64_t{1}));
}

TEST_F(PostgresSourceTest, CannotWrite) {
  write("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  for (const char* sql : {"DELETE FROM t", "INSERT INTO t VALUES (2)", "DROP TABLE t", "CREATE TABLE u (a int)",
                          "UPDATE t SET a = 2", "SELECT a FROM t FOR UPDATE"}) {
    EXPECT_EQ(error_of(sql).kind, ErrorKind::denied) << sql;
  }
  EXPECT_EQ(value("count(*) FROM t"), Value(std::int64_t{1}));
}

TEST_F(PostgresSourceTest, CannotEscapeTheReadOnlyTransaction) {
  write("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  for (const char* sql :
       {"SELECT 1; DELETE FROM t", "COMMIT; DELETE FROM t", "SELECT 1; COMMIT; BEGIN READ WRITE; DELETE FROM t"}) {
    EXPECT_EQ(error_of(sql).kind, ErrorKind::invalid) << sql;
  }
  const auto source = open();
  (void)source->query("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", {}, {});
  (void)source->query("COMMIT", {}, {});
  EXPECT_EQ(source->query("DELETE FROM t", {}, {}).error().kind, ErrorKind::denied);
  EXPECT_EQ(value("count(*) FROM t"), Value(std::int64_t{1}));
}

TEST_F(PostgresSourceTest, NamesTheMissingTableColumnOrSchema) {
  write("CREATE TABLE t (a int)");
  const core::Error table = error_of("SELECT 1 FROM nope");
  EXPECT_EQ(table.kind, ErrorKind::not_found);
  EXPECT_EQ(table.message, "relation \"nope\" does not exist");
  EXPECT_EQ(table.where, "warehouse");
  const core::Error column = error_of("SELECT nope FROM t");
  EXPECT_EQ(column.kind, ErrorKind::not_found);
  EXPECT_THAT(column.message, HasSubstr("\"nope\""));
  EXPECT_EQ(error_of("SELECT 1 FROM nope.t").kind, ErrorKind::not_found);
  EXPECT_EQ(error_of("SELEC 1").kind, ErrorKind::invalid);
  EXPECT_EQ(error_of("SELECT avg('x'::text)").kind, ErrorKind::invalid);
}

TEST_F(PostgresSourceTest, StopsAStatementAtItsTimeout) {
  settings_.statement_timeout = milliseconds(100);
  const auto source = open();
  const auto result = source->query("SELECT pg_sleep(30)", {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::timeout);
  EXPECT_THAT(result.error().message, HasSubstr("100ms"));
  EXPECT_TRUE(source->query("SELECT 1", {}, {})) << "the session is usable afterwards";
}

TEST_F(PostgresSourceTest, StopsAStatementAtTheDeadlineOfTheCaller) {
  const auto source = open();
  ASSERT_TRUE(source->connect({}));
  QueryLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + milliseconds(100);
  EXPECT_EQ(source->query("SELECT pg_sleep(30)", {}, limits).error().kind, ErrorKind::timeout);
  EXPECT_EQ(source->query("SELECT 1", {}, limits).error().kind, ErrorKind::timeout);
}

/// Compiling an expression, an extension: there is code that looks at no timeout. Here it catches it.
TEST_F(PostgresSourceTest, HangsUpOnAServerThatDoesNotKeepTheTimeout) {
  write(
      "CREATE FUNCTION stubborn() RETURNS int LANGUAGE plpgsql AS $$ DECLARE ends timestamptz := clock_timestamp() + "
      "interval '8 s'; BEGIN WHILE clock_timestamp() < ends LOOP BEGIN PERFORM pg_sleep(8); "
      "EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; RETURN 1; END $$");
  settings_.statement_timeout = milliseconds(50);
  const auto source = open();
  const auto begun = std::chrono::steady_clock::now();
  const auto result = source->query("SELECT " + schema_ + ".stubborn()", {}, {});
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(5));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::timeout);
  EXPECT_THAT(result.error().message, HasSubstr("longer than its 50ms timeout; the server did not stop it"));
  EXPECT_TRUE(source->query("SELECT 1", {}, {})) << "the next query has a new session";
}

TEST_F(PostgresSourceTest, HasNothingCompiled) {
  const auto source = open();
  for (int i = 0; i < 2; ++i) {
    const auto jit = source->query("SELECT current_setting('jit')", {}, {});
    ASSERT_TRUE(jit) << jit.error().describe();
    EXPECT_EQ(jit->rows[0][0], Value(std::string("off"))) << i;
  }
}

TEST_F(PostgresSourceTest, WaitsForALockOnlySoLong) {
  write("CREATE TABLE t (a int)");
  pqxx::connection other(settings_.url.reveal());
  pqxx::work blocker(other);
  blocker.exec("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  const core::Error error = error_of("SELECT count(*) FROM t");
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_THAT(error.message, HasSubstr("lock"));
}

TEST_F(PostgresSourceTest, EndsAQueryWhenShuttingDown) {
  std::stop_source stop;
  QueryLimits limits;
  limits.stop = stop.get_token();
  const auto source = open();
  ASSERT_TRUE(source->connect(limits));
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    // Asks from outside until the query runs, so that it is the query that gets interrupted.
    while (std::chrono::steady_clock::now() < start + seconds(5)) {
      pqxx::nontransaction look(*admin_);
      if (look.exec("SELECT 1 FROM pg_stat_activity WHERE application_name = 'weir' AND query = 'SELECT pg_sleep(9)'")
              .size() == 1)
        break;
    }
    stop.request_stop();
  });
  EXPECT_EQ(source->query("SELECT pg_sleep(9)", {}, limits).error().kind, ErrorKind::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(8));
}

TEST_F(PostgresSourceTest, ReconnectsWithinTheCallWhenAKeptSessionDied) {
  const auto source = open();
  const auto pid = source->query("SELECT pg_backend_pid()", {}, {});
  ASSERT_TRUE(pid);
  write("SELECT pg_terminate_backend(" + std::to_string(std::get<std::int64_t>(pid->rows[0][0])) + ", 5000)");
  const auto again = source->query("SELECT pg_backend_pid()", {}, {});
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_NE(again->rows[0][0], pid->rows[0][0]);
}

TEST_F(PostgresSourceTest, ReconnectsAtTheNextUseAfterDyingInAQuery) {
  const auto source = open();
  const auto suicide = source->query("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)", {}, {});
  ASSERT_FALSE(suicide);
  EXPECT_EQ(suicide.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(source->query("SELECT 1", {}, {}));
}

TEST_F(PostgresSourceTest, RefusesAResultOfTooManyRows) {
  QueryLimits limits;
  limits.rows = 2;
  EXPECT_EQ(open()->query("SELECT generate_series(1, 3)", {}, limits).error().kind, ErrorKind::limit);
}

TEST_F(PostgresSourceTest, NamesItselfAndSpeaksUtc) {
  EXPECT_EQ(value("current_setting('application_name')"), Value(std::string("weir")));
  EXPECT_EQ(value("current_setting('TimeZone')"), Value(std::string("UTC")));
  EXPECT_EQ(value("current_setting('transaction_read_only')"), Value(std::string("on")));
  EXPECT_EQ(value("current_setting('lock_timeout')"), Value(std::string("50ms")));
}

TEST_F(PostgresSourceTest, DeniesAnUnknownRole) {
  const std::string_view rest = std::string_view(url_).substr(url_.find("://") + 3);
  const std::size_t at = rest.find('@');
  settings_.url = core::Secret("postgresql://weir_no_such_role:hunter2@" +
                               std::string(at == std::string_view::npos ? rest : rest.substr(at + 1)));
  settings_.password = core::Secret("hunter3");
  const auto connected = open()->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::denied) << connected.error().describe();
  EXPECT_THAT(connected.error().describe(), Not(HasSubstr("hunter")));
}

TEST_F(PostgresSourceTest, DeniesATableWithoutPrivilege) {
  write("DROP ROLE IF EXISTS weir_test_reader");
  write("CREATE ROLE weir_test_reader; CREATE TABLE t (a int); GRANT USAGE ON SCHEMA " + schema_ +
        " TO weir_test_reader");
  settings_.url =
      core::Secret(with_parameters(url_, {{"options", "-csearch_path=" + schema_ + " -crole=weir_test_reader"}}));
  EXPECT_EQ(error_of("SELECT count(*) FROM t").kind, ErrorKind::denied)
      << error_of("SELECT count(*) FROM t").describe();
  write("DROP OWNED BY weir_test_reader; DROP ROLE weir_test_reader");
}

TEST_F(PostgresSourceTest, ComputesTheDialectsExpressions) {
  write(
      "CREATE TABLE t (n int, iso text, local timestamp, zoned timestamptz, day date);"
      "INSERT INTO t VALUES (1, '2026-01-02T03:04:05Z', '2026-01-02 03:04:05', '2026-01-02 05:04:05+02', "
      "'2026-01-02'), "
      "(2, NULL, NULL, NULL, NULL)");
  const Dialect& dialect = postgres_dialect();
  for (const char* column : {"iso", "local", "zoned"}) {
    EXPECT_EQ(value(dialect.epoch_seconds(std::string("max(") + column + ")") + " FROM t"), Value(1767323045.0))
        << column;
  }
  EXPECT_EQ(value(dialect.epoch_seconds("max(day)") + " FROM t"), Value(1767312000.0));
  EXPECT_EQ(value(dialect.average("n") + " FROM t"), Value(1.5));
  const std::vector<double> edges = {1, 2};
  EXPECT_EQ(value(dialect.histogram("n", edges)[1] + " FROM t"), Value(std::int64_t{2}));
  EXPECT_EQ(value(dialect.text_literal("a\\'b")), Value(std::string("a\\'b")));
  const auto columns = open()->query(dialect.columns_of(std::vector<std::string>{schema_, "t"}), {}, {});
  ASSERT_TRUE(columns) << columns.error().describe();
  EXPECT_EQ(columns->rows.size(), 5U);
  EXPECT_EQ(open()->query(dialect.columns_of(std::vector<std::string>{"no", "where"}), {}, {})->rows.size(), 0U);
}

/// Listens on a loopback port and, where a script is given, answers one client with it.
class FakeServer {
 public:
  FakeServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(socket_, 4);
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~FakeServer() { ::close(socket_); }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string url() const {
    return "postgresql://weir:hunter2@127.0.0.1:" + std::to_string(port_) + "/shop?sslmode=disable&gssencmode=disable";
  }

  /// Asks for a password and refuses it, quoting it back as no server should.
  void refuse_one_password() const {
    const int client = ::accept(socket_, nullptr, nullptr);
    std::array<char, 4096> buffer = {};
    (void)!::read(client, buffer.data(), buffer.size());
    const std::string ask("R\0\0\0\x08\0\0\0\x03", 9);
    (void)!::write(client, ask.data(), ask.size());
    const auto size = ::read(client, buffer.data(), buffer.size());
    const std::string given(buffer.data() + 5, static_cast<std::size_t>(std::max<ssize_t>(6, size)) - 6);
    std::string fields = "SFATAL";
    fields += '\0';
    fields += "C28P01";
    fields += '\0';
    fields += "Mpassword authentication failed for user \"weir\" with " + given;
    fields += std::string(2, '\0');
    const auto length = static_cast<std::uint32_t>(fields.size() + 4);
    std::string message = "E";
    for (int shift = 24; shift >= 0; shift -= 8) message += static_cast<char>((length >> shift) & 0xff);
    message += fields;
    (void)!::write(client, message.data(), message.size());
    ::close(client);
  }

 private:
  int socket_;
  int port_ = 0;
};

TEST(PostgresSource, IsDeniedWithTheWrongPasswordWhichIsNotShown) {
  const FakeServer server;
  std::jthread answer([&server] { server.refuse_one_password(); });
  PostgresSettings settings;
  settings.url = core::Secret(server.url());
  settings.password = core::Secret("hunter3 & co");
  const auto connected = make_postgres("warehouse", settings)->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::denied);
  EXPECT_FALSE(connected.error().retryable);
  EXPECT_THAT(connected.error().describe(), HasSubstr("password authentication failed for user \"weir\""));
  EXPECT_THAT(connected.error().describe(), Not(HasSubstr("hunter")));
}

TEST(PostgresSource, GivesUpOnAServerThatDoesNotAnswer) {
  const FakeServer server;  // accepts, says nothing
  PostgresSettings settings;
  settings.url = core::Secret(server.url());
  settings.connect_timeout = seconds(1);
  const auto connected = make_postgres("warehouse", settings)->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::timeout);
}

TEST(PostgresSource, IsUnavailableWhereNothingListens) {
  std::string url;
  {
    const FakeServer gone;
    url = gone.url();
  }
  PostgresSettings settings;
  settings.url = core::Secret(url);
  const auto connected = make_postgres("warehouse", settings)->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(connected.error().retryable);
  EXPECT_THAT(connected.error().message, HasSubstr("127.0.0.1"));
  EXPECT_THAT(connected.error().describe(), Not(HasSubstr("hunter")));
}

}  // namespace
}  // namespace weir::sql
