#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>
#include <unistd.h>

#include "quality/check_file.h"
#include "quality/collector.h"
#include "sql/postgres.h"

#include "memory_history.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Checks in a schema of its own on the server that WEIR_TEST_POSTGRES names.
class PostgresChecksTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = std::getenv("WEIR_TEST_POSTGRES");
    ASSERT_NE(url, nullptr) << "WEIR_TEST_POSTGRES is not set: these tests need a PostgreSQL server. Run them with "
                               "./tests/run, which starts one, or set it to the URL of a role that may create schemas.";
    url_ = url;
    schema_ = "weir_checks_" + std::to_string(::getpid());
    admin_ = std::make_unique<pqxx::connection>(url_);
    write("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE; CREATE SCHEMA " + schema_);
  }
  void TearDown() override {
    if (admin_) write("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
  }

  void write(const std::string& sql) {
    pqxx::work transaction(*admin_);
    transaction.exec("SET LOCAL client_min_messages = error; SET LOCAL search_path = " + schema_ + ";" + sql);
    transaction.commit();
  }

  /// `S.` in the check file stands for the test's schema.
  core::Batch run(std::string yaml) {
    for (std::size_t at = yaml.find("S."); at != std::string::npos; at = yaml.find("S.", at))
      yaml.replace(at, 1, schema_);
    config::Diagnostics diagnostics;
    ChecksSettings settings;
    settings.source = "warehouse";
    settings.datasets =
        merge_datasets(parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics), diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    sql::PostgresSettings source;
    source.url = core::Secret(url_);
    CheckCollector collector(std::move(settings), sql::make_postgres("warehouse", source), history_);
    core::CollectContext context;
    context.now = core::time_from_seconds(1'700'000'000);
    context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    auto batch = collector.collect(context);
    EXPECT_TRUE(batch) << batch.error().describe();
    return batch.value_or(core::Batch{});
  }

  static double status(const core::Batch& batch, std::string_view check) {
    for (const core::Sample& each : batch.samples) {
      if (each.labels.name() == "weir_check_status" && each.labels.get("check") == check) return each.value;
    }
    ADD_FAILURE() << "no status of " << check;
    return -1;
  }

  static std::string messages(const core::Batch& batch) {
    std::string text;
    for (const core::Event& event : batch.events) text += event.message + "\n";
    return text;
  }

  std::string url_;
  std::string schema_;
  std::unique_ptr<pqxx::connection> admin_;
  MemoryHistory history_;
};

TEST_F(PostgresChecksTest, MeasureEveryKindOfColumn) {
  write(
      "CREATE TABLE t (n numeric, i bigint, f float8, at timestamptz, local timestamp, day date, note text);"
      "INSERT INTO t VALUES (1.5, 1, 10, '2023-11-14 22:13:10+00', '2023-11-14 22:13:10', '2023-11-14', 'x'), "
      "(2.5, 3, NULL, '2023-11-14 23:13:15+01', NULL, NULL, NULL)");
  const core::Batch batch = run(R"(
checks for S.t:
  - row_count = 2
  - avg(n) = 2
  - max(i) = 3
  - min(f) = 10
  - missing_percent(note) = 50%
  - freshness(at):
      name: at
      fail: when > 6s
  - freshness(local) < 11s
  - freshness(day) < 1d
)");
  EXPECT_THAT(batch.faults, IsEmpty());
  EXPECT_EQ(messages(batch), "");
}

TEST_F(PostgresChecksTest, IsolateWhatTheServerRefuses) {
  write("CREATE TABLE t (note text, n float8, \"Odd \"\"name\" int); INSERT INTO t VALUES ('not a time', 'NaN', 1)");
  const core::Batch batch = run(R"(
checks for S.t:
  - row_count > 0
  - avg(note) > 0
  - max(n) > 0
  - freshness(note) < 1h
  - max(nope) > 0
  - 'max("Odd ""name") = 1'
  - 'max("x""); DROP TABLE t; --") = 1'
)");
  EXPECT_EQ(status(batch, "row_count > 0"), 0);
  EXPECT_EQ(status(batch, "max(\"Odd \"\"name\") = 1"), 0);
  EXPECT_EQ(status(batch, "avg(note) > 0"), 3);
  EXPECT_EQ(status(batch, "max(n) > 0"), 3) << "NaN";
  EXPECT_EQ(status(batch, "freshness(note) < 1h"), 3) << "fails on the data, not in the plan";
  EXPECT_EQ(status(batch, "max(nope) > 0"), 3);
  for (const core::Fault& fault : batch.faults) {
    const bool not_there = fault.error.message.find("does not exist in") != std::string::npos;
    EXPECT_EQ(fault.no_value, !not_there) << fault.error.describe();
  }
  EXPECT_THAT(messages(batch), HasSubstr("column \"nope\" does not exist"));
  pqxx::work look(*admin_);
  EXPECT_EQ(look.exec("SELECT * FROM " + schema_ + ".t").size(), 1U);
}

TEST_F(PostgresChecksTest, NameAMissingTableAndGoOn) {
  write("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const core::Batch batch = run("checks for S.gone:\n  - min(a) > 0\nchecks for S.t:\n  - row_count > 0\n");
  EXPECT_EQ(status(batch, "min(a) > 0"), 3);
  EXPECT_EQ(status(batch, "row_count > 0"), 0);
  EXPECT_THAT(messages(batch), HasSubstr(".gone\" does not exist"));
}

TEST_F(PostgresChecksTest, NeverPassAnEmptyTable) {
  write("CREATE TABLE t (a int, at timestamptz)");
  const core::Batch batch = run("checks for S.t:\n  - row_count > 0\n  - freshness(at) < 1h\n  - avg(a) < 5\n");
  EXPECT_EQ(status(batch, "row_count > 0"), 2);
  EXPECT_EQ(status(batch, "freshness(at) < 1h"), 2);
  EXPECT_EQ(status(batch, "avg(a) < 5"), 3);
  for (const core::Fault& fault : batch.faults) EXPECT_TRUE(fault.no_value) << fault.error.describe();
}

TEST_F(PostgresChecksTest, FilterWithACondition) {
  write("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'it''s')");
  const core::Batch batch =
      run("checks for S.t [some]:\n  - row_count = 2\n"
          "filter S.t [some]:\n  where: a > 1 AND (b = 'y' OR b LIKE 'it''s')\n");
  EXPECT_EQ(status(batch, "row_count = 2"), 0);
}

}  // namespace
}  // namespace weir::quality
