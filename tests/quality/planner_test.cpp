#include "quality/planner.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quality/check_file.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;
using testing::Not;

ScanPlan plan_of(const std::string& yaml, const sql::Dialect& dialect) {
  config::Diagnostics diagnostics;
  const auto datasets = parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  std::vector<const Check*> checks;
  for (const Check& check : datasets.at(0).checks) checks.push_back(&check);
  return plan(datasets.at(0), checks, dialect);
}

constexpr const char* kAll = R"(
checks for sales.fct_orders [paid]:
  - row_count > 0
  - freshness(loaded_at) < 1h
  - missing_count(customer_id) = 0
  - missing_percent(customer_id) < 5%
  - min(amount) >= 0
  - max(amount) < 10
  - avg(amount) between 1 and 5
  - change percent for row_count > -30%
  - change for avg(amount) < 5
filter sales.fct_orders [paid]:
  where: status = 'paid'
)";

TEST(Planner, AsksPostgresEverythingInOneSelect) {
  EXPECT_EQ(plan_of(kAll, sql::postgres_dialect()).sql,
            R"(SELECT count(*), extract(epoch FROM (max("loaded_at"))::timestamptz)::float8, )"
            R"(count(*) - count("customer_id"), min("amount"), max("amount"), avg("amount") )"
            R"(FROM "sales"."fct_orders" WHERE (status = 'paid')"
            "\n)");
}

TEST(Planner, AsksSqliteEverythingInOneSelect) {
  EXPECT_EQ(plan_of(kAll, sql::sqlite_dialect()).sql,
            R"(SELECT count(*), CASE WHEN typeof(max("loaded_at")) IN ('integer', 'real') THEN max("loaded_at") )"
            R"(ELSE (julianday(max("loaded_at")) - 2440587.5) * 86400.0 END, count(*) - count("customer_id"), )"
            R"(min("amount"), max("amount"), )"
            R"(CASE WHEN total(typeof("amount") IN ('text', 'blob')) > 0 THEN 'text' ELSE avg("amount") END )"
            R"(FROM "sales"."fct_orders" WHERE (status = 'paid')"
            "\n)");
}

TEST(Planner, HasEachAggregateOnceAndTheRowCountFirst) {
  const ScanPlan plan =
      plan_of("checks for t:\n  - max(a) < 1\n  - max(a) > 0\n  - missing_count(b) = 0\n", sql::postgres_dialect());
  EXPECT_EQ(plan.sql, R"(SELECT count(*), max("a"), count(*) - count("b") FROM "t")");
  ASSERT_EQ(plan.aggregates.size(), 3U);
  EXPECT_EQ(plan.aggregates[0].column, "");
  EXPECT_EQ(plan.aggregates[1].column, "a");
}

TEST(Planner, QuotesWhateverACheckFileNames) {
  const std::string sql = plan_of(
                              "checks for \"t\"\"; DROP TABLE t; --\":\n"
                              "  - 'missing_count(\"a\"\") FROM t; DELETE FROM t; --\") = 0'\n"
                              "  - max(`b\" OR 1=1`) < 1\n",
                              sql::postgres_dialect())
                              .sql;
  EXPECT_EQ(sql, R"(SELECT count(*), count(*) - count("a"") FROM t; DELETE FROM t; --"), max("b"" OR 1=1") )"
                 R"(FROM "t""; DROP TABLE t; --")");
}

TEST(Planner, CountsADistributionInBins) {
  const std::string file = testing::TempDir() + "/weir-planner-reference.yml";
  std::ofstream(file) << "distribution_type: continuous\ndistribution_reference:\n  bins: [0, 10, 20]\n"
                         "  weights: [0, 0.5, 0.5]\n";
  const ScanPlan plan = plan_of(
      "checks for t:\n  - distribution_difference(amount) < 1:\n      method: psi\n"
      "      distribution reference file: " +
          file + "\n",
      sql::postgres_dialect());
  ASSERT_EQ(plan.aggregates.size(), 5U);
  EXPECT_EQ(plan.aggregates[0].sql, "count(*)");
  EXPECT_EQ(plan.aggregates[4].sql, R"(count(*) FILTER (WHERE "amount" > 20))");
}

TEST(Planner, AsksForTheRowCountAloneWithoutChecks) {
  Dataset dataset;
  dataset.table = {"t"};
  EXPECT_EQ(plan(dataset, {}, sql::sqlite_dialect()).sql, R"(SELECT count(*) FROM "t")");
}

}  // namespace
}  // namespace weir::quality
