#include "quality/gate.h"

#include <gtest/gtest.h>

#include "quality/check_file.h"
#include "quality/probe.h"

namespace weir::quality {
namespace {

core::Result<sql::Table> row(sql::Row values) { return sql::Table{{}, {std::move(values)}}; }

WriteMark mark(std::int64_t counter, double clock, std::optional<double> unsettled = {}, std::string epoch = "e") {
  return {.counters = {counter}, .epoch = std::move(epoch), .clock = clock, .unsettled = unsettled};
}

TEST(UnchangedTest, NeedsTheSameCountersOfTheSameEpoch) {
  EXPECT_TRUE(unchanged(mark(5, 100), mark(5, 200)));
  EXPECT_FALSE(unchanged(mark(5, 100), mark(6, 200)));
  EXPECT_FALSE(unchanged(mark(5, 100), mark(4, 200)));
  EXPECT_FALSE(unchanged(mark(5, 100, {}, "before"), mark(5, 200, {}, "after")));
}

TEST(UnchangedTest, WaitsForSessionsThatMayHoldCountsBack) {
  EXPECT_TRUE(unchanged(mark(5, 100, 99), mark(5, 200, 99)));
  EXPECT_FALSE(unchanged(mark(5, 100), mark(5, 200, 100)));
  EXPECT_FALSE(unchanged(mark(5, 100), mark(5, 200, 150)));
}

TEST(UnchangedTest, TrustsNoClockThatWentBack) { EXPECT_FALSE(unchanged(mark(5, 100), mark(5, 99))); }

TEST(WriteMarkTest, IsNothingWhereTheEngineDoesNotSay) {
  const auto error = core::Result<sql::Table>(core::fail(core::ErrorKind::denied, "no"));
  const auto none = core::Result<sql::Table>(sql::Table{});
  const auto counters = row({std::int64_t{1}});
  const auto delay = row({100.0, std::monostate(), std::string("e")});
  EXPECT_TRUE(write_mark(counters, nullptr));
  EXPECT_TRUE(write_mark(counters, &delay));
  EXPECT_FALSE(write_mark(none, nullptr));
  EXPECT_FALSE(write_mark(error, nullptr));
  EXPECT_FALSE(write_mark(row({std::monostate()}), nullptr));
  for (const auto& wrong :
       {error, none, row({100.0}), row({std::monostate(), std::monostate(), std::string("e")}),
        row({100.0, std::monostate(), std::monostate()}), row({100.0, std::string("x"), std::string("e")})}) {
    EXPECT_FALSE(write_mark(counters, &wrong));
  }
}

TEST(StableTest, TakesComparisonsOfColumns) {
  for (const char* sql :
       {"", "a > 1 AND b IN (1, 2)", "lower(name) = 'now or never'", "(a = 1) OR (b IS NULL)", "\"current_date\" > 1",
        "`now` = 1", "created_at >= '2023-11-14'", "a=-1.5e3 AND b<-.5", "note = 'today I slept 12:00'",
        "a::numeric(10,2) > 1.0 AND b :: text <> ''", "cast(a as varchar(20)) ~* '^x'", "a||b = 'xy' AND a%2=0",
        "sum(CASE WHEN region = 'eu' THEN 1.0 ELSE 0 END) / count(*)"}) {
    EXPECT_TRUE(is_stable(sql, "postgres")) << sql;
  }
}

TEST(StableTest, TakesWhatTheDialectsWithCountersWrite) {
  config::Diagnostics diagnostics;
  const auto datasets = parse_check_file(config::parse_yaml(R"(
checks for t:
  - row_count > 0
  - freshness(at) < 1h
  - missing_percent(a) < 5%
  - invalid_count(a) = 0: {valid values: [x], valid min length: 2}
  - invalid_count(b) = 0: {valid min: 0, filter: a = 'x'}
  - min(b) > 0
  - avg(b) > 0
  - sum(b) > 0
  - stddev(b) > 0
  - var_pop(b) > 0
  - percentile(b, 0.5) > 0
  - avg_length(a) > 0
  - max(at - made_at) < 1h
  - late_count(made_at, at) = 0: {bucket: 1h, lateness: 1h}
)",
                                                            "x.yml", diagnostics),
                                         diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  for (const sql::Dialect* dialect : {&sql::postgres_dialect(), &sql::odbc_postgres_dialect(), &sql::sqlite_dialect(),
                                      &sql::clickhouse_dialect(), &sql::snowflake_dialect()}) {
    for (const Check& check : datasets.at(0).checks) {
      for (const Aggregate& each : check.probe->needs(datasets[0], *dialect).aggregates) {
        EXPECT_TRUE(is_stable(each.sql, dialect->name())) << dialect->name() << ": " << each.sql;
      }
    }
  }
}

TEST(StableTest, RefusesWhatMovesByItself) {
  for (const char* sql : {"created_at > now() - interval '1 day'",
                          "day = CURRENT_DATE",
                          "day = 'Today'",
                          "day = ' now '::date",
                          "random() < 0.1",
                          "my_function(a)",
                          "\"my function\" (a)",
                          "owner = current_user",
                          "a = (SELECT 1)",
                          "a = date('now')",
                          "a = '\\\' OR now() > a",
                          "a > $1",
                          "a = @x",
                          "id IN (TABLE refb)",
                          "exists(table refb)",
                          "EXISTS (table\n refb)",
                          "a ==== b",
                          "a <-> b",
                          "a ||- b",
                          "y16.f13 > 1",
                          "(y16).f13",
                          "\"y16\".\"f13\" > 1",
                          "y16 . f13 = 1",
                          "a::my_type = 'x'",
                          "a :: \"text\" = 'x'",
                          "CAST(a AS mood) = 'x'",
                          "a = 'today 12:00 UTC'",
                          "a = '\ttomorrow'",
                          "a OPERATOR(public.=) b",
                          "current_schema = a",
                          "`a\\` = 1 OR now() = `b`",
                          "a > julianday( )",
                          "a = 'x"}) {
    EXPECT_FALSE(is_stable(sql, "postgres")) << sql;
  }
}

TEST(StableTest, AnotherEnginesFunctionMayBeAUsers) {
  EXPECT_TRUE(is_stable("match(a, 'x')", "clickhouse"));
  EXPECT_TRUE(is_stable("total(a) > weir_x(a)", "sqlite"));
  for (const char* sql : {"match(a, 'x')", "total(a) > 1", "typeof(a) = 'x'", "weir_x(a)"}) {
    EXPECT_FALSE(is_stable(sql, "postgres")) << sql;
  }
}

}  // namespace
}  // namespace weir::quality
