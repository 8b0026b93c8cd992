#include "sql/sqlite_functions.h"

#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "sql/sqlite.h"

namespace weir::sql {
namespace {

using testing::HasSubstr;

/// Each test asks a new file whose table t has the columns n (numbers) and s (text).
class SqliteFunctions : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) / fmt::format("weir-{}-{}.db", ::getpid(), test->name());
    write("CREATE TABLE t (n, s)");
    settings_.path = path_;
    source_ = make_sqlite("local", settings_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void write(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  Value ask(const std::string& expression) const {
    const auto table = source_->query("SELECT " + expression + " FROM t", {}, {});
    EXPECT_TRUE(table) << expression << ": " << table.error().describe();
    return table ? table->rows.at(0).at(0) : Value();
  }
  double number(const std::string& expression) const {
    const Value value = ask(expression);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    const auto* real = std::get_if<double>(&value);
    EXPECT_NE(real, nullptr) << expression;
    return real == nullptr ? std::nan("") : *real;
  }

  const Dialect& dialect_ = sqlite_dialect();
  std::filesystem::path path_;
  SqliteSettings settings_;
  std::unique_ptr<SqlSource> source_;
};

TEST_F(SqliteFunctions, SumsWholeNumbersPastSixtyFourBits) {
  write("INSERT INTO t (n) VALUES (9223372036854775807), (9223372036854775807), (-1), (NULL)");
  EXPECT_DOUBLE_EQ(number(dialect_.sum("n")), 2 * 9223372036854775807.0 - 1);
  EXPECT_EQ(ask("weir_sum(n) FILTER (WHERE n > 0 AND rowid = 1)"), Value(std::int64_t{9223372036854775807}));
}

TEST_F(SqliteFunctions, SumsWhatAPlainSumWouldRoundAway) {
  write("INSERT INTO t (n) VALUES (1e100), (1.0), (-1e100)");
  EXPECT_EQ(number(dialect_.sum("n")), 1.0);
  EXPECT_EQ(number("weir_sum(n * 1e300 * n)"), std::numeric_limits<double>::infinity());
}

TEST_F(SqliteFunctions, AreNullOfNothing) {
  write("INSERT INTO t (n) VALUES (NULL)");
  EXPECT_EQ(ask(dialect_.sum("n")), Value());
  EXPECT_EQ(ask(dialect_.deviation(Deviation::stddev_pop, "n")), Value());
  EXPECT_EQ(ask(*dialect_.percentile(Percentile::continuous, "n", 0.5)), Value());
  write("DELETE FROM t");
  EXPECT_EQ(ask(dialect_.sum("n")), Value());
  EXPECT_EQ(ask(dialect_.deviation(Deviation::var_samp, "n")), Value());
  EXPECT_EQ(ask(*dialect_.percentile(Percentile::discrete, "n", 0.5)), Value());
}

TEST_F(SqliteFunctions, MeasureTheSpreadOfLargeNumbers) {
  write("INSERT INTO t (n) VALUES (1e9 + 4), (1e9 + 7), (1e9 + 13), (1e9 + 16)");
  EXPECT_DOUBLE_EQ(number(dialect_.deviation(Deviation::var_samp, "n")), 30.0);
  EXPECT_DOUBLE_EQ(number(dialect_.deviation(Deviation::var_pop, "n")), 22.5);
  EXPECT_DOUBLE_EQ(number(dialect_.deviation(Deviation::stddev_samp, "n")), std::sqrt(30.0));
  EXPECT_DOUBLE_EQ(number(dialect_.deviation(Deviation::stddev_pop, "n")), std::sqrt(22.5));
  EXPECT_EQ(ask("weir_var_samp(n) FILTER (WHERE rowid = 1)"), Value());
  EXPECT_EQ(ask("weir_var_pop(n) FILTER (WHERE rowid = 1)"), Value(0.0));
}

TEST_F(SqliteFunctions, FindPercentilesAsTheirQueryDoes) {
  write("INSERT INTO t (n) VALUES (15), (20), (35), (40), (50), (NULL)");
  EXPECT_DOUBLE_EQ(number(*dialect_.percentile(Percentile::continuous, "n", 0.4)), 29.0);
  EXPECT_DOUBLE_EQ(number(*dialect_.percentile(Percentile::discrete, "n", 0.4)), 20.0);
  for (const double p : {0.0, 0.05, 0.25, 0.5, 0.9, 0.95, 1.0}) {
    for (const Percentile method : {Percentile::continuous, Percentile::discrete}) {
      const auto query = source_->query(dialect_.percentile_query(method, "n", p, "\"t\"", "n <> 20"), {}, {});
      ASSERT_TRUE(query) << query.error().describe();
      const double aggregate = number(*dialect_.percentile(method, "n", p) + " FILTER (WHERE n <> 20)");
      EXPECT_DOUBLE_EQ(std::get<double>(query->rows.at(0).at(0)), aggregate) << p;
    }
  }
}

TEST_F(SqliteFunctions, DoNotMeasureText) {
  write("INSERT INTO t (n) VALUES (1), ('x')");
  for (const std::string& sql :
       {dialect_.sum("n"), dialect_.deviation(Deviation::stddev_samp, "n"),
        *dialect_.percentile(Percentile::continuous, "n", 0.5), plain_sqlite_dialect().sum("n"),
        plain_sqlite_dialect().deviation(Deviation::var_pop, "n")}) {
    EXPECT_EQ(ask(sql), Value(std::string("text"))) << sql;
  }
}

TEST_F(SqliteFunctions, MatchAnywhereInTheText) {
  write("INSERT INTO t (s) VALUES ('ab' || char(10) || 'it''s 12')");
  EXPECT_EQ(ask(*dialect_.matches("s", "it's \\d+$")), Value(std::int64_t{1}));
  EXPECT_EQ(ask(*dialect_.matches("s", "b.i")), Value(std::int64_t{1}));
  EXPECT_EQ(ask(*dialect_.matches("s", "^it")), Value(std::int64_t{0}));
  EXPECT_EQ(ask(*dialect_.matches("s", "AB")), Value(std::int64_t{0}));
  EXPECT_EQ(ask(*dialect_.matches("n", "x")), Value());
  EXPECT_EQ(ask(*dialect_.matches("12", "^[0-9]+$")), Value(std::int64_t{1}));
}

TEST_F(SqliteFunctions, RefuseAPatternThatCannotBeRead) {
  write("INSERT INTO t (s) VALUES ('x')");
  const auto answer = source_->query("SELECT " + *dialect_.matches("s", "(") + " FROM t", {}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, core::ErrorKind::invalid);
  EXPECT_THAT(answer.error().message, HasSubstr("regular expression"));
}

TEST_F(SqliteFunctions, CountChangesOfTheFile) {
  const auto counters = [&](SqlSource& source) {
    const auto table = source.query(*dialect_.change_counters(std::vector<std::string>{"t"}), {}, {});
    EXPECT_TRUE(table) << table.error().describe();
    return table->rows.at(0);
  };
  const auto before = counters(*source_);
  EXPECT_EQ(counters(*source_), before);
  write("INSERT INTO t (n) VALUES (1)");
  EXPECT_NE(counters(*source_), before);
  const auto other = make_sqlite("local", settings_);
  EXPECT_NE(counters(*other)[1], before[1]) << "another connection counts anew";
}

TEST_F(SqliteFunctions, TheDialectTellsOfTimes) {
  write(
      "INSERT INTO t (n, s) VALUES (-1, '1969-12-31T23:59:59Z'), (3599.5, '1970-01-01 00:59:59.500'), (3600, "
      "'1970-01-01 01:00')");
  for (const std::string column : {"n", "s"}) {
    EXPECT_EQ(ask("group_concat(" + dialect_.time_bucket(column, 3600) + ", ' ')"), Value(std::string("-3600 0 3600")))
        << column;
    EXPECT_EQ(ask(dialect_.count_if(dialect_.at_or_after(column, core::time_from_seconds(3599.5)))),
              Value(std::int64_t{2}));
    EXPECT_EQ(ask(dialect_.count_if(dialect_.before(column, core::time_from_seconds(3600)))), Value(std::int64_t{2}));
  }
  EXPECT_NEAR(number("max(" + dialect_.seconds_between("s", "n") + ")"), 0, 0.001);
}

TEST_F(SqliteFunctions, TheDialectReadsTheCatalog) {
  write(
      "CREATE TABLE u (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT, UNIQUE (a, b)); CREATE VIEW v AS SELECT 1;"
      "CREATE UNIQUE INDEX part ON u (b) WHERE b > 'x'; CREATE UNIQUE INDEX expr ON u (lower(a));"
      "CREATE UNIQUE INDEX just_a ON u (a)");
  const auto rows = [&](const std::string& sql) {
    const auto table = source_->query(sql, {}, {});
    EXPECT_TRUE(table) << table.error().describe();
    return table ? table->rows : std::vector<Row>();
  };
  const std::vector<std::string> u = {"U"};
  const auto unique = rows(*dialect_.unique_indexes_of(u));
  ASSERT_EQ(unique.size(), 4U);
  EXPECT_EQ(unique[0], (Row{std::string("just_a"), std::string("a"), std::int64_t{1}, std::int64_t{1}}));
  EXPECT_EQ(unique[1], (Row{std::string("rowid"), std::string("id"), std::int64_t{1}, std::int64_t{1}}));
  EXPECT_EQ(unique[2][1], Value(std::string("a")));
  EXPECT_EQ(unique[3], (Row{unique[2][0], std::string("b"), std::int64_t{2}, std::int64_t{0}}));
  EXPECT_EQ(rows(dialect_.kind_of(u)), (std::vector<Row>{{std::string("table")}}));
  EXPECT_EQ(rows(dialect_.kind_of(std::vector<std::string>{"main", "v"})), (std::vector<Row>{{std::string("view")}}));
  EXPECT_TRUE(rows(dialect_.kind_of(std::vector<std::string>{"nope"})).empty());
  EXPECT_EQ(rows(dialect_.tables()).size(), 3U);
}

}  // namespace
}  // namespace weir::sql
