#include "sql/mysql.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mysql.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "sql/mysql_errors.h"

#include "support/engines/engines.h"

namespace weir::sql {
namespace {

using core::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

std::string setting(std::string_view key) { return server_setting("WEIR_TEST_MARIADB", key); }

/// A database of its own on the server that WEIR_TEST_MARIADB names.
class MysqlSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(std::getenv("WEIR_TEST_MARIADB"), nullptr) << "WEIR_TEST_MARIADB is not set: these tests need a MariaDB "
                                                            "server. Run them with ./tests/run, which starts one.";
    database_ = "weir_mysql_" + std::to_string(::getpid());
    settings_.host = setting("host");
    settings_.port = static_cast<std::uint16_t>(std::stoi(setting("port")));
    settings_.user = setting("user");
    settings_.password = core::Secret(setting("password"));
    settings_.ca_file = setting("ca");
    settings_.database = database_;
    settings_.lock_timeout = seconds(1);
    admin_.reset(mysql_init(nullptr));
    ASSERT_NE(mysql_real_connect(admin_.get(), nullptr, setting("user").c_str(), setting("password").c_str(), nullptr,
                                 0, setting("socket").c_str(), CLIENT_MULTI_STATEMENTS),
              nullptr)
        << mysql_error(admin_.get());
    write("DROP DATABASE IF EXISTS " + database_ + "; CREATE DATABASE " + database_ + " CHARACTER SET utf8mb4; USE " +
          database_);
  }
  void TearDown() override { write("DROP DATABASE IF EXISTS " + database_); }

  void write(const std::string& sql) const {
    int status = mysql_real_query(admin_.get(), sql.data(), sql.size());
    EXPECT_EQ(status, 0) << sql << ": " << mysql_error(admin_.get());
    while (status == 0) {
      mysql_free_result(mysql_store_result(admin_.get()));
      status = mysql_next_result(admin_.get());
    }
  }

  std::unique_ptr<SqlSource> open() const { return make_mysql("warehouse", settings_); }

  Value value(const std::string& expression) const {
    const auto table = open()->query("SELECT " + expression, {}, {});
    EXPECT_TRUE(table) << expression << ": " << table.error().describe();
    return table ? table->rows.at(0).at(0) : Value();
  }
  core::Error error_of(const std::string& sql) const {
    const auto result = open()->query(sql, {}, {});
    EXPECT_FALSE(result) << sql;
    return result ? core::Error{} : result.error();
  }
  core::Error connect_error() const {
    const auto connected = open()->connect({});
    EXPECT_FALSE(connected);
    return connected ? core::Error{} : connected.error();
  }

  struct Close {
    void operator()(MYSQL* connection) const { mysql_close(connection); }
  };
  std::string database_;
  MysqlSettings settings_;
  std::unique_ptr<MYSQL, Close> admin_;
};

TEST_F(MysqlSourceTest, GivesValuesOfEveryType) {
  write(
      "SET sql_mode = ''; CREATE TABLE t (a tinyint, b bigint unsigned, c decimal(30,10), d float, e date, f "
      "datetime(6), g timestamp(3), "
      "h time, i year, j bit(10), k json, l enum('x','y'), m varbinary(10), n decimal(20,0), o bool, p date, q "
      "datetime);"
      "SET time_zone = '+03:00'; INSERT INTO t VALUES (-1, 18446744073709551615, 1234567890.0123456789, 0.5, "
      "'1970-01-02', "
      "'1970-01-01 00:00:01.500999', '1970-01-01 03:00:02', '-10:11:12', 2026, b'1000000001', '{\"a\": 1}', 'y', "
      "X'00FF', "
      "12345678901234567890, true, '0000-00-00', '2026-00-00 00:00:00')");
  const auto table = open()->query("SELECT * FROM t", {}, {});
  ASSERT_TRUE(table) << table.error().describe();
  const Row expected = {std::int64_t{-1},
                        18446744073709551615.0,
                        1234567890.0123456789,
                        0.5,
                        core::time_from_seconds(86400),
                        core::time_from_seconds(1.5),
                        core::time_from_seconds(2),
                        std::string("-10:11:12"),
                        std::int64_t{2026},
                        std::int64_t{513},
                        std::string("{\"a\": 1}"),
                        std::string("y"),
                        std::string("\0\xff", 2),
                        12345678901234567890.0,
                        std::int64_t{1},
                        std::string("0000-00-00"),
                        std::string("2026-00-00 00:00:00")};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(table->rows.at(0).at(i), expected[i]) << table->columns[i];
}

TEST_F(MysqlSourceTest, SumsWholeNumbersExactly) {
  write("CREATE TABLE t (a bigint); INSERT INTO t VALUES (9007199254740993), (2)");
  EXPECT_EQ(value("sum(a) FROM t"), Value(std::int64_t{9007199254740995}));
}

TEST_F(MysqlSourceTest, SpeaksUtcAndIsReadOnly) {
  EXPECT_EQ(value("@@time_zone"), Value(std::string("+00:00")));
  EXPECT_EQ(value("@@sql_mode"), Value(std::string("")));
  EXPECT_EQ(value("@@innodb_lock_wait_timeout"), Value(std::int64_t{1}));
}

TEST_F(MysqlSourceTest, RunsNothingThatGivesNoRows) {
  write(
      "CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE PROCEDURE p() INSERT INTO t VALUES (2);"
      "CREATE FUNCTION f() RETURNS int BEGIN DELETE FROM t; RETURN 1; END");
  const std::string file = "/tmp/weir-mysql-outfile-" + std::to_string(::getpid());
  for (const std::string& sql :
       {std::string("CALL p()"), "SELECT a FROM t INTO OUTFILE '" + file + "'", std::string("SELECT a INTO @x FROM t"),
        std::string("KILL 1"), std::string("SELECT f()"), std::string("SHUTDOWN"), std::string("DO f()"),
        std::string("SELECT 1 /*! INTO @x */"), std::string("/*!50000 DELETE FROM t */"),
        std::string("EXPLAIN DELETE FROM t"), std::string("ANALYZE DELETE FROM t"),
        std::string("INSERT INTO t VALUES (3) RETURNING a"), std::string("SET GLOBAL max_connections = 1")}) {
    EXPECT_EQ(error_of(sql).kind, ErrorKind::denied) << sql << ": " << error_of(sql).describe();
  }
  EXPECT_NE(::access(file.c_str(), F_OK), 0);
  EXPECT_EQ(value("count(*) FROM t"), Value(std::int64_t{1}));
}

TEST_F(MysqlSourceTest, WaitsForALockOnlySoLong) {
  write("CREATE TABLE t (a int); LOCK TABLES t WRITE");
  const core::Error error = error_of("SELECT count(*) FROM t");
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_THAT(error.message, HasSubstr("waited longer than 1s for a lock"));
  write("UNLOCK TABLES");
}

TEST_F(MysqlSourceTest, ReconnectsWithinTheCallWhenAKeptSessionDied) {
  const auto source = open();
  const auto id = source->query("SELECT connection_id()", {}, {});
  ASSERT_TRUE(id) << id.error().describe();
  write("KILL " + std::to_string(std::get<std::int64_t>(id->rows[0][0])));
  const auto again = source->query("SELECT connection_id()", {}, {});
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_NE(again->rows[0][0], id->rows[0][0]);
}

TEST_F(MysqlSourceTest, IsUsableAfterALimit) {
  QueryLimits limits;
  limits.rows = 10;
  const auto source = open();
  EXPECT_EQ(source->query("SELECT seq FROM seq_1_to_100000000", {}, limits).error().kind, ErrorKind::limit);
  EXPECT_TRUE(source->query("SELECT 1", {}, {}));
}

TEST_F(MysqlSourceTest, RefusesAResultThatIsTooLarge) {
  const core::Error error = error_of("SELECT repeat('x', 10000000) FROM seq_1_to_100");
  EXPECT_EQ(error.kind, ErrorKind::limit) << error.describe();
  const core::Error row = error_of("SELECT " + std::string("repeat('x', 15000000), repeat('x', 15000000), repeat('x', "
                                                           "15000000), repeat('x', 15000000), repeat('x', 15000000)"));
  // The server itself gives up on a row longer than its max_allowed_packet, by closing the connection.
  EXPECT_THAT(row.kind, testing::AnyOf(ErrorKind::limit, ErrorKind::unavailable)) << row.describe();
}

TEST_F(MysqlSourceTest, DeniesAWrongPasswordWhichIsNotShown) {
  settings_.password = core::Secret("hunter2");
  const core::Error error = connect_error();
  EXPECT_EQ(error.kind, ErrorKind::denied) << error.describe();
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.describe(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(error.message, HasSubstr("cannot connect to 127.0.0.1:"));
}

TEST_F(MysqlSourceTest, NamesAMissingDatabase) {
  settings_.database = "nope";
  EXPECT_EQ(connect_error().kind, ErrorKind::not_found);
}

TEST_F(MysqlSourceTest, DeniesATableWithoutPrivilege) {
  write(
      "CREATE TABLE t (a int); DROP USER IF EXISTS weir_poor; CREATE USER weir_poor IDENTIFIED BY 'x'; GRANT SELECT "
      "ON " +
      database_ + ".u TO weir_poor");
  settings_.user = "weir_poor";
  settings_.password = core::Secret("x");
  EXPECT_EQ(error_of("SELECT count(*) FROM t").kind, ErrorKind::denied);
  write("DROP USER weir_poor");
}

TEST_F(MysqlSourceTest, EncryptsAndVerifies) {
  const auto cipher = open()->query(
      "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'SSL_VERSION'", {}, {});
  ASSERT_TRUE(cipher) << cipher.error().describe();
  EXPECT_THAT(std::get<std::string>(cipher->rows.at(0).at(0)), HasSubstr("TLSv1."));
}

TEST_F(MysqlSourceTest, DeniesACertificateThatIsNotTrusted) {
  settings_.ca_file.clear();  // the system's authorities do not know the test's
  const core::Error error = connect_error();
  EXPECT_EQ(error.kind, ErrorKind::denied) << error.describe();
  EXPECT_THAT(error.message, HasSubstr("certificate"));
  settings_.tls = MysqlTls::unverified;
  EXPECT_TRUE(open()->connect({}));
}

TEST_F(MysqlSourceTest, DeniesACertificateOfAnotherHost) {
  settings_.host = "localhost";  // the certificate is for 127.0.0.1
  const core::Error error = connect_error();
  EXPECT_EQ(error.kind, ErrorKind::denied) << error.describe();
}

TEST_F(MysqlSourceTest, SpeaksThroughASocketWithoutTls) {
  settings_.socket = setting("socket");
  settings_.ca_file.clear();
  EXPECT_TRUE(open()->connect({}));
  settings_.socket = "/nowhere/mariadb.sock";
  EXPECT_EQ(connect_error().kind, ErrorKind::unavailable);
}

TEST_F(MysqlSourceTest, SpeaksInTheClearOnlyWhenToldTo) {
  settings_.tls = MysqlTls::off;
  const auto source = open();
  const auto cipher = source->query(
      "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'SSL_VERSION'", {}, {});
  ASSERT_TRUE(cipher) << cipher.error().describe();
  EXPECT_EQ(cipher->rows.at(0).at(0), Value(std::string()));
}

/// A loopback port that is listened on, but where nobody answers.
class Silence {
 public:
  Silence() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(socket_, 4);
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Silence() { ::close(socket_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

TEST(MysqlSource, GivesUpOnAServerThatDoesNotAnswer) {
  const Silence silence;
  MysqlSettings settings;
  settings.port = silence.port();
  settings.user = "weir";
  settings.connect_timeout = seconds(1);
  const auto start = std::chrono::steady_clock::now();
  const auto connected = make_mysql("warehouse", settings)->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::timeout) << connected.error().describe();
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(MysqlSource, IsUnavailableWhereNothingListens) {
  MysqlSettings settings;
  settings.port = [] { return Silence().port(); }();
  settings.user = "weir";
  settings.password = core::Secret("hunter2");
  const auto connected = make_mysql("warehouse", settings)->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::unavailable) << connected.error().describe();
  EXPECT_TRUE(connected.error().retryable);
  settings.host = "no-such-host.invalid";
  EXPECT_EQ(make_mysql("warehouse", settings)->connect({}).error().kind, ErrorKind::unavailable);
}

TEST(MysqlErrors, AreSortedByTheirNumbers) {
  EXPECT_EQ(kind_of_mysql_error(1045, ""), ErrorKind::denied);
  EXPECT_EQ(kind_of_mysql_error(1146, ""), ErrorKind::not_found);
  EXPECT_EQ(kind_of_mysql_error(1969, ""), ErrorKind::timeout);
  EXPECT_EQ(kind_of_mysql_error(3024, ""), ErrorKind::timeout);
  EXPECT_EQ(kind_of_mysql_error(1064, ""), ErrorKind::invalid);
  EXPECT_EQ(kind_of_mysql_error(2002, "Can't connect to server on 'x' (111)"), ErrorKind::unavailable);
  EXPECT_EQ(kind_of_mysql_error(2002, "Can't connect to server on 'x' (110)"), ErrorKind::timeout);
  EXPECT_EQ(kind_of_mysql_error(9999, ""), ErrorKind::invalid);
}

}  // namespace
}  // namespace weir::sql
