#include "sql/sqlite.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <thread>

namespace weir::sql {
namespace {

using core::ErrorKind;
using testing::HasSubstr;

class SqliteSourceTest : public testing::Test {
 protected:
  SqliteSourceTest() {
    folder_ =
        std::filesystem::path(testing::TempDir()) /
        ("weir-sqlite-" + std::to_string(::getpid()) + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "shop.db";
  }
  ~SqliteSourceTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_free(message);
    sqlite3_close(database);
  }

  std::unique_ptr<SqlSource> open(core::Duration statement_timeout = std::chrono::seconds(30)) const {
    SqliteSettings settings;
    settings.path = path_;
    settings.busy_timeout = std::chrono::milliseconds(50);
    settings.statement_timeout = statement_timeout;
    return make_sqlite("local", settings);
  }

  core::Error error_of(const std::string& sql) const {
    const auto result = open()->query(sql, {}, {});
    EXPECT_FALSE(result) << sql;
    return result ? core::Error{} : result.error();
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

constexpr const char* kEndless =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

TEST_F(SqliteSourceTest, GivesTypedValues) {
  write("CREATE TABLE t (a, b, c, d, e); INSERT INTO t VALUES (1, 2.5, 'x', NULL, x'0041')");
  const auto table = open()->query("SELECT * FROM t", {}, {});
  ASSERT_TRUE(table) << table.error().describe();
  EXPECT_EQ(table->columns, (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  ASSERT_EQ(table->rows.size(), 1U);
  EXPECT_EQ(table->rows[0], (Row{std::int64_t{1}, 2.5, std::string("x"), std::monostate{}, std::string("\0A", 2)}));
}

TEST_F(SqliteSourceTest, BindsParametersOfEveryType) {
  write("CREATE TABLE t (a)");
  const std::vector<Value> parameters = {std::int64_t{7}, 1.5, std::string("it's; --"), std::monostate{},
                                         core::time_from_seconds(0)};
  const auto table = open()->query("SELECT ?1, ?2, ?3, ?4, ?5", parameters, {});
  ASSERT_TRUE(table) << table.error().describe();
  EXPECT_EQ(table->rows[0], (Row{std::int64_t{7}, 1.5, std::string("it's; --"), std::monostate{},
                                 std::string("1970-01-01T00:00:00.000Z")}));
}

TEST_F(SqliteSourceTest, ReadsNothingButASingleSelect) {
  write("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  for (const char* sql : {"DELETE FROM t", "INSERT INTO t VALUES (2)", "DROP TABLE t", "CREATE TABLE u (a)",
                          "ATTACH '/etc/hostname' AS x", "PRAGMA query_only = OFF", "PRAGMA journal_mode = DELETE",
                          "VACUUM", "BEGIN", "SELECT load_extension('x')"}) {
    EXPECT_EQ(error_of(sql).kind, ErrorKind::denied) << sql;
  }
  for (const char* sql :
       {"SELECT 1; DELETE FROM t", "UPDATE sqlite_master SET sql = ''", "SELECT 1; SELECT 2", "", "-- nothing"}) {
    EXPECT_EQ(error_of(sql).kind, ErrorKind::invalid) << sql;
  }
  EXPECT_EQ(open()->query("SELECT count(*) FROM t;  ", {}, {})->rows[0][0], Value(std::int64_t{1}));
}

TEST_F(SqliteSourceTest, NamesTheMissingTableOrColumn) {
  write("CREATE TABLE t (a)");
  EXPECT_EQ(error_of("SELECT 1 FROM nope").kind, ErrorKind::not_found);
  EXPECT_THAT(error_of("SELECT 1 FROM nope").message, HasSubstr("nope"));
  EXPECT_EQ(error_of("SELECT b FROM t").kind, ErrorKind::not_found);
  EXPECT_EQ(error_of("SELEC 1").kind, ErrorKind::invalid);
}

TEST_F(SqliteSourceTest, NeverTakesAQuotedNameForText) {
  write("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  EXPECT_EQ(error_of("SELECT count(\"no_such_column\") FROM t").kind, ErrorKind::not_found);
}

TEST_F(SqliteSourceTest, StopsAStatementAtItsTimeout) {
  write("CREATE TABLE t (a)");
  const auto source = open(std::chrono::milliseconds(30));
  const auto result = source->query(kEndless, {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::timeout);
  EXPECT_TRUE(result.error().retryable);
  EXPECT_TRUE(source->query("SELECT 1", {}, {})) << "the session is usable afterwards";
}

TEST_F(SqliteSourceTest, StopsAStatementAtTheDeadlineOfTheCaller) {
  write("CREATE TABLE t (a)");
  QueryLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
  EXPECT_EQ(open()->query(kEndless, {}, limits).error().kind, ErrorKind::timeout);
  limits.deadline = std::chrono::steady_clock::now();
  EXPECT_EQ(open()->query("SELECT 1", {}, limits).error().kind, ErrorKind::timeout);
}

TEST_F(SqliteSourceTest, StopsAStatementWhenShuttingDown) {
  write("CREATE TABLE t (a)");
  std::stop_source stop;
  QueryLimits limits;
  limits.stop = stop.get_token();
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_EQ(open()->query(kEndless, {}, limits).error().kind, ErrorKind::cancelled);
  EXPECT_EQ(open()->query("SELECT 1", {}, limits).error().kind, ErrorKind::cancelled);
}

TEST_F(SqliteSourceTest, RefusesAResultOfTooManyRows) {
  write("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)");
  QueryLimits limits;
  limits.rows = 2;
  EXPECT_EQ(open()->query("SELECT a FROM t", {}, limits).error().kind, ErrorKind::limit);
  limits.rows = 3;
  EXPECT_TRUE(open()->query("SELECT a FROM t", {}, limits));
}

TEST_F(SqliteSourceTest, SaysThatTheFileIsMissingAndDoesNotCreateIt) {
  const auto connected = open()->connect({});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::unavailable);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteSourceTest, SaysThatTheFileIsNoDatabase) {
  std::ofstream(path_) << "this is a text file, and longer than the header of a database would be, by far: "
                       << std::string(200, 'x');
  EXPECT_EQ(error_of("SELECT 1").kind, ErrorKind::protocol);
}

TEST_F(SqliteSourceTest, TreatsAFolderAsUnavailable) {
  std::filesystem::create_directory(path_);
  EXPECT_EQ(error_of("SELECT 1").kind, ErrorKind::unavailable);
}

TEST_F(SqliteSourceTest, OpensAReplacedFileAnew) {
  write("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  const auto source = open();
  EXPECT_EQ(source->query("SELECT a FROM t", {}, {})->rows[0][0], Value(std::int64_t{1}));
  std::filesystem::rename(path_, folder_ / "old.db");
  EXPECT_EQ(source->query("SELECT a FROM t", {}, {}).error().kind, ErrorKind::unavailable);
  write("CREATE TABLE t (a); INSERT INTO t VALUES (2)");
  EXPECT_EQ(source->query("SELECT a FROM t", {}, {})->rows[0][0], Value(std::int64_t{2}));
}

TEST_F(SqliteSourceTest, SeesATableDroppedAndCreatedByAnotherProcess) {
  write("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  const auto source = open();
  EXPECT_TRUE(source->query("SELECT a FROM t", {}, {}));
  write("DROP TABLE t");
  EXPECT_EQ(source->query("SELECT a FROM t", {}, {}).error().kind, ErrorKind::not_found);
  write("CREATE TABLE t (a)");
  EXPECT_TRUE(source->query("SELECT a FROM t", {}, {}));
}

TEST_F(SqliteSourceTest, WaitsForAWriterOnlySoLong) {
  write("CREATE TABLE t (a)");
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(error_of("SELECT a FROM t").kind, ErrorKind::unavailable);
  sqlite3_close(writer);
}

TEST_F(SqliteSourceTest, ComputesTheDialectsExpressions) {
  write(
      "CREATE TABLE t (n, w, s, iso, epoch); INSERT INTO t VALUES (1, 1, 'a', '2026-01-02T03:04:05.500Z', "
      "1767323045.5),"
      "(2, 'x', 'b', '2026-01-01', 0)");
  const Dialect& dialect = sqlite_dialect();
  const auto value = [&](const std::string& expression) {
    const auto table = open()->query("SELECT " + expression + " FROM t", {}, {});
    EXPECT_TRUE(table) << table.error().describe();
    return table ? table->rows[0][0] : Value();
  };
  EXPECT_NEAR(std::get<double>(value(dialect.epoch_seconds("max(iso)"))), 1767323045.5, 0.001);
  EXPECT_NEAR(std::get<double>(value(dialect.epoch_seconds("max(epoch)"))), 1767323045.5, 0.001);
  EXPECT_EQ(value(dialect.epoch_seconds("max(s)")), Value());
  EXPECT_EQ(value(dialect.average("n")), Value(1.5));
  EXPECT_EQ(value(dialect.average("w")), Value(std::string("text"))) << "text must not count as 0";
  EXPECT_EQ(value(dialect.count_if("n > 1")), Value(std::int64_t{1}));
  const auto columns = open()->query(dialect.columns_of(std::vector<std::string>{"t"}), {}, {});
  ASSERT_TRUE(columns) << columns.error().describe();
  EXPECT_EQ(columns->rows.size(), 5U);
  EXPECT_EQ(open()->query(dialect.columns_of(std::vector<std::string>{"main", "nope"}), {}, {})->rows.size(), 0U);
}

}  // namespace
}  // namespace weir::sql
