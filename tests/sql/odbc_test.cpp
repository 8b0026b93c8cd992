#include "sql/odbc.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <regex>
#include <sys/socket.h>
#include <unistd.h>

#include "sql/odbc_errors.h"
#include "sql/odbc_session.h"

namespace weir::sql {
namespace {

using core::ErrorKind;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

core::Error connect_error(const OdbcSettings& settings) {
  const auto connected = make_odbc("warehouse", settings)->connect({});
  EXPECT_FALSE(connected);
  return connected ? core::Error{} : connected.error();
}

OdbcSettings postgres(const std::string& rest) {
  OdbcSettings settings;
  settings.connection = core::Secret("Driver={PostgreSQL Unicode};SSLmode=disable;" + rest);
  settings.user = "weir";
  settings.password = core::Secret("hunter2 & {co}");
  settings.dialect = &odbc_postgres_dialect();
  settings.connect_timeout = seconds(1);
  return settings;
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
    port_ = std::to_string(ntohs(address.sin_port));
  }
  ~Silence() { ::close(socket_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  const std::string& port() const { return port_; }

 private:
  int socket_;
  std::string port_;
};

TEST(OdbcSource, SaysWhichDriverOrEntryIsMissing) {
  OdbcSettings settings;
  settings.dialect = &odbc_postgres_dialect();
  settings.connection = core::Secret("Driver={No Such Driver};PWD=hunter2");
  core::Error error = connect_error(settings);
  EXPECT_EQ(error.kind, ErrorKind::invalid) << error.describe();
  EXPECT_THAT(error.describe(), HasSubstr("No Such Driver"));
  EXPECT_THAT(error.describe(), Not(HasSubstr("hunter2")));
  settings.connection = core::Secret("");
  settings.dsn = "no_such_entry";
  error = connect_error(settings);
  EXPECT_EQ(error.kind, ErrorKind::invalid) << error.describe();
  EXPECT_THAT(error.message, HasSubstr("Data source name not found"));
}

TEST(OdbcSource, IsUnavailableWhereNothingListens) {
  const std::string port = [] { return Silence().port(); }();
  const core::Error error = connect_error(postgres("Server=127.0.0.1;Port=" + port + ";Database=x;"));
  EXPECT_EQ(error.kind, ErrorKind::unavailable) << error.describe();
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.describe(), Not(HasSubstr("hunter2")));
}

TEST(OdbcSource, GivesUpOnAServerThatDoesNotAnswer) {
  const Silence silence;
  const auto start = std::chrono::steady_clock::now();
  const core::Error error = connect_error(postgres("Server=127.0.0.1;Port=" + silence.port() + ";Database=x;"));
  EXPECT_EQ(error.kind, ErrorKind::timeout) << error.describe();
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(OdbcSource, DeniesAWrongPasswordWhichIsNotShown) {
  const char* url = std::getenv("WEIR_TEST_POSTGRES");
  ASSERT_NE(url, nullptr) << "WEIR_TEST_POSTGRES is not set: run these tests with ./tests/run";
  std::cmatch parts;
  ASSERT_TRUE(std::regex_match(url, parts, std::regex("postgres(?:ql)?://[^@]*@([^:/]*):?([0-9]*)/([^?]*).*")));
  const core::Error error = connect_error(
      postgres("Server=" + parts[1].str() + ";Port=" + parts[2].str() + ";Database=" + parts[3].str() + ";"));
  EXPECT_EQ(error.kind, ErrorKind::denied) << error.describe();
  EXPECT_THAT(error.describe(), HasSubstr("password authentication failed"));
  EXPECT_THAT(error.describe(), Not(HasSubstr("hunter2")));
}

TEST(OdbcErrors, AreSortedByTheirStateAndWords) {
  const auto kind = [](std::string state, std::string message) {
    return kind_of_odbc({.state = std::move(state), .message = std::move(message)});
  };
  EXPECT_EQ(kind("HYT00", "Timeout expired"), ErrorKind::timeout);
  EXPECT_EQ(kind("42S02", "whatever"), ErrorKind::not_found);
  EXPECT_EQ(kind("42P01", "whatever"), ErrorKind::not_found);
  EXPECT_EQ(kind("57014", "whatever"), ErrorKind::timeout);
  EXPECT_EQ(kind("28000", "whatever"), ErrorKind::denied);
  EXPECT_EQ(kind("08S01", "communication link failure"), ErrorKind::unavailable);
  EXPECT_EQ(kind("08001", "password authentication failed"), ErrorKind::denied);
  EXPECT_EQ(kind("08001", "timeout expired"), ErrorKind::timeout);
  EXPECT_EQ(kind("HY000", "[SQLite]no such table: t (1)"), ErrorKind::not_found);
  EXPECT_EQ(kind("HY000", "Access Denied: Table x: User does not have permission"), ErrorKind::denied);
  EXPECT_EQ(kind("42000", "SQL compilation error: Object 'T' does not exist or not authorized."), ErrorKind::denied);
  EXPECT_EQ(kind("42000", "syntax error"), ErrorKind::invalid);
  EXPECT_EQ(kind("IM002", "Data source name not found"), ErrorKind::invalid);
  EXPECT_EQ(kind("", ""), ErrorKind::invalid);
  EXPECT_EQ(words_of({.state = "", .message = "[unixODBC][Driver Manager] Data source name not found\nmore"}),
            "Data source name not found");
  EXPECT_EQ(words_of({.state = "", .message = "[[["}), "[[[");
}

TEST(OdbcSession, HoldsEveryEngineToReading) {
  for (const OdbcDialect& dialect : odbc_dialects()) {
    const OdbcSession session = odbc_session(dialect.name, seconds(30), seconds(2), "dataset=t' check=*/");
    std::string all = session.suffix;
    for (const auto* list : {&session.once, &session.before, &session.after}) {
      for (const Preparation& one : *list) all += one.sql + "\n";
    }
    const bool reads = all.find("READ ONLY") != std::string::npos || all.find("query_only") != std::string::npos;
    const bool rolled_back = !session.autocommit;
    const bool by_guard_alone = dialect.name == "bigquery" || dialect.name == "snowflake" ||
                                dialect.name == "databricks" || dialect.name == "clickhouse" || dialect.name == "trino";
    EXPECT_NE(reads || rolled_back, by_guard_alone) << dialect.name;
    EXPECT_THAT(all, Not(HasSubstr("t' check"))) << dialect.name << ": a tag is no SQL";
  }
}

TEST(OdbcSession, GivesTheServerTheTimeouts) {
  const auto first = [](std::string_view dialect) {
    return odbc_session(dialect, std::chrono::milliseconds(1500), seconds(2), "x").before.at(0).sql;
  };
  EXPECT_THAT(first("snowflake"), HasSubstr("STATEMENT_TIMEOUT_IN_SECONDS = 2, QUERY_TAG = 'weir x'"));
  EXPECT_THAT(first("redshift"), HasSubstr("statement_timeout TO 1500"));
  EXPECT_THAT(first("trino"), HasSubstr("query_max_run_time = '1500ms'"));
  EXPECT_THAT(first("sqlserver"), HasSubstr("LOCK_TIMEOUT 1500"));
  EXPECT_THAT(first("mysql"), HasSubstr("max_statement_time = 1.500"));
}

}  // namespace
}  // namespace weir::sql
