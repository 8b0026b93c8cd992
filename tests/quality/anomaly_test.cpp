#include "quality/anomaly.h"

#include <algorithm>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <ostream>
#include <random>
#include <vector>

namespace weir::quality::anomaly {

/// As failures show it.
void PrintTo(const State& state, std::ostream* out) { *out << to_string(state); }

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const core::Time kMonday = core::Time(std::chrono::sys_days(std::chrono::year(2025) / 9 / 1));

core::Time day(int number) { return kMonday + std::chrono::days(number); }

/// Noise that is the same everywhere: the engine's numbers are fixed by the standard, distributions' are not.
class Noise {
 public:
  double operator()() { return static_cast<double>(engine_() >> 11U) / 9007199254740992.0 * 2 - 1; }

 private:
  std::mt19937_64 engine_{7};
};

/// Weekdays around 1000, weekends around 400, ± 5 %.
std::vector<Point> weeks(int days, double factor = 1) {
  Noise noise;
  std::vector<Point> history;
  for (int i = 0; i < days; ++i) {
    const double level = i % 7 >= 5 ? 400 : 1000;
    history.push_back({day(i), std::round(level * factor * (1 + 0.05 * noise()))});
  }
  return history;
}

std::vector<Point> constant(int days, double value) {
  std::vector<Point> history;
  for (int i = 0; i < days; ++i) history.push_back({day(i), value});
  return history;
}

Settings counts() {
  Settings settings;
  settings.lower_bound = 0;
  settings.unit = "rows";
  return settings;
}

/// Feeds values day by day, each with the mark it is given; returns what was found.
std::vector<Assessment> feed(std::vector<Point>& history, int first, const std::vector<double>& values,
                             const Settings& settings) {
  std::vector<Assessment> found;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Point point{day(first + static_cast<int>(i)), values[i]};
    found.push_back(assess(history, point, settings));
    point.mark = found.back().mark;
    history.push_back(point);
  }
  return found;
}

State judge(const std::vector<Point>& history, const Point& point, const Settings& settings) {
  return assess(history, point, settings).state;
}

TEST(Anomaly, LearnsWithVisibleProgressUntilTheDaysAreThere) {
  EXPECT_EQ(assess({}, {day(0), 1000}, counts()).sentence, "learning, 0 of 21 days");
  const Assessment half = assess(weeks(12), {day(12), 0}, counts());
  EXPECT_EQ(half.state, State::learning);
  EXPECT_EQ(half.sentence, "learning, 12 of 21 days");
  EXPECT_EQ(half.mark, core::Mark::none);
  EXPECT_EQ(judge(weeks(20), {day(20), 0}, counts()), State::learning);
  EXPECT_EQ(judge(weeks(21), {day(21), 0}, counts()), State::anomalous);
}

TEST(Anomaly, ManyMeasurementsOfFewDaysDoNotEndTheLearning) {
  std::vector<Point> history;
  for (int i = 0; i < 500; ++i) history.push_back({kMonday + std::chrono::minutes(10 * i), 50});
  const Assessment found = assess(history, {kMonday + std::chrono::minutes(5000), 900}, counts());
  EXPECT_EQ(found.state, State::learning);
  EXPECT_EQ(found.sentence, "learning, 4 of 21 days");
}

TEST(Anomaly, WeeklyMeasurementsLearnByNumber) {
  std::vector<Point> history;
  for (int i = 0; i < 13; ++i) history.push_back({day(7 * i), 1000.0 + i % 3});
  EXPECT_EQ(assess(history, {day(91), 10}, counts()).sentence, "learning, 13 of 14 measurements");
  history.push_back({day(91), 1001});
  EXPECT_EQ(judge(history, {day(98), 10}, counts()), State::anomalous);
}

TEST(Anomaly, WhatIsUsualOnAWeekendIsNoneOnAMonday) {
  const std::vector<Point> history = weeks(42);
  const Assessment monday = assess(history, {day(42), 400}, counts());
  EXPECT_EQ(monday.state, State::anomalous);
  EXPECT_LT(monday.score, -monday.threshold);
  EXPECT_THAT(monday.sentence, StartsWith("400 rows, expected "));
  EXPECT_THAT(monday.sentence, HasSubstr(" for a Monday"));
  EXPECT_EQ(judge(history, {day(47), 400}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(47), 1000}, counts()), State::anomalous);
}

TEST(Anomaly, TheRangeHoldsWhatIsExpectedAndTheScoreAgreesWithIt) {
  const std::vector<Point> history = weeks(42);
  for (const double value : {0.0, 300.0, 800.0, 950.0, 1000.0, 1050.0, 1200.0, 1500.0, 5000.0, 1e12}) {
    const Assessment found = assess(history, {day(42), value}, counts());
    EXPECT_LT(found.low, found.expected);
    EXPECT_LT(found.expected, found.high);
    EXPECT_GE(found.low, 0);
    EXPECT_EQ(found.state == State::anomalous, value < found.low || value > found.high) << value;
    EXPECT_EQ(found.state == State::anomalous, std::abs(found.score) > found.threshold) << value;
    EXPECT_EQ(found.mark == core::Mark::anomalous, found.state == State::anomalous);
  }
}

TEST(Anomaly, APointIsNeverInItsOwnBaselineNorIsWhatCameLater) {
  std::vector<Point> history = weeks(42);
  const Assessment alone = assess(history, {day(42), 0}, counts());
  for (int i = 42; i < 60; ++i) history.push_back({day(i), 0});
  const Assessment among = assess(history, {day(42), 0}, counts());
  EXPECT_EQ(among.state, State::anomalous);
  EXPECT_EQ(among.low, alone.low);
  EXPECT_EQ(among.high, alone.high);
}

TEST(Anomaly, OrderAndDoublesDoNotMatterTheLastOfATimeCounts) {
  std::vector<Point> history = weeks(42);
  const Assessment ordered = assess(history, {day(42), 1000}, counts());
  std::ranges::reverse(history);
  EXPECT_EQ(assess(history, {day(42), 1000}, counts()).low, ordered.low);
  std::vector<Point> twice = weeks(42, 3);
  const std::vector<Point> right = weeks(42);
  twice.insert(twice.end(), right.begin(), right.end());
  EXPECT_EQ(assess(twice, {day(42), 1000}, counts()).low, ordered.low);
}

TEST(Anomaly, TheAnomalousAndTheExcludedAreNotLearnedFrom) {
  std::vector<Point> history = weeks(63);
  const Assessment clean = assess(history, {day(63), 1000}, counts());
  for (const int bad : {30, 31, 40, 47, 55}) {
    history[static_cast<std::size_t>(bad)].value = 1e6;
    history[static_cast<std::size_t>(bad)].mark = core::Mark::anomalous;
  }
  const Assessment marked = assess(history, {day(63), 1000}, counts());
  EXPECT_NEAR(marked.low, clean.low, 40);
  EXPECT_NEAR(marked.high, clean.high, 40);
  // The same values on excluded days, and called wrong by a person.
  Settings excluding = counts();
  for (const int bad : {30, 31, 40, 47, 55}) {
    history[static_cast<std::size_t>(bad)].mark = core::Mark::none;
    const std::int64_t date = day(bad).time_since_epoch() / std::chrono::days(1);
    excluding.exclude.push_back({date, date});
  }
  EXPECT_EQ(assess(history, {day(63), 1000}, excluding).low, marked.low);
  for (const int bad : {30, 31, 40, 47, 55}) {
    history[static_cast<std::size_t>(bad)].feedback = core::Feedback::wrong;
  }
  EXPECT_EQ(assess(history, {day(63), 1000}, counts()).low, marked.low);
}

TEST(Anomaly, AnExcludedDateDoesNotAlarmAndTheNextDayDoes) {
  const std::vector<Point> history = weeks(42);
  Settings settings = counts();
  const std::int64_t date = day(42).time_since_epoch() / std::chrono::days(1);
  settings.exclude = {{date, date}};
  const Assessment found = assess(history, {day(42), 0}, settings);
  EXPECT_EQ(found.state, State::normal);
  EXPECT_EQ(found.mark, core::Mark::none);
  EXPECT_THAT(found.sentence, HasSubstr("on an excluded date"));
  EXPECT_EQ(judge(history, {day(43), 0}, settings), State::anomalous);
}

TEST(Anomaly, UnmarkedOutliersInTheLearningHardlyWidenTheRange) {
  std::vector<Point> history = weeks(42);
  history[10].value = 0;
  history[24].value = 100'000;
  EXPECT_EQ(judge(history, {day(42), 500}, counts()), State::anomalous);
  EXPECT_EQ(judge(history, {day(42), 2500}, counts()), State::anomalous);
}

TEST(Anomaly, WhatAPersonCallsFineIsLearned) {
  std::vector<Point> history = constant(40, 100);
  for (std::size_t i = 20; i < 40; i += 2) {
    history[i].value = 140;
    history[i].mark = core::Mark::anomalous;
  }
  EXPECT_EQ(judge(history, {day(40), 140}, counts()), State::anomalous);
  for (Point& point : history) point.feedback = core::Feedback::fine;
  EXPECT_EQ(judge(history, {day(40), 140}, counts()), State::normal);
}

TEST(Anomaly, AnIncidentRecovers) {
  std::vector<Point> history = weeks(42);
  const auto found = feed(history, 42, {0, 0, 1010, 990}, counts());
  EXPECT_EQ(found[0].state, State::anomalous);
  EXPECT_EQ(found[1].state, State::anomalous);
  EXPECT_EQ(found[2].state, State::recovered);
  EXPECT_THAT(found[2].sentence, HasSubstr("back in range"));
  EXPECT_EQ(found[3].state, State::normal);
}

TEST(Anomaly, FiveThatAgreeAreANewLevelSaidOnceAndLearned) {
  std::vector<Point> history = weeks(42);
  const std::vector<Point> higher = weeks(70, 1.6);
  std::vector<double> values;
  for (std::size_t i = 42; i < 70; ++i) values.push_back(higher[i].value);
  const auto found = feed(history, 42, values, counts());
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(found[i].state, State::anomalous) << i;
  EXPECT_EQ(found[4].state, State::level_shift);
  EXPECT_THAT(found[4].sentence, HasSubstr("the new level"));
  // The weekend right after it was never seen at this level, and is foreseen.
  for (std::size_t i = 5; i < found.size(); ++i) EXPECT_EQ(found[i].state, State::normal) << found[i].sentence;
  EXPECT_EQ(feed(history, 70, {1000}, counts())[0].state, State::anomalous) << "the old level is not expected any more";
}

TEST(Anomaly, ALevelThatBeginsAtAMonthsEndIsALevelToo) {
  std::vector<Point> history = weeks(28);
  ASSERT_EQ(stamp(day(29), Zone()).month_day, MonthDay::last);
  const std::vector<Point> higher = weeks(42, 2);
  std::vector<double> values;
  for (std::size_t i = 28; i < 42; ++i) values.push_back(higher[i].value);
  const auto found = feed(history, 28, values, counts());
  EXPECT_EQ(found[4].state, State::level_shift);
  for (std::size_t i = 5; i < found.size(); ++i) EXPECT_EQ(found[i].state, State::normal) << found[i].sentence;
}

TEST(Anomaly, FiveThatDisagreeAreNoLevel) {
  std::vector<Point> history = weeks(42);
  for (const Assessment& each : feed(history, 42, {5000, 20, 9000, 100, 30000, 1, 7000}, counts())) {
    EXPECT_EQ(each.state, State::anomalous);
  }
}

TEST(Anomaly, AStopIsNoNewLevelHoweverLong) {
  std::vector<Point> history = weeks(42);
  for (const Assessment& each : feed(history, 42, std::vector<double>(20, 0), counts())) {
    EXPECT_EQ(each.state, State::anomalous);
  }
}

TEST(Anomaly, AnOldLevelThatComesBackSoonIsARecovery) {
  std::vector<Point> history = weeks(42);
  const std::vector<Point> higher = weeks(49, 3);
  std::vector<double> values;
  for (std::size_t i = 42; i < 49; ++i) values.push_back(higher[i].value);
  feed(history, 42, values, counts());
  const auto found = feed(history, 49, {1000, 1010, 990, 1000, 1000, 400}, counts());
  EXPECT_EQ(found[0].state, State::recovered);
  EXPECT_EQ(found[0].mark, core::Mark::level_back);
  for (std::size_t i = 1; i < found.size(); ++i) EXPECT_EQ(found[i].state, State::normal) << found[i].sentence;
}

TEST(Anomaly, GrowthIsExpectedToGoOn) {
  Noise noise;
  std::vector<Point> history;
  for (int i = 0; i < 60; ++i) history.push_back({day(i), std::round(10'000 + 500 * i + 100 * noise())});
  EXPECT_EQ(judge(history, {day(60), 40'000}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(60), 25'000}, counts()), State::anomalous);
}

TEST(Anomaly, ATableThatIsOnlyAddedToIsJudgedByItsLastRowCount) {
  Noise noise;
  std::vector<Point> history;
  double rows = 1'000'000;
  for (int i = 0; i < 60; ++i) history.push_back({day(i), rows = std::round(rows + 10'000 + 1'500 * noise())});
  EXPECT_EQ(judge(history, {day(60), rows + 10'000}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(60), rows}, counts()), State::anomalous) << "nothing was loaded";
  EXPECT_EQ(judge(history, {day(60), rows + 20'000}, counts()), State::anomalous) << "loaded twice";
}

TEST(Anomaly, AConstantSeriesAllowsOneUnitOrAThousandth) {
  const std::vector<Point> history = constant(30, 50);
  EXPECT_EQ(judge(history, {day(30), 50}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(30), 51}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(30), 53}, counts()), State::anomalous);
  EXPECT_EQ(judge(history, {day(30), 47}, counts()), State::anomalous);
  EXPECT_EQ(judge(constant(30, 1e6), {day(30), 1'000'900}, counts()), State::normal);
  EXPECT_EQ(judge(constant(30, 1e6), {day(30), 1'001'100}, counts()), State::anomalous);
  EXPECT_EQ(judge(constant(30, 0.5), {day(30), 0.51}, Settings{}), State::anomalous) << "no whole numbers";
  EXPECT_EQ(judge(constant(30, 0), {day(30), 1}, counts()), State::normal);
  EXPECT_EQ(judge(constant(30, 0), {day(30), 5}, counts()), State::anomalous);
}

TEST(Anomaly, RareValuesAmongZerosAreNoneWhenTheyCameBefore) {
  std::vector<Point> history = constant(90, 0);
  history[20].value = 12;
  history[50].value = 9;
  history[71].value = 15;
  EXPECT_EQ(judge(history, {day(90), 10}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(90), 500}, counts()), State::anomalous);
  EXPECT_GE(assess(history, {day(90), 0}, counts()).low, 0);
}

TEST(Anomaly, ManyZerosAreNoAnomalyAndAHugeValueIs) {
  std::vector<Point> history;
  Noise noise;
  for (int i = 0; i < 90; ++i) history.push_back({day(i), noise() < 0.2 ? 0 : std::round(20 + 5 * noise())});
  EXPECT_EQ(judge(history, {day(90), 0}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(90), 22}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(90), 2000}, counts()), State::anomalous);
}

TEST(Anomaly, MonthEndsAreLearnedFromTheMonthsBefore) {
  std::vector<Point> history;
  Noise noise;
  for (int i = 0; i < 121; ++i) {
    const bool last = stamp(day(i), Zone()).month_day == MonthDay::last;
    history.push_back({day(i), std::round(1000 * (1 + 0.04 * noise()) * (last ? 2.5 : 1))});
  }
  ASSERT_EQ(stamp(day(121), Zone()).month_day, MonthDay::last);
  const Assessment as_ever = assess(history, {day(121), 2500}, counts());
  EXPECT_EQ(as_ever.state, State::normal) << as_ever.sentence;
  EXPECT_THAT(as_ever.sentence, HasSubstr("for the last day of a month"));
  EXPECT_EQ(judge(history, {day(121), 9000}, counts()), State::anomalous);
  EXPECT_EQ(judge(history, {day(121), 0}, counts()), State::anomalous);
  EXPECT_EQ(judge(history, {day(123), 2500}, counts()), State::anomalous) << "on any other day";
}

TEST(Anomaly, AValueThatIsNoNumberIsNotJudgedAndNotLearned) {
  const double bad[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                        -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::max()};
  std::vector<Point> history = weeks(42);
  const Assessment clean = assess(history, {day(42), 1000}, counts());
  for (const double value : bad) {
    EXPECT_EQ(judge(history, {day(42), value}, counts()), State::unknown) << value;
    history.push_back({day(40) + std::chrono::hours(3), value});
    history.push_back({day(41) + std::chrono::hours(3), value});
    const Assessment found = assess(history, {day(42), 1000}, counts());
    EXPECT_EQ(found.low, clean.low);
    EXPECT_EQ(found.state, State::normal);
  }
}

TEST(Anomaly, HugeAndNegativeValuesGiveFiniteRanges) {
  Noise noise;
  for (const double level : {1e-12, -1e-12, 1e100, -1e100, -50.0, 0.0}) {
    std::vector<Point> history;
    for (int i = 0; i < 40; ++i) history.push_back({day(i), level * (1 + 0.1 * noise())});
    for (const double value : {level, 0.0, -level, 1e149, -1e149}) {
      const Assessment found = assess(history, {day(40), value}, Settings{});
      EXPECT_TRUE(std::isfinite(found.low) && std::isfinite(found.high) && std::isfinite(found.score)) << level;
      EXPECT_LE(found.low, found.high);
    }
    EXPECT_EQ(judge(history, {day(40), level}, Settings{}), State::normal) << level;
  }
}

TEST(Anomaly, OneDirectionLetsTheOtherPass) {
  const std::vector<Point> history = weeks(42);
  Settings settings = counts();
  settings.direction = Direction::up;
  EXPECT_EQ(judge(history, {day(42), 0}, settings), State::normal);
  EXPECT_EQ(judge(history, {day(42), 9000}, settings), State::anomalous);
  settings.direction = Direction::down;
  EXPECT_EQ(judge(history, {day(42), 0}, settings), State::anomalous);
  EXPECT_EQ(judge(history, {day(42), 9000}, settings), State::normal);
}

TEST(Anomaly, ALowerSensitivityNumberIsANarrowerRange) {
  const std::vector<Point> history = weeks(42);
  Settings strict = counts();
  strict.sensitivity = 2;
  const Assessment narrow = assess(history, {day(42), 1000}, strict);
  const Assessment wide = assess(history, {day(42), 1000}, counts());
  EXPECT_GT(narrow.low, wide.low);
  EXPECT_LT(narrow.high, wide.high);
  strict.min_change = 0.9;
  EXPECT_LT(assess(history, {day(42), 1000}, strict).low, 110);
}

TEST(Anomaly, HoursFollowTheClockOfTheZoneThroughItsChanges) {
  // A load at 9 in the morning local time, before and after summer time ended.
  const core::Time change =
      core::Time(std::chrono::sys_days(std::chrono::year(2025) / 10 / 26)) + std::chrono::hours(1);
  const Zone berlin(std::chrono::hours(2), {{change, std::chrono::hours(1)}});
  std::vector<Point> history;
  for (core::Time time = change - std::chrono::days(40); time < change; time += std::chrono::hours(1)) {
    history.push_back({time, stamp(time, berlin).second / 3600 == 9 ? 1000.0 : 10.0});
  }
  const core::Time nine = core::Time(std::chrono::sys_days(std::chrono::year(2025) / 10 / 26)) + std::chrono::hours(8);
  Settings settings = counts();
  settings.zone = berlin;
  EXPECT_EQ(judge(history, {nine, 1000}, settings), State::normal);
  EXPECT_EQ(judge(history, {nine, 10}, settings), State::anomalous);
  EXPECT_EQ(judge(history, {nine, 1000}, counts()), State::anomalous) << "in UTC it comes an hour late";
}

TEST(Anomaly, IrregularTimesAreNoMatter) {
  Noise noise;
  std::vector<Point> history;
  for (int i = 0; i < 60; ++i) {
    if (i % 11 == 3) continue;
    const auto late = std::chrono::minutes(static_cast<int>(180 * (1 + noise())));
    history.push_back({day(i) + late, std::round((i % 7 >= 5 ? 400 : 1000) * (1 + 0.05 * noise()))});
  }
  EXPECT_EQ(judge(history, {day(63), 1000}, counts()), State::normal);
  EXPECT_EQ(judge(history, {day(63), 400}, counts()), State::anomalous);
}

TEST(Anomaly, NoMoreThanTheNewestPointsAreLookedAt) {
  std::vector<Point> history;
  for (int i = 0; i < 100'000; ++i) history.push_back({kMonday + std::chrono::minutes(i), 100.0 + i % 7});
  Settings settings = counts();
  settings.learning_days = 2;
  const auto begun = std::chrono::steady_clock::now();
  const Assessment found = assess(history, {kMonday + std::chrono::minutes(100'000), 103}, settings);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
  EXPECT_NE(found.state, State::anomalous);
  EXPECT_LE(found.progress.have, 3U);
}

}  // namespace
}  // namespace weir::quality::anomaly
