#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "quality/check_file.h"
#include "quality/collector.h"
#include "quality/run.h"
#include "sql/sqlite.h"

#include "memory_history.h"
#include "memory_texts.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Runs check files over a SQLite file of its own.
class CheckKindsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("weir_kinds_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    write(
        "CREATE TABLE t (id INTEGER, customer TEXT, region TEXT, n REAL);"
        "INSERT INTO t VALUES (1, 'a', 'eu', 1), (2, 'b', 'us', 2), (3, NULL, 'eu', 3), (4, 'x', NULL, 4);"
        "CREATE TABLE customers (name TEXT, area TEXT);"
        "INSERT INTO customers VALUES ('a', 'eu'), ('b', 'eu'), ('b', 'us'), (NULL, 'eu')");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void write(const std::string& sql, const std::string& file = "own.db") {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path(file).c_str(), &database), SQLITE_OK);
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
    sqlite3_free(problem);
    sqlite3_close(database);
  }

  std::vector<Dataset> parse(const std::string& yaml) {
    config::Diagnostics diagnostics;
    auto datasets = merge_datasets(parse_check_file(config::parse_yaml(yaml, path("x.yml"), diagnostics), diagnostics),
                                   diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    return datasets;
  }

  static std::string mistakes(const std::string& yaml) {
    config::Diagnostics diagnostics;
    merge_datasets(parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics), diagnostics);
    return diagnostics.to_string();
  }

  RunResult run(const std::string& yaml) {
    const auto datasets = parse(yaml);
    const auto source = sql::make_sqlite("own", {.path = path("own.db")});
    const auto other = sql::make_sqlite("other", {.path = path("other.db")});
    CheckRun::Setup setup{.source = "own", .session = *source, .history = &history_};
    setup.texts = &texts_;
    setup.other = [&](const std::string& name) -> core::Result<sql::SqlSource*> {
      if (name == "other") return other.get();
      return core::fail(core::ErrorKind::not_found, "there is no source \"" + name + "\"");
    };
    auto result = CheckRun(setup).run(datasets, core::time_from_seconds(1'700'000'000), {});
    EXPECT_TRUE(result) << result.error().describe();
    return result.value_or(RunResult{});
  }

  /// Of the only check.
  CheckResult one(const std::string& yaml) {
    const RunResult result = run(yaml);
    EXPECT_EQ(result.datasets.size(), 1U);
    if (result.datasets.empty() || result.datasets[0].checks.empty()) return {};
    return result.datasets[0].checks[0].result;
  }

  std::filesystem::path folder_;
  MemoryHistory history_;
  MemoryTexts texts_;
};

TEST_F(CheckKindsTest, SchemaNamesEachViolation) {
  const CheckResult result = one(R"(
checks for t:
  - schema:
      warn:
        when forbidden column present: [n*]
      fail:
        when required column missing: [id, email]
        when wrong column type: {id: TEXT}
)");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.value, 2);
  EXPECT_EQ(result.message, "schema: column \"email\" is missing; column \"id\" is INTEGER, expected TEXT");
}

TEST_F(CheckKindsTest, SchemaWarnsWhereOnlyTheWarningHolds) {
  const CheckResult result =
      one("checks for t:\n  - schema:\n      warn: {when forbidden column present: [n%, cust%]}\n"
          "      fail: {when required column missing: [id]}\n");
  EXPECT_EQ(result.outcome, Outcome::warn);
  EXPECT_EQ(result.message, "schema: column \"customer\" is forbidden");
}

TEST_F(CheckKindsTest, SchemaChangesAreThoseSinceTheLastRun) {
  const std::string file = "checks for t:\n  - schema:\n      fail: {when schema changes: any}\n";
  EXPECT_EQ(one(file).outcome, Outcome::pass) << "nothing to compare with yet";
  EXPECT_EQ(one(file).outcome, Outcome::pass);
  write("ALTER TABLE t ADD COLUMN late TEXT");
  const CheckResult changed = one(file);
  EXPECT_EQ(changed.outcome, Outcome::fail);
  EXPECT_EQ(changed.message, "schema: column \"late\" was added (TEXT)");
  EXPECT_EQ(one(file).outcome, Outcome::pass) << "the new schema is the last seen";
}

TEST_F(CheckKindsTest, SchemaSaysNothingWhereTheLastCannotBeRead) {
  texts_.failure = core::Error{core::ErrorKind::storage, "the disk is gone", true};
  const RunResult result = run("checks for t:\n  - schema:\n      fail: {when schema changes: any}\n");
  EXPECT_EQ(result.datasets[0].checks[0].state, Observed::State::unknown);
}

TEST_F(CheckKindsTest, SchemaForgetsTextItCannotRead) {
  const std::string file = "checks for t:\n  - schema:\n      fail: {when schema changes: any}\n";
  one(file);
  ASSERT_EQ(texts_.kept.size(), 1U);
  texts_.kept.begin()->second = "columns 1\n9";
  EXPECT_EQ(one(file).outcome, Outcome::pass);
  EXPECT_THAT(texts_.kept.begin()->second, HasSubstr("customer"));
}

TEST_F(CheckKindsTest, SchemaRefusesRulesItDoesNotKnow) {
  const auto with = [](const std::string& rules) {
    return mistakes("checks for t:\n  - schema:\n      fail: {" + rules + "}\n");
  };
  EXPECT_THAT(with("when required columns missing: [a]"), HasSubstr("did you mean \"when required column missing\"?"));
  EXPECT_THAT(with("when required column missing: a"), HasSubstr("expected a list of columns"));
  EXPECT_THAT(with("when wrong column type: [a]"), HasSubstr("expected columns with their types"));
  EXPECT_THAT(with("when wrong column index: {a: first}"), HasSubstr("a"));
  EXPECT_THAT(with("when schema changes: [column rename]"), HasSubstr("column add, column delete"));
  EXPECT_THAT(with("with optional columns: [a]"), HasSubstr("goes with \"when mismatching columns\""));
  EXPECT_THAT(with("when forbidden column present: ['(']"), HasSubstr("no name"));
  EXPECT_THAT(mistakes("checks for t:\n  - schema\n"), HasSubstr("needs fail: or warn:"));
  EXPECT_THAT(mistakes("checks for t:\n  - schema:\n      fail: when > 1\n"), HasSubstr("expected rules"));
}

TEST_F(CheckKindsTest, ReferencesPassNullsAndNameTheCount) {
  const CheckResult result = one("checks for t:\n  - values in (customer) must exist in customers (name)\n");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.value, 1);
  EXPECT_EQ(result.column, "customer");
  EXPECT_EQ(result.message, "1 rows have (customer) that is not in customers (name)");
}

TEST_F(CheckKindsTest, ReferencesOfSeveralColumnsFailUnlessAllAreNull) {
  const CheckResult result =
      one("checks for t:\n  - values in (customer, region) must exist in customers (name, area)\n");
  EXPECT_EQ(result.value, 2) << "(NULL, eu) and (x, NULL) refer to nothing that is there";
  EXPECT_EQ(result.column, "");
}

TEST_F(CheckKindsTest, ReferencesThatMustNotExistCountEachMatch) {
  const CheckResult result = one("checks for t:\n  - values in customer must not exist in customers name\n");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.value, 3) << "b is there twice";
}

TEST_F(CheckKindsTest, ReferencesObeyTheFilterOfTheirDataset) {
  const RunResult result = run(R"(
filter t [eu]:
  where: region = 'eu' OR name_is_nowhere IS NULL
checks for t [eu]:
  - values in (customer) must exist in customers (name)
filter t [us]:
  where: region = 'us'
checks for t [us]:
  - values in (customer) must exist in customers (area):
      name: us
)");
  EXPECT_TRUE(result.datasets[0].error) << "the filter's own mistake";
  EXPECT_EQ(result.datasets[1].checks[0].result.value, 1);
}

TEST_F(CheckKindsTest, ReferencesNameATableOrColumnThatIsNotThere) {
  const RunResult result =
      run("checks for t:\n  - values in (id) must exist in nowhere (x)\n  - values in (nope) must exist in customers "
          "(name)\n  - row_count > 0\n");
  EXPECT_THAT(result.datasets[0].checks[0].result.message, HasSubstr("nowhere"));
  EXPECT_THAT(result.datasets[0].checks[1].result.message, HasSubstr("nope"));
  EXPECT_EQ(result.datasets[0].checks[2].result.outcome, Outcome::pass);
}

TEST_F(CheckKindsTest, ReferencesRefuseLinesThatAreNone) {
  const auto with = [](const std::string& line) { return mistakes("checks for t:\n  - '" + line + "'\n"); };
  EXPECT_THAT(with("values in (a, b) must exist in c (d)"), HasSubstr("2 columns here and 1 there"));
  EXPECT_THAT(with("values in (a) must be in c (d)"), HasSubstr("must exist in"));
  EXPECT_THAT(with("values in (a must exist in c (d)"), HasSubstr("x.yml:2"));
  EXPECT_THAT(with("values in (a) must exist in (d)"), HasSubstr("the name of a table"));
  EXPECT_THAT(with("values in (a) must exist in c"), HasSubstr("x.yml:2"));
  EXPECT_THAT(with("values in (a) must exist in c (d) x"), HasSubstr("expected the end, found \"x\""));
  EXPECT_THAT(with("values in () must exist in c ()"), HasSubstr("the name of a column"));
}

TEST_F(CheckKindsTest, ReferencesQuoteEveryName) {
  write(
      "CREATE TABLE \"o dd\"\"; DROP TABLE t; --\" (\"a b\" INTEGER); INSERT INTO \"o dd\"\"; DROP TABLE t; --\" "
      "VALUES (1)");
  const CheckResult result =
      one("checks for t:\n  - 'values in (\"id\") must exist in \"o dd\"\"; DROP TABLE t; --\" (\"a b\")'\n");
  EXPECT_EQ(result.value, 3);
}

TEST_F(CheckKindsTest, RowCountsAreComparedWithinASource) {
  EXPECT_EQ(one("checks for t:\n  - row_count same as customers\n").outcome, Outcome::pass);
  write("DELETE FROM customers WHERE name IS NULL");
  const CheckResult result = one("checks for t:\n  - row_count same as customers\n");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.value, 1);
  EXPECT_EQ(result.message, "row_count is 4, customers has 3");
}

TEST_F(CheckKindsTest, RowCountsAreComparedWithAFilteredTable) {
  const CheckResult result =
      one("filter customers [eu]:\n  where: area = 'eu'\nchecks for t:\n  - row_count same as customers [eu]\n");
  EXPECT_EQ(result.value, 1);
  EXPECT_THAT(mistakes("checks for t:\n  - row_count same as u [eu]\n"), HasSubstr("not declared"));
}

TEST_F(CheckKindsTest, RowCountsAreComparedAcrossSources) {
  write("CREATE TABLE copy (a); INSERT INTO copy VALUES (1), (2), (3), (4)", "other.db");
  EXPECT_EQ(one("checks for t:\n  - row_count same as copy in other\n").outcome, Outcome::pass);
  write("INSERT INTO copy VALUES (5)", "other.db");
  const CheckResult result = one("checks for t:\n  - row_count same as copy in other\n");
  EXPECT_EQ(result.value, -1);
  EXPECT_EQ(result.message, "row_count is 4, copy in other has 5");
  const CheckResult unknown = one("checks for t:\n  - row_count same as copy in nowhere\n");
  EXPECT_EQ(unknown.outcome, Outcome::error);
  EXPECT_THAT(unknown.message, HasSubstr("there is no source \"nowhere\""));
}

TEST_F(CheckKindsTest, FailedRowsOfAConditionAreCountedInTheScan) {
  const RunResult result = run(R"(
checks for t:
  - failed rows:
      name: small
      fail condition: n < 3 OR customer = 'x'
  - failed rows:
      name: allowed
      fail condition: n < 3
      warn: when between 1 and 2
      fail: when > 2
  - failed rows:
      name: none
      fail condition: n > 100
)");
  const auto& checks = result.datasets[0].checks;
  EXPECT_EQ(checks[0].result.outcome, Outcome::fail);
  EXPECT_EQ(checks[0].result.value, 3);
  EXPECT_EQ(checks[1].result.outcome, Outcome::warn);
  EXPECT_EQ(checks[2].result.outcome, Outcome::pass);
  EXPECT_EQ(result.statements.size(), 1U);
}

TEST_F(CheckKindsTest, FailedRowsOfAQueryAreCountedByTheDatabase) {
  const CheckResult result =
      one("checks for t:\n  - failed rows:\n      fail query: |\n        WITH few AS (SELECT * FROM t WHERE n > 1)\n"
          "        SELECT id, id FROM few ORDER BY id -- all;\n");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.value, 3);
  EXPECT_EQ(one("checks for t:\n  - failed rows: {fail query: SELECT 1 WHERE 1 = 0;}\n").outcome, Outcome::pass);
}

TEST_F(CheckKindsTest, FailedRowsRefuseWhatIsNoSingleQuery) {
  const auto with = [](const std::string& text) {
    return mistakes("checks for t:\n  - failed rows:\n      " + text + "\n");
  };
  EXPECT_THAT(with("name: x"), HasSubstr("needs \"fail condition\" or \"fail query\""));
  EXPECT_THAT(with("fail query: DELETE FROM t"), HasSubstr("not with DELETE"));
  EXPECT_THAT(with("fail query: SELECT 1; DROP TABLE t"), HasSubstr("semicolon"));
  EXPECT_THAT(with("fail condition: 1 = 1) FROM t; --"), HasSubstr("closes that was not opened"));
  EXPECT_THAT(with("{fail condition: a, fail query: SELECT 1}"), HasSubstr("not both"));
  EXPECT_THAT(with("fail condition: [a]"), HasSubstr("expected SQL"));
}

TEST_F(CheckKindsTest, OwnMetricsByExpressionAreInTheScan) {
  const RunResult result = run(R"(
checks for t:
  - avg_double between 4 and 6:
      avg_double expression: AVG(n * 2)
  - ratio:
      ratio expression: sum(CASE WHEN region = 'eu' THEN 1.0 ELSE 0 END) / count(*)
      warn: when < 0.6
      fail: when < 0.1
)");
  EXPECT_EQ(result.datasets[0].checks[0].result.value, 5);
  EXPECT_EQ(result.datasets[0].checks[0].result.outcome, Outcome::pass);
  EXPECT_EQ(result.datasets[0].checks[1].result.outcome, Outcome::warn);
  EXPECT_EQ(result.statements.size(), 1U);
}

TEST_F(CheckKindsTest, OwnMetricsByQueryTakeTheLastColumnOfTheFirstRow) {
  std::ofstream(path("worst.sql")) << "SELECT n FROM t ORDER BY n DESC;\n";
  const RunResult result = run(R"(
checks for t:
  - two = 2:
      two query: SELECT 1 AS a, 2 AS b, NULL AS c UNION ALL SELECT 8, 9, 10 ORDER BY 1
  - worst < 5:
      worst sql_file: worst.sql
  - nothing > 0:
      nothing query: SELECT 1 WHERE 0
  - null > 0:
      null query: SELECT NULL
  - text > 0:
      text query: SELECT 'x'
  - written = 2.5:
      written query: SELECT '2.5'
)");
  const auto& checks = result.datasets[0].checks;
  EXPECT_EQ(checks[0].result.outcome, Outcome::pass) << checks[0].result.message;
  EXPECT_EQ(checks[1].result.value, 4);
  EXPECT_EQ(checks[2].problem, "the query of nothing gave no row");
  EXPECT_EQ(checks[3].problem, "null is NULL");
  EXPECT_EQ(checks[4].problem, "text is not a number");
  EXPECT_EQ(checks[5].result.outcome, Outcome::pass);
}

TEST_F(CheckKindsTest, OwnMetricsChangeOverTime) {
  const std::string file = "checks for t:\n  - change for largest > -1:\n      largest expression: max(n)\n";
  EXPECT_EQ(one(file).outcome, Outcome::pass);
  write("DELETE FROM t WHERE n > 2");
  const CheckResult result = one(file);
  EXPECT_EQ(result.outcome, Outcome::fail) << result.message;
  EXPECT_EQ(result.value, -2);
}

TEST_F(CheckKindsTest, OwnMetricsRefuseWhatCannotBe) {
  const auto with = [](const std::string& text) {
    return mistakes("checks for t:\n  - own > 0:\n      " + text + "\n");
  };
  EXPECT_THAT(with("own expression: 1), (SELECT 2"), HasSubstr("closes that was not opened"));
  EXPECT_THAT(with("own query: UPDATE t SET n = 1"), HasSubstr("not with UPDATE"));
  EXPECT_THAT(with("own sql_file: gone.sql"), HasSubstr("gone.sql"));
  EXPECT_THAT(with("own sql_file: /etc/passwd"), HasSubstr("must end with .sql"));
  EXPECT_THAT(with("other expression: sum(n)"), HasSubstr("unknown metric \"own\""));
  EXPECT_THAT(with("{own expression: a, own query: SELECT 1}"), HasSubstr("not both"));
  EXPECT_THAT(mistakes("checks for t:\n  - own:\n      own expression: sum(n)\n"), HasSubstr("a threshold is missing"));
}

TEST_F(CheckKindsTest, SamplesShowAllowedColumnsOfFailingRowsOnly) {
  write("UPDATE t SET customer = 'jane@example.com' WHERE id = 1");
  const RunResult result = run(R"(
checks for t:
  - failed rows:
      name: condition
      fail condition: n < 3
      samples columns: [id, customer]
  - failed rows:
      name: query
      fail query: SELECT id, n FROM t WHERE n > 1
      samples limit: 1
      samples columns: [n]
  - values in (customer) must exist in customers (name):
      samples columns: [id]
  - failed rows:
      name: passes
      fail condition: n > 100
      samples columns: [id]
  - failed rows:
      name: wrong
      fail condition: n > 1
      samples columns: [nope]
  - failed rows:
      name: off
      fail condition: n > 1
)");
  const auto& checks = result.datasets[0].checks;
  EXPECT_THAT(checks[0].result.sample, testing::ElementsAre("{id: 1, customer: <email>}", "{id: 2, customer: b}"));
  EXPECT_EQ(checks[1].result.sample.size(), 1U);
  EXPECT_THAT(checks[2].result.sample, testing::ElementsAre("{id: 1}", "{id: 4}"));
  EXPECT_THAT(checks[3].result.sample, IsEmpty());
  EXPECT_THAT(checks[4].result.sample, testing::ElementsAre(HasSubstr("no sample: no such column")));
  EXPECT_EQ(checks[4].result.outcome, Outcome::fail);
  EXPECT_THAT(checks[5].result.sample, IsEmpty());
}

TEST_F(CheckKindsTest, SamplesWantTheirColumnsListed) {
  const auto with = [](const std::string& text) {
    return mistakes("checks for t:\n  - failed rows:\n      fail condition: n > 1\n      " + text + "\n");
  };
  EXPECT_THAT(with("samples limit: 5"), HasSubstr("add \"samples columns"));
  EXPECT_THAT(with("samples columns: id"), HasSubstr("expected a list of columns"));
  EXPECT_THAT(with("samples limit: 101\n      samples columns: [id]"), HasSubstr("100"));
  EXPECT_EQ(with("samples limit: 0"), "");
}

/// The collector's events of its cycles, one after the other.
class CollectedKindsTest : public CheckKindsTest {
 protected:
  void watch(const std::string& yaml) {
    ChecksSettings settings;
    settings.name = "checks/own";
    settings.source = "own";
    settings.datasets = parse(yaml);
    collector_ = std::make_unique<CheckCollector>(
        std::move(settings), sql::make_sqlite("own", {.path = path("own.db")}), history_, nullptr, &texts_);
  }
  core::Batch cycle() {
    core::CollectContext context;
    context.now = now_ += std::chrono::minutes(1);
    context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    auto batch = collector_->collect(context);
    EXPECT_TRUE(batch) << batch.error().describe();
    return batch.value_or(core::Batch{});
  }
  static double value(const core::Batch& batch, std::string_view metric) {
    for (const core::Sample& each : batch.samples) {
      if (each.labels.name() == metric) return each.value;
    }
    return -1;
  }

  core::Time now_ = core::time_from_seconds(1'700'000'000);
  std::unique_ptr<CheckCollector> collector_;
};

TEST_F(CollectedKindsTest, SamplesAreTakenWhenACheckBeginsToFail) {
  watch("checks for t:\n  - failed rows:\n      name: big\n      fail condition: n > 3\n      samples columns: [id]\n");
  const core::Batch first = cycle();
  ASSERT_EQ(first.events.size(), 1U);
  EXPECT_THAT(first.events[0].message, testing::EndsWith("; such rows: {id: 4}"));
  write("UPDATE t SET n = 9 WHERE id = 1");
  EXPECT_THAT(cycle().events, IsEmpty());
  write("DELETE FROM t WHERE n > 3");
  EXPECT_EQ(cycle().events.size(), 1U) << "it passes again";
  write("INSERT INTO t (id, n) VALUES (8, 8)");
  const core::Batch again = cycle();
  ASSERT_EQ(again.events.size(), 1U);
  EXPECT_THAT(again.events[0].message, HasSubstr("{id: 8}"));
  for (const core::Sample& each : again.samples) EXPECT_EQ(each.labels.get("sample"), "") << "never in metrics";
}

TEST_F(CollectedKindsTest, AScanThatIsReusedIsMarkedAndAgesOn) {
  write("CREATE TABLE f (at REAL); INSERT INTO f VALUES (1700000000)");
  watch("checks for f:\n  - row_count = 1\n");
  EXPECT_EQ(value(cycle(), "weir_dataset_scan_reused"), 0);
  EXPECT_EQ(value(cycle(), "weir_dataset_scan_reused"), 1);
  write("INSERT INTO f VALUES (1)");
  const core::Batch written = cycle();
  EXPECT_EQ(value(written, "weir_dataset_scan_reused"), 0);
  EXPECT_EQ(written.events.size(), 1U);
}

TEST_F(CollectedKindsTest, ASchemaIsComparedWithThatOfTheLastProcess) {
  const std::string file = "checks for t:\n  - schema:\n      warn: {when schema changes: [column delete]}\n";
  watch(file);
  EXPECT_THAT(cycle().events, IsEmpty());
  write("ALTER TABLE t DROP COLUMN region");
  watch(file);
  const core::Batch batch = cycle();
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_THAT(batch.events[0].message, HasSubstr("column \"region\" was deleted"));
}

TEST_F(CheckKindsTest, ComparisonsOfTablesMayWarn) {
  const auto outcome = [&](const std::string& check) { return one("checks for t:\n  - " + check).outcome; };
  EXPECT_EQ(outcome("row_count same as customers"), Outcome::pass);
  write("INSERT INTO customers VALUES ('z', 'eu')");
  EXPECT_EQ(outcome("row_count same as customers"), Outcome::fail);
  EXPECT_EQ(outcome("row_count same as customers: {warn: when != 0, fail: when not between -5 and 5}"), Outcome::warn);
  EXPECT_EQ(outcome("row_count same as customers: {fail: when < -1}"), Outcome::pass);
  EXPECT_EQ(outcome("values in (customer) must exist in customers (name)"), Outcome::fail);
  EXPECT_EQ(outcome("values in (customer) must exist in customers (name): {warn: when > 0}"), Outcome::warn);
  EXPECT_EQ(outcome("values in (customer) must exist in customers (name): {fail: when > 1, name: n, identity: i, "
                    "attributes: {owner: me}}"),
            Outcome::pass);
}

TEST_F(CheckKindsTest, TooManyGroupsNameTheirLimit) {
  EXPECT_THAT(one(R"(
checks for t:
  - group by:
      query: SELECT id, count(*) AS rows FROM t GROUP BY id
      fields: [id]
      group_limit: 2
      checks:
        - rows > 0
)")
                  .message,
              HasSubstr("more groups than \"group_limit\""));
}

}  // namespace
}  // namespace weir::quality
