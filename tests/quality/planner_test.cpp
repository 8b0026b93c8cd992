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
            R"(CASE WHEN max("loaded_at") IS NULL THEN 2 WHEN pg_typeof(max("loaded_at")) = 'date'::regtype THEN 1 )"
            R"(ELSE 0 END, )"
            R"(count(*) - count("customer_id"), min("amount"), max("amount"), avg("amount") )"
            R"(FROM "sales"."fct_orders" WHERE (status = 'paid')"
            "\n)");
}

TEST(Planner, AsksSqliteEverythingInOneSelect) {
  EXPECT_EQ(
      plan_of(kAll, sql::sqlite_dialect()).sql,
      R"(SELECT count(*), CASE WHEN typeof(max("loaded_at")) IN ('integer', 'real') THEN max("loaded_at") )"
      R"(ELSE (julianday(max("loaded_at")) - 2440587.5) * 86400.0 END, CASE WHEN max("loaded_at") IS NULL THEN 2 )"
      R"(WHEN typeof(max("loaded_at")) = 'text' AND length(max("loaded_at")) = 10 THEN 1 ELSE 0 END, )"
      R"(count(*) - count("customer_id"), )"
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

TEST(Planner, SplitsWhatIsTooMuchForOneSelect) {
  std::string yaml = "checks for t:\n";
  for (int i = 0; i < 4000; ++i) yaml += "  - max(c" + std::to_string(i) + ") > 0\n";
  config::Diagnostics diagnostics;
  const auto datasets = parse_check_file(config::parse_yaml(yaml, "x.yml", diagnostics), diagnostics);
  ASSERT_TRUE(diagnostics.ok());
  std::vector<const Check*> checks;
  for (const Check& check : datasets.at(0).checks) checks.push_back(&check);
  for (const sql::Dialect* dialect : {&sql::postgres_dialect(), &sql::sqlite_dialect()}) {
    const auto plans = plan_scans(datasets.at(0), checks, *dialect);
    EXPECT_GT(plans.size(), 1U);
    std::size_t columns = 0;
    for (const ScanPlan& each : plans) {
      EXPECT_LE(each.aggregates.size(), dialect->bounds().columns);
      EXPECT_LE(each.sql.size(), dialect->bounds().bytes);
      EXPECT_EQ(each.aggregates.at(0).sql, "count(*)");
      columns += each.aggregates.size() - 1;
    }
    EXPECT_EQ(columns, 4000U);
  }
}

TEST(Planner, SetsPercentilesApartWhereAsked) {
  config::Diagnostics diagnostics;
  const auto datasets = parse_check_file(
      config::parse_yaml("checks for t:\n  - max(a) > 0\n  - percentile(a, 0.95) > 0\n  - avg(a) > 0\n", "x.yml",
                         diagnostics),
      diagnostics);
  std::vector<const Check*> checks;
  for (const Check& check : datasets.at(0).checks) checks.push_back(&check);
  EXPECT_EQ(plan_scans(datasets.at(0), checks, sql::postgres_dialect()).size(), 1U);
  const auto apart = plan_scans(datasets.at(0), checks, sql::postgres_dialect(), true);
  ASSERT_EQ(apart.size(), 2U);
  EXPECT_THAT(apart[0].sql, Not(HasSubstr("percentile")));
  EXPECT_THAT(apart[1].sql, HasSubstr("percentile_disc"));
}

TEST(Planner, WritesValidityAsSodaMeansIt) {
  EXPECT_THAT(
      plan_of("checks for t:\n  - invalid_count(a) = 0:\n      valid values: [x, \"it's\"]\n      missing values: "
              "[none]\n      filter: b > 1\n",
              sql::postgres_dialect())
          .sql,
      HasSubstr("count(*) FILTER (WHERE (b > 1\n) AND (NOT (\"a\" IS NULL OR \"a\" IN ('none')) AND ((NOT "
                "((\"a\" IN ('x', 'it''s')))))))"));
}

TEST(Planner, AsksForTheRowCountAloneWithoutChecks) {
  Dataset dataset;
  dataset.table = {"t"};
  EXPECT_EQ(plan(dataset, {}, sql::sqlite_dialect()).sql, R"(SELECT count(*) FROM "t")");
}

}  // namespace
}  // namespace weir::quality
