#include "quality/profile.h"

#include <filesystem>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/check_file.h"
#include "quality/probe.h"
#include "quality/run.h"
#include "sql/sqlite.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;
using testing::Not;

const core::Time kNow = core::time_from_seconds(1'700'000'000);  // 2023-11-14 22:13:20

ColumnProfile column(std::string name, ColumnProfile::Kind kind, double missing, double distinct,
                     std::optional<double> least, std::optional<double> most) {
  return {.name = std::move(name),
          .type = "t",
          .kind = kind,
          .missing = missing,
          .distinct = distinct,
          .least = least,
          .most = most,
          .format = {}};
}

std::string proposed(std::vector<ColumnProfile> columns, double rows = 100) {
  return config::to_yaml(propose_checks({{"sales", "Odd name"}, rows, rows, std::move(columns)}, kNow));
}

TEST(ProposalTest, AnEmptyTableGivesItsSchemaAlone) {
  const std::string text = proposed({column("id", ColumnProfile::Kind::number, 0, 0, {}, {})}, 0);
  EXPECT_THAT(text, HasSubstr("checks for sales.\"Odd name\":"));
  EXPECT_THAT(text, HasSubstr("when required column missing"));
  EXPECT_THAT(text, Not(HasSubstr("count")));
}

TEST(ProposalTest, RowsAndRangesHaveMargins) {
  const std::string text = proposed({column("amount", ColumnProfile::Kind::number, 0, 50, 10, 20.5)});
  EXPECT_THAT(text, HasSubstr("row_count between 50 and 200"));
  EXPECT_THAT(text, HasSubstr("missing_count(amount) = 0"));
  EXPECT_THAT(text, HasSubstr("valid min: 4\n"));
  EXPECT_THAT(text, HasSubstr("valid max: 26\n"));
  EXPECT_THAT(text, Not(HasSubstr("duplicate_count")));
  EXPECT_THAT(proposed({column("n", ColumnProfile::Kind::number, 0, 5, 0, 8)}), HasSubstr("valid min: 0\n"))
      << "not below 0 where nothing is";
}

TEST(ProposalTest, ANumberThatCountsUpHasNoLargest) {
  const std::string text = proposed({column("id", ColumnProfile::Kind::number, 0, 100, 1, 100)});
  EXPECT_THAT(text, HasSubstr("valid min: 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("valid max")));
}

TEST(ProposalTest, AFewTextsAreTheValidOnes) {
  ColumnProfile status = column("status", ColumnProfile::Kind::text, 0, 2, 3, 4);
  status.values = {"new", "paid"};
  const std::string text = proposed({status});
  EXPECT_THAT(text, HasSubstr("valid values: [new, paid]"));
  EXPECT_THAT(text, Not(HasSubstr("length")));
}

TEST(ProposalTest, NamesThatLookLikeVariablesAreEscaped) {
  const std::string text = proposed({column("${var}", ColumnProfile::Kind::number, 0, 5, 1, 8)});
  config::Diagnostics diagnostics;
  const auto datasets = parse_check_file(config::parse_yaml(text, "x.yml", diagnostics), diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string() << text;
  EXPECT_EQ(datasets.at(0).checks.at(2).probe->columns(), (std::vector<std::string>{"${var}"}));
}

TEST(ProposalTest, MissingValuesMayDouble) {
  EXPECT_THAT(proposed({column("a", ColumnProfile::Kind::other, 7, 0, {}, {})}),
              HasSubstr("missing_percent(a) <= 14%"));
  EXPECT_THAT(proposed({column("a", ColumnProfile::Kind::other, 60, 0, {}, {})}), Not(HasSubstr("missing_")));
  EXPECT_THAT(proposed({column("a", ColumnProfile::Kind::other, 100, 0, {}, {})}), Not(HasSubstr("missing_")));
}

TEST(ProposalTest, OnlyManyWholeValuesAreUnique) {
  EXPECT_THAT(proposed({column("id", ColumnProfile::Kind::number, 0, 100, 1, 100)}),
              HasSubstr("duplicate_count(id) = 0"));
  EXPECT_THAT(proposed({column("f", ColumnProfile::Kind::number, 0, 100, 1.5, 100)}),
              Not(HasSubstr("duplicate_count")));
  EXPECT_THAT(proposed({column("id", ColumnProfile::Kind::number, 0, 9, 1, 9)}, 9), Not(HasSubstr("duplicate_count")));
  EXPECT_THAT(proposed({column("at", ColumnProfile::Kind::time, 0, 100, 1, 100)}), Not(HasSubstr("duplicate_count")));
}

TEST(ProposalTest, TheNewestTimeOfThePastIsItsFreshness) {
  const double now = core::to_seconds(kNow);
  using Kind = ColumnProfile::Kind;
  EXPECT_THAT(proposed({column("old", Kind::time, 0, 9, 0, now - 90000), column("new", Kind::time, 0, 9, 0, now - 7000),
                        column("due", Kind::time, 0, 9, 0, now + 50)}),
              HasSubstr("freshness(new) < 4h"));
  EXPECT_THAT(proposed({column("new", Kind::time, 0, 9, 0, now - 1)}), HasSubstr("freshness(new) < 1h"));
  EXPECT_THAT(proposed({column("old", Kind::time, 0, 9, 0, now - 400.0 * 86400)}), Not(HasSubstr("freshness")));
}

/// A table in SQLite, with what a column may hold.
class ProfileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / fmt::format("weir_profile_{}.db", ::getpid());
    std::filesystem::remove(path_);
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    const char* sql =
        "CREATE TABLE \"Odd t\" (id INTEGER, \"e \"\"mail\" TEXT, amount REAL, note TEXT, at TIMESTAMP, data BLOB);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40) "
        "INSERT INTO \"Odd t\" SELECT i, 'a' || i || '@b.org', i * 1.5, "
        "CASE WHEN i % 4 > 0 THEN 'n' || i END, '2023-11-14 20:00:' || printf('%02d', i), x'00' FROM n";
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
    source_ = sql::make_sqlite("own", {.path = path_.string()});
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::filesystem::path path_;
  std::unique_ptr<sql::SqlSource> source_;
};

TEST_F(ProfileTest, SeesTheValuesOfATextWithFew) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database,
                         "CREATE TABLE few (status TEXT, name TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
                         "i + 1 FROM n LIMIT 90) INSERT INTO few SELECT CASE i % 3 WHEN 0 THEN 'a''b' WHEN 1 THEN 'c' "
                         "END, 'n' || i FROM n",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  const auto seen = profile_table({"few"}, *source_, {});
  ASSERT_TRUE(seen) << seen.error().describe();
  EXPECT_THAT(seen->columns[0].values, testing::ElementsAre("a'b", "c"));
  EXPECT_THAT(seen->columns[1].values, testing::IsEmpty());
  ProfileLimits part;
  part.rows = 60;
  const auto some = profile_table({"few"}, *source_, {}, part);
  ASSERT_TRUE(some);
  EXPECT_THAT(some->columns[0].values, testing::IsEmpty()) << "not all rows were seen";
}

TEST_F(ProfileTest, SeesWhatIsInATable) {
  const auto seen = profile_table({"Odd t"}, *source_, {});
  ASSERT_TRUE(seen) << seen.error().describe();
  EXPECT_EQ(seen->rows, 40);
  ASSERT_EQ(seen->columns.size(), 6U);
  EXPECT_EQ(seen->columns[0].distinct, 40);
  EXPECT_EQ(seen->columns[0].most, 40);
  EXPECT_EQ(seen->columns[1].format, "email");
  EXPECT_EQ(seen->columns[3].missing, 10);
  EXPECT_EQ(seen->columns[3].least, 2);
  EXPECT_NEAR(seen->columns[4].most.value_or(0), 1'699'992'040, 1);
  EXPECT_EQ(seen->columns[5].kind, ColumnProfile::Kind::other);
}

TEST_F(ProfileTest, LooksAtNoMoreRowsThanItMay) {
  const auto seen = profile_table({"Odd t"}, *source_, {}, {.rows = 10, .columns = 6});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->rows, 40);
  EXPECT_EQ(seen->sampled, 10);
  const auto wide = profile_table({"Odd t"}, *source_, {}, {.rows = 10, .columns = 5});
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().kind, core::ErrorKind::limit);
}

TEST_F(ProfileTest, NamesATableThatIsNotThere) {
  const auto seen = profile_table({"nope\"; DROP TABLE t; --"}, *source_, {});
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind, core::ErrorKind::not_found);
  EXPECT_THAT(seen.error().message, HasSubstr("\"nope\"\"; DROP"));
}

TEST_F(ProfileTest, ProposesChecksThatTheTablePasses) {
  const auto seen = profile_table({"Odd t"}, *source_, {});
  ASSERT_TRUE(seen);
  const std::string text = config::to_yaml(propose_checks(*seen, kNow));
  config::Diagnostics diagnostics;
  const auto datasets = parse_check_file(config::parse_yaml(text, "x.yml", diagnostics), diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string() << text;
  const auto run = CheckRun({.source = "own", .session = *source_}).run(datasets, kNow, {});
  ASSERT_TRUE(run) << run.error().describe();
  const RunReport report = run->report();
  EXPECT_GE(report.results.size(), 9U) << text;
  for (const CheckResult& each : report.results) EXPECT_EQ(each.outcome, Outcome::pass) << each.message;
}

}  // namespace
}  // namespace weir::quality
