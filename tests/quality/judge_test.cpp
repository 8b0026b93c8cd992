#include "quality/judge.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <unistd.h>

#include "quality/check_parser.h"
#include "quality/probe.h"

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const core::Time kNow = core::time_from_seconds(1'700'000'000);
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A check of the given expression, with zones where given.
Check check_of(const std::string& text, const std::string& warn = "", const std::string& fail = "") {
  std::string yaml = "- '" + text + "':\n";
  if (!warn.empty()) yaml += "    warn: " + warn + "\n";
  if (!fail.empty()) yaml += "    fail: " + fail + "\n";
  config::Diagnostics diagnostics;
  const auto node = config::parse_yaml(yaml, "x.yml", diagnostics);
  auto checks = parse_check(node.items().at(0), {"t"}, {}, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return checks.empty() ? Check{} : checks.front();
}

/// What a scan for these checks gave: the row count and their own aggregates.
Observation observation_of(const std::vector<Check>& checks, const sql::Row& row) {
  Dataset dataset;
  dataset.table = {"t"};
  std::vector<const Check*> pointers;
  for (const Check& check : checks) pointers.push_back(&check);
  return {plan(dataset, pointers, sql::sqlite_dialect()), row};
}

Measured measured(const Check& check, const Observation& observation) {
  const Dataset dataset;
  return check.probe->measure({observation, {}, {}, dataset, sql::sqlite_dialect(), kNow});
}

Measured measured(const std::string& text, const sql::Row& row) {
  const Check check = check_of(text);
  return measured(check, observation_of({check}, row));
}

Outcome outcome(const Check& check, double value) { return judge(check, {value, ""}).outcome; }

TEST(Measure, ReadsNumbersOfBothKinds) {
  EXPECT_EQ(measured("row_count > 0", {std::int64_t{5}}).value, 5);
  EXPECT_EQ(measured("max(a) > 0", {std::int64_t{5}, 2.5}).value, 2.5);
  EXPECT_EQ(measured("missing_count(a) > 0", {std::int64_t{5}, std::int64_t{2}}).value, 2);
  EXPECT_EQ(measured("missing_percent(a) > 0", {std::int64_t{5}, std::int64_t{2}}).value, 40);
}

TEST(Measure, FindsNothingInAnEmptyTable) {
  const std::int64_t none = 0;
  EXPECT_EQ(measured("row_count > 0", {none}).value, 0);
  for (const char* text : {"freshness(a) < 1h", "min(a) > 0", "max(a) > 0", "avg(a) > 0"}) {
    const Measured result = measured(text, {none, std::monostate{}});
    EXPECT_EQ(result.value, std::nullopt) << text;
    EXPECT_EQ(result.problem, "the table is empty") << text;
  }
  EXPECT_EQ(measured("missing_percent(a) < 5%", {none, none}).value, 0) << "as in Soda";
}

TEST(Measure, FindsNothingInAColumnOfNulls) {
  const Measured result = measured("max(a) > 0", {std::int64_t{5}, std::monostate{}});
  EXPECT_EQ(result.value, std::nullopt);
  EXPECT_THAT(result.problem, HasSubstr("nothing but NULL"));
}

TEST(Measure, TakesNothingForANumberThatIsNone) {
  const std::int64_t rows = 5;
  EXPECT_THAT(measured("avg(a) > 0", {rows, std::string("text")}).problem, HasSubstr("not a numeric column"));
  EXPECT_THAT(measured("max(a) > 0", {rows, kNow}).problem, HasSubstr("not a numeric column"));
  EXPECT_THAT(measured("avg(a) > 0", {rows, std::nan("")}).problem, HasSubstr("NaN"));
  EXPECT_THAT(measured("freshness(a) < 1h", {rows, std::string("soon")}).problem, HasSubstr("no point in time"));
  EXPECT_THAT(measured("freshness(a) < 1h", {rows, kInfinity}).problem, HasSubstr("no point in time"));
  EXPECT_EQ(measured("max(a) < 5", {rows, kInfinity}).value, kInfinity) << "infinite is a value, and too large";
}

TEST(Measure, KnowsNothingOfAScanThatGaveNothing) {
  EXPECT_EQ(measured(check_of("row_count > 0"), Observation()).value, std::nullopt);
}

TEST(Freshness, IsTheAgeOfTheNewestRow) {
  EXPECT_EQ(measured("freshness(a) < 1h", {std::int64_t{5}, 1'699'999'990.0}).value, 10);
  EXPECT_EQ(measured("freshness(a) < 1h", {std::int64_t{5}, std::int64_t{1'699'999'990}}).value, 10);
}

TEST(Freshness, ToleratesClocksThatDifferButNotAFutureThatHidesStalls) {
  EXPECT_EQ(measured("freshness(a) < 1h", {std::int64_t{5}, 1'700'000'060.0}).value, -60);
  const Measured ahead = measured("freshness(a) < 1h", {std::int64_t{5}, 1'700'007'200.0});
  EXPECT_EQ(ahead.value, std::nullopt);
  EXPECT_THAT(ahead.problem, HasSubstr("2h in the future"));
}

TEST(Distribution, ComparesCountsWithTheReference) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("weir-judge-" + std::to_string(::getpid()) + ".yml");
  std::ofstream(file) << "distribution_type: continuous\ndistribution_reference:\n  bins: [0, 10, 20]\n"
                         "  weights: [0, 0.5, 0.5]\n";
  config::Diagnostics diagnostics;
  const auto node = config::parse_yaml(
      "- distribution_difference(a) < 1:\n    method: psi\n    distribution reference "
      "file: " +
          file.string() + "\n",
      "x.yml", diagnostics);
  const Check check = parse_check(node.items().at(0), {"t"}, {}, diagnostics).at(0);
  std::filesystem::remove(file);
  const std::int64_t none = 0, half = 50;
  const auto result = [&](const sql::Row& row) { return measured(check, observation_of({check}, row)); };
  EXPECT_NEAR(*result({std::int64_t{100}, none, half, half, none}).value, 0, 1e-9);
  EXPECT_GT(*result({std::int64_t{100}, none, none, half, half}).value, 1);
  EXPECT_EQ(result({none, none, none, none, none}).problem, "the table is empty");
  EXPECT_THAT(result({half, none, none, none, none}).problem, HasSubstr("nothing but NULL"));
}

TEST(Judge, PassesWhatIsExpectedAndFailsTheRest) {
  const Check check = check_of("row_count between 10 and 20");
  EXPECT_EQ(outcome(check, 10), Outcome::pass);
  EXPECT_EQ(outcome(check, 9), Outcome::fail);
  EXPECT_EQ(outcome(check, kInfinity), Outcome::fail);
  EXPECT_EQ(outcome(check, std::nan("")), Outcome::fail) << "NaN never passes";
}

TEST(Judge, ZonesWarnAndFailWhereTheyHold) {
  const Check check = check_of("row_count", "when < 10", "when < 5");
  EXPECT_EQ(outcome(check, 10), Outcome::pass);
  EXPECT_EQ(outcome(check, 9), Outcome::warn);
  EXPECT_EQ(outcome(check, 4), Outcome::fail) << "fail counts before warn";
  EXPECT_EQ(outcome(check_of("row_count", "when < 10"), 4), Outcome::warn);
}

TEST(Judge, SaysWhatItSawAndWhatItWanted) {
  EXPECT_EQ(judge(check_of("row_count > 0"), {0, ""}).message, "row_count is 0, expected > 0");
  EXPECT_EQ(judge(check_of("freshness(loaded_at) < 1h30m"), {7260, ""}).message,
            "freshness(loaded_at) is 2h1m, expected < 1h30m");
  EXPECT_EQ(judge(check_of("missing_percent(a) < 5%"), {12.3456789, ""}).message,
            "missing_percent(a) is 12.3457%, expected < 5%");
  EXPECT_EQ(judge(check_of("row_count", "when < 10"), {9, ""}).message, "row_count is 9, warns when < 10");
  EXPECT_EQ(judge(check_of("row_count > 0"), {3'000'000'000, ""}).message, "row_count is 3000000000, expected > 0");
}

TEST(Judge, CannotTellWithoutAValue) {
  const Verdict verdict = judge(check_of("max(a) < 5"), {std::nullopt, "the table is empty"});
  EXPECT_EQ(verdict.outcome, Outcome::error);
  EXPECT_EQ(verdict.value, std::nullopt);
  EXPECT_EQ(verdict.message, "max(a) could not be evaluated: the table is empty");
}

Verdict change(const std::string& text, double value, std::vector<double> before) {
  return judge_change(check_of(text), {value, ""}, {std::move(before), false});
}

TEST(JudgeChange, ComparesWithTheLastLoad) {
  EXPECT_EQ(change("change for row_count < 5", 14, {10}).outcome, Outcome::pass);
  EXPECT_EQ(change("change for row_count < 5", 15, {10}).value, 5);
  EXPECT_EQ(change("change for row_count < 5", 15, {10}).outcome, Outcome::fail);
  EXPECT_EQ(change("change percent for row_count > -30%", 50, {100}).value, -50);
  EXPECT_EQ(change("change percent for row_count > -30%", 50, {100}).message,
            "change percent for row_count is -50% (50 after 100), expected > -30%");
  EXPECT_EQ(change("change percent for avg(a) < 10%", -5, {-10}).value, -50) << "as Soda divides, by the signed value";
}

TEST(JudgeChange, ComparesWithAnAggregateOfTheLastLoads) {
  EXPECT_EQ(change("change avg last 3 for row_count < 5", 10, {1, 2, 3}).value, 8);
  EXPECT_EQ(change("change min last 3 for row_count < 5", 10, {1, 2, 3}).value, 9);
  EXPECT_EQ(change("change max last 3 for row_count < 5", 10, {1, 2, 3}).value, 7);
}

TEST(JudgeChange, PassesAsLearningUntilThereIsEnoughToCompareWith) {
  const Verdict verdict = change("change avg last 7 percent for row_count > -30%", 10, {1, 2, 3});
  EXPECT_EQ(verdict.outcome, Outcome::pass);
  EXPECT_TRUE(verdict.learning);
  EXPECT_EQ(verdict.value, std::nullopt);
  EXPECT_THAT(verdict.message, HasSubstr("learning (3 of 7 measurements)"));
  EXPECT_FALSE(change("change avg last 3 for row_count > 0", 10, {1, 2, 3}).learning);
}

TEST(JudgeChange, HasNoPercentageOfNothing) {
  EXPECT_EQ(change("change percent for row_count > -30%", 5, {0}).outcome, Outcome::error);
  EXPECT_EQ(change("change percent for row_count > -30%", 0, {0}).value, 0);
  EXPECT_EQ(change("change percent for max(a) > -30%", kInfinity, {1}).outcome, Outcome::error);
  EXPECT_EQ(judge_change(check_of("change for max(a) < 5"), {std::nullopt, "gone"}, {{1}, false}).outcome,
            Outcome::error);
}

class BaselineTest : public testing::Test {
 protected:
  static core::Time at(int hours) { return kNow + std::chrono::hours(hours); }
  void load(double value, int hours) { history_.push_back({"x", at(hours), value}); }
  Baseline of(double value, std::optional<core::Time> load = std::nullopt, core::Time now = kNow) const {
    return baseline(Change{Change::Aggregate::avg, 3, Change::SameDay::no, true}, value, load, history_, now);
  }
  std::vector<core::Measurement> history_;
};

TEST_F(BaselineTest, IsTheLastLoadsAndNoMore) {
  for (int i = 1; i <= 5; ++i) load(i, i - 10);
  EXPECT_THAT(of(9).values, ElementsAre(3, 4, 5));
  EXPECT_FALSE(of(9).known_load);
}

TEST_F(BaselineTest, NeverHoldsThePresentLoadMeasuredAgain) {
  load(1, -3);
  load(2, -2);
  load(3, -1);
  EXPECT_THAT(of(3).values, ElementsAre(1, 2));
  EXPECT_TRUE(of(3).known_load);
  EXPECT_THAT(of(3, at(-1)).values, ElementsAre(1, 2));
  EXPECT_TRUE(of(3, at(-1)).known_load);
}

TEST_F(BaselineTest, TellsLoadsOfTheSameSizeByTheirTime) {
  load(3, -3);
  load(3, -2);
  EXPECT_THAT(of(3, at(-1)).values, ElementsAre(3, 3));
  EXPECT_FALSE(of(3, at(-1)).known_load);
}

TEST_F(BaselineTest, TellsLoadsOfTheSameSizeByADayWhereThereIsNoTime) {
  load(3, -25);
  EXPECT_THAT(of(3).values, ElementsAre(3));
  EXPECT_FALSE(of(3).known_load);
  EXPECT_TRUE(of(3, std::nullopt, at(-2)).known_load);
}

TEST_F(BaselineTest, CountsALoadThatGrewOnce) {
  load(1, -3);
  load(5, -2);
  load(9, -2);
  EXPECT_THAT(of(20, at(-1)).values, ElementsAre(1, 9));
  EXPECT_THAT(of(11, at(-2)).values, ElementsAre(1)) << "still growing";
  EXPECT_FALSE(of(11, at(-2)).known_load);
}

TEST_F(BaselineTest, DoesNotCompareAnOlderLoadWithNewerOnes) {
  load(1, -3);
  load(2, -1);
  EXPECT_THAT(of(1, at(-2)).values, ElementsAre(1)) << "the table was set back";
  EXPECT_TRUE(of(1, at(-2)).known_load);
}

TEST_F(BaselineTest, MayBeTheSameDayOfTheLastWeekOrMonth) {
  const auto same = [&](Change::SameDay day, core::Time now) {
    Change change;
    change.same_day = day;
    return baseline(change, 0, now, history_, now).values;
  };
  // kNow is 2023-11-14T22:13:20Z.
  load(1, -24 * 8);
  load(2, -24 * 7 - 3);
  load(3, -24 * 7);
  load(4, -24 * 6);
  EXPECT_THAT(same(Change::SameDay::last_week, kNow), ElementsAre(3)) << "the last of that day";
  EXPECT_THAT(same(Change::SameDay::last_month, kNow), IsEmpty());
  history_.insert(history_.begin(), {"x", core::time_from_seconds(1'697'300'000), 9});  // 2023-10-14T16:13Z
  EXPECT_THAT(same(Change::SameDay::last_month, kNow), ElementsAre(9));
  history_ = {{"x", core::time_from_seconds(1'709'200'000), 7}};  // 2024-02-29T09:46Z
  EXPECT_THAT(same(Change::SameDay::last_month, core::time_from_seconds(1'711'900'000)), ElementsAre(7))
      << "of 31 March the last of February";
}

TEST_F(BaselineTest, IsEmptyAtFirst) {
  EXPECT_THAT(of(1).values, IsEmpty());
  EXPECT_FALSE(of(1).known_load);
}

TEST(ShowNumber, TellsLargeNumbersApart) {
  EXPECT_EQ(show_number(1366560.123), "1366560.123");
  EXPECT_EQ(show_number(-1366560.5), "-1366560.5");
  EXPECT_EQ(show_number(1366560), "1366560");
  EXPECT_EQ(show_number(3.14159265), "3.14159");
  EXPECT_EQ(show_number(0.1 + 0.2), "0.3");
  EXPECT_EQ(show_number(1e300), "1e+300");
}

TEST(Remember, TakesNewLoadsThatPassed) {
  Verdict verdict;
  verdict.outcome = Outcome::pass;
  const auto kept = to_remember("id", verdict, 5, {}, kNow - std::chrono::hours(1), kNow);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->time, kNow - std::chrono::hours(1));
  EXPECT_EQ(to_remember("id", verdict, 5, {}, std::nullopt, kNow)->time, kNow);
  EXPECT_EQ(to_remember("id", verdict, 5, {{}, true}, std::nullopt, kNow), std::nullopt);
  EXPECT_EQ(to_remember("id", verdict, kInfinity, {}, std::nullopt, kNow), std::nullopt);
  verdict.outcome = Outcome::error;
  EXPECT_EQ(to_remember("id", verdict, 5, {}, std::nullopt, kNow), std::nullopt);
  Baseline long_failing;
  long_failing.objected = 16;
  for (const Outcome bad : {Outcome::warn, Outcome::fail}) {
    verdict.outcome = bad;
    EXPECT_EQ(to_remember("id", verdict, 5, {}, std::nullopt, kNow)->mark, core::Mark::anomalous);
    EXPECT_EQ(to_remember("id", verdict, 5, long_failing, std::nullopt, kNow), std::nullopt);
  }
}

TEST(LoadTime, IsTheNewestOfTheFreshnessChecksButNotTheFuture) {
  Dataset dataset;
  dataset.checks = {check_of("freshness(a) < 1h"), check_of("freshness(b) < 1h"), check_of("max(c) < 1")};
  const auto time = [&](const sql::Value& a, const sql::Value& b) {
    const Observation observation =
        observation_of(dataset.checks, {std::int64_t{5}, a, std::int64_t{0}, b, std::int64_t{0}, 1e9});
    return load_time({observation, {}, {}, dataset, sql::sqlite_dialect(), kNow});
  };
  EXPECT_EQ(time(1'600'000'000.0, 1'650'000'000.0), core::time_from_seconds(1'650'000'000));
  EXPECT_EQ(time(1'600'000'000.0, 4'000'000'000.0), core::time_from_seconds(1'600'000'000));
  EXPECT_EQ(time(std::monostate{}, std::string("x")), std::nullopt);
}

}  // namespace
}  // namespace weir::quality
