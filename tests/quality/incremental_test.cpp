#include "quality/incremental.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

#include "quality/judge.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;

const Aggregate kCount{.sql = "count(*)", .merge = Merge::count};
const Aggregate kSum{.sql = "sum(a)", .merge = Merge::sum};
const Aggregate kLeast{.sql = "min(a)", .merge = Merge::least};
const Aggregate kGreatest{.sql = "max(a)", .merge = Merge::greatest};
const Aggregate kMean{.sql = "avg(a)", .merge = Merge::mean, .of = "a"};
const Aggregate kSpread{.sql = "stddev_samp(a)", .merge = Merge::stddev_samp, .of = "a"};

Partial of(sql::Value value) { return {std::move(value), {}}; }

TEST(MergeTest, AddsCountsAndSumsAndKeepsNulls) {
  EXPECT_EQ(merged(kCount, of(std::int64_t{2}), of(std::int64_t{3}))->value, sql::Value(std::int64_t{5}));
  EXPECT_EQ(merged(kSum, of(std::monostate()), of(2.5))->value, sql::Value(2.5));
  EXPECT_EQ(merged(kSum, of(std::monostate()), of(std::monostate()))->value, sql::Value());
  EXPECT_EQ(value_of(kCount, {}), sql::Value(std::int64_t{0})) << "no rows are counted as none";
  EXPECT_EQ(value_of(kSum, {}), sql::Value()) << "and have no sum";
  const auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(merged(kSum, of(most), of(most))->value, sql::Value(static_cast<double>(most) * 2));
}

TEST(MergeTest, TakesTheExtremes) {
  EXPECT_EQ(merged(kLeast, of(2.0), of(std::int64_t{1}))->value, sql::Value(std::int64_t{1}));
  EXPECT_EQ(merged(kGreatest, of(std::monostate()), of(1.0))->value, sql::Value(1.0));
  const core::Time early = core::time_from_seconds(1);
  EXPECT_EQ(merged(kLeast, of(core::time_from_seconds(2)), of(early))->value, sql::Value(early));
  EXPECT_TRUE(std::isnan(std::get<double>(merged(kGreatest, of(std::nan("")), of(1.0))->value)));
  EXPECT_EQ(merged(kLeast, of(std::nan("")), of(1.0))->value, sql::Value(1.0));
}

TEST(MergeTest, LeavesTextToTheDatabase) {
  EXPECT_FALSE(merged(kLeast, of(std::string("a")), of(std::string("b"))));
  EXPECT_FALSE(merged(kSum, of(std::string("1")), of(1.0)));
}

TEST(MomentsTest, AreThoseOfAllNumbersHoweverTheyAreSplit) {
  std::mt19937 random(7);
  std::normal_distribution<double> values(1e9, 1);  // where a sum of squares has no digits left
  for (int round = 0; round < 200; ++round) {
    std::vector<double> all(2 + random() % 50);
    for (double& each : all) each = values(random);
    Moments total;
    for (std::size_t begin = 0; begin < all.size();) {
      const std::size_t size = std::min<std::size_t>(all.size() - begin, 1 + random() % 10);
      Moments part;
      part.n = static_cast<double>(size);
      for (std::size_t i = begin; i < begin + size; ++i) part.mean += all[i] / part.n;
      for (std::size_t i = begin; i < begin + size; ++i) part.m2 += (all[i] - part.mean) * (all[i] - part.mean);
      total = merged(total, part);
      begin += size;
    }
    long double mean = 0;
    long double m2 = 0;
    for (const double each : all) mean += each / static_cast<long double>(all.size());
    for (const double each : all) m2 += (each - mean) * (each - mean);
    const double variance = static_cast<double>(m2) / static_cast<double>(all.size() - 1);
    EXPECT_NEAR(std::get<double>(value_of(kMean, {{}, total})), static_cast<double>(mean), 1e-6);
    EXPECT_NEAR(std::get<double>(value_of(kSpread, {{}, total})), std::sqrt(variance), 1e-5);
  }
}

TEST(MomentsTest, OfOneNumberHaveNoSampleDeviation) {
  EXPECT_EQ(value_of(kSpread, {{}, {1, 5, 0}}), sql::Value());
  EXPECT_EQ(value_of(kMean, {{}, {}}), sql::Value());
}

TEST(FrontierTest, MovesInStepsAndNeverPastTheLateness) {
  const IncrementalSettings settings{.column = "at", .lateness = std::chrono::hours(2)};
  std::int64_t last = 0;
  for (std::int64_t now = 1'700'000'000; now < 1'700'020'000; now += 61) {
    const std::int64_t frontier = frontier_at(core::time_from_seconds(static_cast<double>(now)), settings);
    EXPECT_LE(frontier, now - 7200);
    EXPECT_GT(frontier, now - 7200 - 1801);
    EXPECT_EQ(frontier % 1800, 0);
    EXPECT_GE(frontier, last);
    last = frontier;
  }
  EXPECT_LE(frontier_at(core::time_from_seconds(0), settings), -7200) << "before 1970, too";
}

TEST(HalvesTest, AreReadByTheirFirstColumn) {
  const std::vector<Aggregate> aggregates = {kCount, kMean, kSpread};
  const std::int64_t two = 2;
  const auto halves = read_halves({{}, {{std::int64_t{1}, two, two, 5.0, two, 5.0, 0.25}}}, aggregates);
  ASSERT_TRUE(halves);
  EXPECT_EQ(value_of(kCount, halves->before[0]), sql::Value(std::int64_t{0}));
  EXPECT_EQ(value_of(kCount, halves->after[0]), sql::Value(two));
  EXPECT_EQ(value_of(kMean, halves->after[1]), sql::Value(5.0));
  EXPECT_NEAR(std::get<double>(value_of(kSpread, halves->after[2])), std::sqrt(0.5), 1e-12);
}

TEST(HalvesTest, RefuseAnotherShape) {
  const std::vector<Aggregate> aggregates = {kCount, kMean};
  const std::int64_t one = 1;
  for (const sql::Row& row : std::vector<sql::Row>{{},
                                                   {std::int64_t{2}, one, one, 1.0},
                                                   {one, one, one},
                                                   {one, one, one, 1.0, 1.0},
                                                   {one, one, std::string("x"), 1.0},
                                                   {std::monostate(), one, one, 1.0}}) {
    EXPECT_FALSE(read_halves({{}, {row}}, aggregates));
  }
}

sql::Table counters(std::string inserted, std::string updated) {
  return {{"inserted", "updated", "bytes"}, {{std::move(inserted), std::move(updated), std::string("8192")}}};
}

TEST(GuardTest, FindsWhatChangedOldRows) {
  IncrementalState state;
  state.counters = counters("10", "0").rows[0];
  state.surplus = -2;  // two rows were inserted and taken back
  EXPECT_EQ(broken_by(state, counters("10", "0"), 8), "");
  EXPECT_EQ(broken_by(state, counters("15", "0"), 13), "");
  EXPECT_EQ(broken_by(state, counters("13", "0"), 13), "") << "counters lag behind rows";
  EXPECT_THAT(broken_by(state, counters("15", "0"), 12), HasSubstr("old time"));
  EXPECT_THAT(broken_by(state, counters("10", "1"), 8), HasSubstr("\"updated\""));
  EXPECT_THAT(broken_by(state, counters("x", "0"), 8), HasSubstr("no counters"));
  EXPECT_THAT(broken_by(state, {{"inserted"}, {{std::string("10")}}}, 8), HasSubstr("are others"));
}

TEST(StateTextTest, ReadsBackWhatItHolds) {
  IncrementalState state;
  state.plan = "count(*)\nsum(\"a:1\n\")";
  state.frontier = -1800;
  state.surplus = -0.1;
  state.reconciled = core::time_from_seconds(1'700'000'000);
  state.counters = {std::int64_t{-3}, std::string("10:x\n"), std::monostate(), 0.1, core::time_from_seconds(-5)};
  state.base = {{std::int64_t{7}, {}}, {{}, {3, 0.1 + 0.2, 1e-300}}, {std::nan(""), {}}};
  const auto back = state_from_text(state_to_text(state));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->plan, state.plan);
  EXPECT_EQ(back->frontier, state.frontier);
  EXPECT_EQ(back->surplus, state.surplus);
  EXPECT_EQ(back->reconciled, state.reconciled);
  EXPECT_EQ(back->counters, state.counters);
  ASSERT_EQ(back->base.size(), 3U);
  EXPECT_EQ(back->base[0].value, state.base[0].value);
  EXPECT_EQ(back->base[1].moments.mean, state.base[1].moments.mean);
  EXPECT_TRUE(std::isnan(std::get<double>(back->base[2].value)));
}

TEST(StateTextTest, RefusesWhatIsCutOrDamaged) {
  IncrementalState state;
  state.plan = "p";
  state.counters = {std::string("abc"), 1.5};
  state.base = {{std::int64_t{7}, {1, 2, 3}}};
  const std::string text = state_to_text(state);
  for (std::size_t cut = 0; cut < text.size(); ++cut) EXPECT_FALSE(state_from_text(text.substr(0, cut))) << cut;
  EXPECT_FALSE(state_from_text(text + "x"));
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = text;
    damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    (void)state_from_text(damaged);
  }
}

TEST(QueryTest, SplitsAtTheFrontierAndReadsOnlyFromTheLast) {
  Dataset dataset;
  dataset.table = {"t"};
  dataset.incremental = IncrementalSettings{.column = "loaded at"};
  const std::vector<Aggregate> aggregates = {kCount, kSpread};
  const std::string sql = incremental_query(dataset, aggregates, 3600, 7200, sql::postgres_dialect());
  EXPECT_THAT(sql, HasSubstr("count(a), avg(a), var_pop(a)"));
  EXPECT_THAT(sql, HasSubstr("\"loaded at\" IS NULL"));
  EXPECT_THAT(sql, HasSubstr(" GROUP BY CASE WHEN \"loaded at\""));
  EXPECT_THAT(incremental_query(dataset, aggregates, std::nullopt, 7200, sql::postgres_dialect()),
              testing::Not(HasSubstr("WHERE")));
}

}  // namespace
}  // namespace weir::quality
