#include "quality/dry_run.h"

#include <filesystem>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/check_file.h"
#include "sql/sqlite.h"

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Dataset> datasets(const std::string& yaml) {
  config::Diagnostics diagnostics;
  auto found = parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return found;
}

std::vector<PlannedStatement> plan(const std::string& yaml, sql::SqlSource& source) {
  const auto planned = dry_run(datasets(yaml), "own", source, {}, core::time_from_seconds(0), {});
  EXPECT_TRUE(planned) << planned.error().describe();
  return planned.value_or(std::vector<PlannedStatement>{});
}

/// A MariaDB that answers each EXPLAIN with the same text, and everything else with a row of nothing.
class FakeMariaDb final : public sql::SqlSource {
 public:
  explicit FakeMariaDb(std::string explained) : explained_(std::move(explained)) {}
  std::string_view name() const override { return "own"; }
  const sql::Dialect& dialect() const override { return sql::mysql_dialect(); }
  core::Result<void> connect(const sql::QueryLimits&) override { return {}; }
  core::Result<sql::Table> query(const std::string& text, const std::vector<sql::Value>&,
                                 const sql::QueryLimits&) override {
    if (text.starts_with("EXPLAIN FORMAT=JSON ")) return sql::Table{{"EXPLAIN"}, {{explained_}}};
    EXPECT_TRUE(text.ends_with("LIMIT 0")) << "nothing is run: " << text;
    return sql::Table{{"count(*)"}, {}};
  }

 private:
  std::string explained_;
};

PlannedStatement explained(const std::string& text) {
  FakeMariaDb source(text);
  const auto planned = plan("checks for t:\n  - row_count > 0\n", source);
  EXPECT_EQ(planned.size(), 1U);
  return planned.at(0);
}

TEST(DryRunTest, ReadsThePlansOfMariaDb) {
  const PlannedStatement seen = explained(
      R"({"query_block": {"select_id": 1, "cost": 12.5, "nested_loop": [
          {"table": {"table_name": "t", "access_type": "ALL", "rows": 3000, "filtered": 100}},
          {"table": {"table_name": "c", "access_type": "eq_ref", "key": "PRIMARY", "rows": 1}}]}})");
  EXPECT_EQ(seen.cost, 12.5);
  EXPECT_EQ(seen.rows, 3000);
  EXPECT_THAT(seen.plan, ElementsAre("full scan on t", "access by eq_ref on c, key PRIMARY"));
}

TEST(DryRunTest, ReadsThePlansOfMySql) {
  const PlannedStatement seen = explained(
      R"({"query_block": {"cost_info": {"query_cost": "305.25"}, "table":
          {"table_name": "t", "access_type": "ALL", "rows_examined_per_scan": 7}}})");
  EXPECT_EQ(seen.cost, 305.25);
  EXPECT_EQ(seen.rows, 7);
}

TEST(DryRunTest, TakesNoCostFromWhatIsNoPlan) {
  for (const char* text : {"", "[]", "{", R"({"query_block": []})", R"({"query_block": {"cost": "x", "table": 5}})",
                           R"({"query_block": {"cost_info": {"query_cost": 5}, "table": {"table_name": 1}}})"}) {
    const PlannedStatement seen = explained(text);
    EXPECT_FALSE(seen.cost) << text;
    EXPECT_TRUE(seen.plan.empty()) << text;
    EXPECT_EQ(seen.problem, "");
  }
}

TEST(DryRunTest, RefusesNoQueryForItsOwnLimit) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("weir_dry_{}.db", ::getpid());
  std::filesystem::remove(path);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "CREATE TABLE t (a)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  const auto source = sql::make_sqlite("own", {.path = path.string()});
  const auto planned =
      plan("checks for t:\n  - own > 0:\n      own query: SELECT count(*) FROM t\n  - max(nope) > 0\n", *source);
  std::string problems;
  for (const PlannedStatement& each : planned) problems += each.problem;
  EXPECT_THAT(problems, HasSubstr("nope"));
  EXPECT_EQ(problems.find("LIMIT"), std::string::npos) << problems;
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace weir::quality
