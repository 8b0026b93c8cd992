#include "quality/anomaly_season.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace weir::quality::anomaly {
namespace {

core::Time at(int year, unsigned month, unsigned day, int hour = 0) {
  return core::Time(std::chrono::sys_days(std::chrono::year(year) / month / day)) + std::chrono::hours(hour);
}

bool has(const std::vector<Slots>& slots, Season season) {
  return std::ranges::count(slots, season, &Slots::season) > 0;
}

TEST(AnomalySeason, AStampIsTheLocalDayAndHour) {
  const Zone zone(std::chrono::hours(-5), {});
  const Stamp found = stamp(at(2025, 9, 1, 3), zone);
  EXPECT_EQ(found.weekday, 6) << "Sunday evening there";
  EXPECT_EQ(found.second, 22 * 3600);
  EXPECT_EQ(found.month_day, MonthDay::last);
  EXPECT_EQ(stamp(at(2025, 9, 1, 3), Zone()).month_day, MonthDay::first);
  EXPECT_EQ(stamp(at(2024, 2, 29), Zone()).month_day, MonthDay::last);
  EXPECT_EQ(stamp(at(2024, 2, 28), Zone()).month_day, MonthDay::ordinary);
  EXPECT_EQ(stamp(at(1969, 12, 31, 23), Zone()).second, 23 * 3600);
}

TEST(AnomalySeason, CandidatesAreThoseTheMeasurementsCanShow) {
  const auto daily = candidates(Season::automatic, std::chrono::hours(24), 40);
  EXPECT_TRUE(has(daily, Season::weekly));
  EXPECT_FALSE(has(daily, Season::daily));
  EXPECT_FALSE(has(candidates(Season::automatic, std::chrono::hours(24), 10), Season::weekly)) << "too short";
  const auto hourly = candidates(Season::automatic, std::chrono::hours(1), 40);
  EXPECT_TRUE(has(hourly, Season::daily) && has(hourly, Season::daily_and_weekly) && has(hourly, Season::hour_of_week));
  EXPECT_FALSE(has(hourly, Season::hourly));
  EXPECT_TRUE(has(candidates(Season::automatic, std::chrono::minutes(5), 3), Season::hourly));
  const auto wanted = candidates(Season::weekly, std::chrono::hours(1), 40);
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].season, Season::weekly);
  EXPECT_EQ(candidates(Season::none, std::chrono::hours(1), 40).size(), 1U);
}

TEST(AnomalySeason, EverySecondOfAWeekHasASlot) {
  for (const Season season :
       {Season::none, Season::hourly, Season::daily, Season::weekly, Season::daily_and_weekly, Season::hour_of_week}) {
    for (const int width : {60, 300, 420, 3600}) {
      const Slots slots{season, width};
      for (int second = 0; second < 7 * 86400; second += 59) {
        const Stamp each = stamp(at(2025, 9, 1) + std::chrono::seconds(second), Zone());
        ASSERT_LT(slots.slot(each), slots.count());
      }
    }
  }
}

TEST(AnomalySeason, MediansOfSlotsAndErrorsWithoutTheValueItself) {
  std::vector<Stamp> stamps;
  std::vector<double> values;
  for (int i = 0; i < 28; ++i) {
    stamps.push_back(stamp(at(2025, 9, 1) + std::chrono::days(i), Zone()));
    values.push_back(i % 7 == 0 ? 10 + i / 7 : 0);
  }
  const SeasonFit fit({Season::weekly, 3600}, stamps, values);
  EXPECT_DOUBLE_EQ(fit.effect(stamps[0]), 11.5);
  EXPECT_DOUBLE_EQ(fit.effect(stamps[1]), 0);
  EXPECT_DOUBLE_EQ(fit.errors()[0], 10 - 12) << "foreseen by 11, 12 and 13";
  EXPECT_EQ(fit.support(stamps[0]), 4U);
}

TEST(AnomalySeason, HoursAndWeekdaysAddUp) {
  std::vector<Stamp> stamps;
  std::vector<double> values;
  for (int i = 0; i < 21 * 24; ++i) {
    const Stamp each = stamp(at(2025, 9, 1) + std::chrono::hours(i), Zone());
    stamps.push_back(each);
    values.push_back(100 * each.weekday + each.second / 3600);
  }
  const SeasonFit fit({Season::daily_and_weekly, 3600}, stamps, values);
  for (std::size_t i = 0; i < stamps.size(); ++i) EXPECT_NEAR(fit.effect(stamps[i]), values[i], 1e-9);
}

}  // namespace
}  // namespace weir::quality::anomaly
