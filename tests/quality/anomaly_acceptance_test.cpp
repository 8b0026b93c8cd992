#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>

#include "quality/anomaly_suite.h"

namespace weir::quality::anomaly::suite {
namespace {

void print(const char* name, const Score& score) {
  std::printf("  %-20s %3zu series  recall %.3f (%zu of %zu)  precision %.3f  false alarms %.3f in 30 days\n", name,
              score.series, score.recall(), score.detected, score.incidents, score.precision(),
              score.false_alarms_a_month());
}

/// The reported half: no setting is ever chosen by it.
TEST(AnomalyAcceptance, TheReportedHalfReachesWhatIsClaimed) {
  Score all, elementary14, elementary30, modified_z;
  for (const Scenario scenario : scenarios()) {
    Score own;
    for (std::size_t number = 0; number < series_of(scenario); ++number) {
      const Series series = make(scenario, Half::reported, number);
      const Score found = score(series, weir(series, row_counts()));
      EXPECT_LE(found.after_shift, 2U) << to_string(scenario) << " " << number;
      own.add(found);
      elementary14.add(score(series, elementary(series, 14)));
      elementary30.add(score(series, elementary(series, 30)));
      modified_z.add(score(series, re_data(series)));
    }
    print(to_string(scenario).c_str(), own);
    EXPECT_GE(own.recall(), 0.9) << to_string(scenario);
    all.add(own);
  }
  print("all, Weir", all);
  print("Elementary, 14 days", elementary14);
  print("Elementary, 30 days", elementary30);
  print("re_data, modified z", modified_z);
  EXPECT_GT(all.incidents, 300U);
  EXPECT_GT(all.shifts, 20U);
  EXPECT_GE(all.recall(), 0.95);
  EXPECT_GE(all.precision(), 0.8);
  EXPECT_LE(all.false_alarms_a_month(), 0.3);
  for (const Score& other : {elementary14, elementary30, modified_z}) EXPECT_GT(all.recall(), other.recall() + 0.2);
}

TEST(AnomalySuite, TheSameSeedsMakeTheSameSeriesAndTheHalvesShareNone) {
  const Series one = make(Scenario::gaussian, Half::tuning, 3);
  const Series again = make(Scenario::gaussian, Half::tuning, 3);
  const Series other = make(Scenario::gaussian, Half::reported, 3);
  ASSERT_EQ(one.points.size(), again.points.size());
  std::size_t equal = 0;
  for (std::size_t i = 0; i < one.points.size(); ++i) {
    EXPECT_EQ(one.points[i].value, again.points[i].value);
    equal += one.points[i].value == other.points[i].value ? 1 : 0;
  }
  EXPECT_LT(equal, 5U);
}

TEST(AnomalySuite, EverySeriesHasItsIncidentsAfterTheLearning) {
  for (const Scenario scenario : scenarios()) {
    const Series series = make(scenario, Half::tuning, 0);
    EXPECT_EQ(series.incidents, 3U) << to_string(scenario);
    for (std::size_t i = 0; i < series.first_judged; ++i) EXPECT_EQ(series.points[i].incident, -1);
    EXPECT_EQ(series.points.back().shifted, scenario == Scenario::level_shift || scenario == Scenario::hourly_shift);
  }
}

TEST(AnomalySuite, AlarmsAreCountedByIncidentAndByRun) {
  Series series = make(Scenario::gaussian, Half::tuning, 0);
  const std::size_t count = series.points.size();
  EXPECT_EQ(score(series, {std::vector<bool>(count, false), {}}).recall(), 0);
  const Score ever = score(series, {std::vector<bool>(count, true), {}});
  EXPECT_EQ(ever.recall(), 1);
  EXPECT_LE(ever.false_alarms, 4U) << "runs between incidents";
  std::vector<bool> every_other(count, false);
  for (std::size_t i = 0; i < count; i += 2) every_other[i] = true;
  EXPECT_GT(score(series, {every_other, {}}).false_alarms, 50U);
}

}  // namespace
}  // namespace weir::quality::anomaly::suite
