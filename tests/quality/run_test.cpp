#include "quality/run.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/check_file.h"
#include "sql/sqlite.h"

#include "memory_history.h"

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const core::Time kNow = core::time_from_seconds(1'700'000'000);  // 2023-11-14T22:13:20Z

/// Checks over a SQLite file that the test writes.
class CheckRunTest : public testing::Test {
 protected:
  CheckRunTest()
      : path_(std::filesystem::path(testing::TempDir()) / ("weir-run-" + std::to_string(::getpid()) + ".db")) {
    std::filesystem::remove(path_);
    sqlite3_open(path_.c_str(), &database_);
  }
  ~CheckRunTest() override {
    sqlite3_close(database_);
    std::filesystem::remove(path_);
  }

  void write(const std::string& sql) {
    char* message = nullptr;
    ASSERT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message << "\n" << sql;
  }

  RunResult run(const std::string& yaml) {
    config::Diagnostics diagnostics;
    const auto datasets =
        merge_datasets(parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics), diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    sql::SqliteSettings settings;
    settings.path = path_;
    const auto source = sql::make_sqlite("local", settings);
    CheckRun checks({.source = "local", .session = *source, .history = &history_});
    auto result = checks.run(datasets, kNow, {});
    EXPECT_TRUE(result) << result.error().describe();
    return result.value_or(RunResult{});
  }

  static std::vector<std::string> outcomes(const RunResult& result) {
    std::vector<std::string> texts;
    for (const CheckResult& each : result.report().results) {
      texts.push_back(each.dataset + "/" + each.check + (each.group.empty() ? "" : "/" + each.group) + ": " +
                      std::string(to_string(each.outcome)));
    }
    return texts;
  }

  static std::optional<double> value(const RunResult& result, std::string_view check) {
    for (const CheckResult& each : result.report().results) {
      if (each.check == check) return each.value;
    }
    ADD_FAILURE() << "no result of " << check;
    return std::nullopt;
  }

  std::filesystem::path path_;
  sqlite3* database_ = nullptr;
  MemoryHistory history_;
};

TEST_F(CheckRunTest, GivesEachGroupItsResultAndTheCheckTheWorst) {
  write("CREATE TABLE t (country, amount); INSERT INTO t VALUES ('DE', 10), ('DE', 20), ('FR', 1), ('IT', NULL)");
  const RunResult result = run(R"(
checks for t:
  - group by:
      query: SELECT country, avg(amount) AS average FROM t GROUP BY country ORDER BY country
      fields: [country]
      checks:
        - average > 5: {name: worth}
        - averge > 5: {name: misspelt}
)");
  EXPECT_THAT(outcomes(result), ElementsAre("t/worth/country=DE: pass", "t/worth/country=FR: fail",
                                            "t/worth/country=IT: error", "t/misspelt/country=DE: error",
                                            "t/misspelt/country=FR: error", "t/misspelt/country=IT: error"));
  EXPECT_EQ(result.datasets.at(0).checks.at(0).result.outcome, Outcome::error);
  EXPECT_THAT(result.datasets.at(0).checks.at(1).result.message, HasSubstr("did you mean \"average\"?"));
  EXPECT_EQ(std::ranges::count_if(result.statements,
                                  [](const StatementReport& each) { return each.sql.starts_with("SELECT country"); }),
            1)
      << "two checks of one query share its answer";
}

TEST_F(CheckRunTest, RefusesMoreGroupsThanTheLimit) {
  write("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)");
  const RunResult result = run(
      "checks for t:\n  - group by:\n      group_limit: 2\n      query: SELECT a, a AS v FROM t\n      fields: [a]\n"
      "      checks: [v > 0]\n");
  EXPECT_THAT(outcomes(result), ElementsAre("t/v > 0: error"));
  EXPECT_EQ(result.datasets.at(0).checks.at(0).state, Observed::State::unreadable);
}

TEST_F(CheckRunTest, ChecksEveryTableThatFits) {
  write(
      "CREATE TABLE fct_a (x); CREATE TABLE fct_b (x); CREATE TABLE fct_b_old (x); CREATE TABLE dim (x);"
      "INSERT INTO fct_a VALUES (1)");
  const RunResult result = run(R"(
checks for fct_b:
  - row_count = 0: {name: its own}
  - max(x) > 0: {name: fct_b has rows}
for each dataset D:
  datasets: [fct_%, exclude %_old]
  checks:
    - row_count > 0: {name: "${D} has rows"}
)");
  EXPECT_THAT(outcomes(result),
              UnorderedElementsAre("fct_a/fct_a has rows: pass", "fct_b/its own: pass", "fct_b/fct_b has rows: error"))
      << "a table's own check of one name goes before";
}

TEST_F(CheckRunTest, FindsNoTableWhereNoneFits) {
  write("CREATE TABLE t (x)");
  const RunResult result =
      run("for each dataset D:\n  datasets: [no%]\n  checks:\n    - row_count > 0\nchecks for t:\n  - row_count = 0\n");
  EXPECT_THAT(outcomes(result), ElementsAre("t/row_count = 0: pass"));
  ASSERT_TRUE(result.datasets.at(1).error);
  EXPECT_EQ(result.datasets.at(1).error->kind, core::ErrorKind::not_found);
}

TEST_F(CheckRunTest, SkipsWhatAUniqueIndexProves) {
  write(
      "CREATE TABLE t (id INTEGER, a INTEGER, b INTEGER); CREATE UNIQUE INDEX ids ON t (id);"
      "CREATE UNIQUE INDEX part ON t (a) WHERE b > 0; INSERT INTO t VALUES (1, 1, 0), (2, 1, 0), (NULL, 1, 0), (NULL, "
      "2, 0)");
  const RunResult result =
      run("checks for t:\n  - duplicate_count(id) = 0\n  - duplicate_count(a, id) = 0\n  - duplicate_count(a) = 0\n"
          "  - duplicate_percent(id) = 0\n");
  EXPECT_THAT(outcomes(result), ElementsAre("t/duplicate_count(id) = 0: pass", "t/duplicate_count(a, id) = 0: pass",
                                            "t/duplicate_count(a) = 0: fail", "t/duplicate_percent(id) = 0: pass"));
  EXPECT_THAT(result.report().results.at(0).message, HasSubstr("unique index"));
  EXPECT_EQ(value(result, "duplicate_count(a) = 0"), 1) << "a partial index proves nothing";
  EXPECT_EQ(std::ranges::count_if(
                result.statements,
                [](const StatementReport& each) { return each.sql.find("GROUP BY \"") != std::string::npos; }),
            1);
}

TEST_F(CheckRunTest, MeasuresTheLagOfEventsAndLateArrivals) {
  write(
      "CREATE TABLE t (event_time TEXT, loaded_at TEXT); INSERT INTO t VALUES "
      "('2023-11-14T10:00:00Z', '2023-11-14T10:00:10Z'), ('2023-11-14T10:59:50Z', '2023-11-14T11:00:05Z'),"
      "('2023-11-14T10:30:00Z', '2023-11-14T12:30:00Z'), ('2023-11-14T10:30:00Z', NULL)");
  const RunResult result = run(R"(
checks for t:
  - percentile(loaded_at - event_time, 0.5) < 30s: {name: p50}
  - max(loaded_at - event_time) < 1h: {name: max}
  - late_count(event_time, loaded_at) = 0: {name: late, bucket: 1h, lateness: 1m}
  - late_count(event_time, loaded_at) = 0: {name: strict, bucket: 1h}
  - late_percent(event_time, loaded_at) < 50%: {name: share, bucket: 1h, lateness: 1m}
)");
  EXPECT_NEAR(*value(result, "p50"), 15, 0.01);
  EXPECT_NEAR(*value(result, "max"), 7200, 0.01);
  EXPECT_EQ(value(result, "late"), 1);
  EXPECT_EQ(value(result, "strict"), 2);
  EXPECT_EQ(value(result, "share"), 25);
  EXPECT_THAT(result.report().results.at(1).message, HasSubstr("is 2h, expected < 1h"));
}

TEST_F(CheckRunTest, KeepsFilteredAndWholeMeasurementsApart) {
  write("CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES (1, 1), (2, NULL), (NULL, NULL), (9, 1)");
  const RunResult result = run(R"(
checks for t:
  - missing_count(b) = 2
  - missing_count(b) = 1: {name: some, filter: a > 1}
  - missing_count(a) = 2: {name: nines, missing values: [9]}
  - avg(a) = 1.5: {name: sane, valid max: 5}
  - row_count = 2: {name: rows, filter: a > 1}
  - change for row_count > -9
  - change for row_count > -9: {name: filtered, filter: a > 1}
)");
  for (const std::string& each : outcomes(result)) EXPECT_THAT(each, testing::EndsWith("pass"));
  EXPECT_EQ(history_.kept.size(), 2U) << "two measurements, two histories";
}

TEST_F(CheckRunTest, TellsWhatTheSourceCannotDo) {
  write("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x')");
  const RunResult result =
      run("checks for t:\n  - invalid_count(a) = 0: {name: bad, valid regex: '('}\n  - row_count = 1\n");
  EXPECT_THAT(outcomes(result), ElementsAre("t/bad: error", "t/row_count = 1: pass"));
}

TEST_F(CheckRunTest, GivesADateUntilItsDayEnds) {
  write("CREATE TABLE t (day TEXT); INSERT INTO t VALUES ('2023-11-13')");
  EXPECT_NEAR(*value(run("checks for t:\n  - freshness(day) < 1d\n"), "freshness(day) < 1d"), 22 * 3600 + 13 * 60 + 20,
              1);
  write("INSERT INTO t VALUES ('2023-11-14')");
  EXPECT_LT(*value(run("checks for t:\n  - freshness(day) < 1d\n"), "freshness(day) < 1d"), 0);
}

TEST_F(CheckRunTest, ChecksTheLogicalTypesOfAContract) {
  write("CREATE TABLE orders (customer_id BIGINT, note TEXT, amount REAL)");
  const auto contract = [](const std::string& type) {
    return "kind: DataContract\napiVersion: v3.1.0\nid: a\nversion: 1.0.0\nstatus: active\nschema:\n- name: orders\n"
           "  properties:\n  - {name: customer_id, logicalType: " +
           type + "}\n  - {name: amount, logicalType: number}\n";
  };
  EXPECT_THAT(outcomes(run(contract("integer"))), ElementsAre("orders/columns are those of the contract: pass"));
  const auto wrong = run(contract("timestamp"));
  EXPECT_THAT(outcomes(wrong), ElementsAre("orders/columns are those of the contract: fail"));
  EXPECT_THAT(wrong.report().results[0].message, HasSubstr("\"customer_id\" is BIGINT, expected a type of timestamp"));
}

}  // namespace
}  // namespace weir::quality
