#include "collectors/group_status.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

constexpr int kCycle = 15;
constexpr int kWindow = 600;

class Status : public testing::Test {
 protected:
  /// One cycle later the group has committed this, of a log that ends there.
  GroupStatus step(std::int64_t committed, std::int64_t end, bool read = true) {
    second_ += kCycle;
    rewound_ =
        progress_.add({committed, std::max<std::int64_t>(0, end - committed), end, at_second(second_)}, settings_);
    return progress_.judge(read, settings_);
  }
  GroupStatus hold(int cycles, std::int64_t committed, std::int64_t end, bool read = true) {
    GroupStatus status = GroupStatus::unknown;
    for (int i = 0; i < cycles; ++i) status = step(committed, end, read);
    return status;
  }

  kafka::StatusSettings settings_;
  PartitionProgress progress_;
  int second_ = 0;
  bool rewound_ = false;
};

constexpr int kWholeWindow = kWindow / kCycle + 1;

TEST_F(Status, WhoIsCaughtUpIsOkAndThenIdle) {
  EXPECT_EQ(step(100, 100), GroupStatus::ok);
  EXPECT_EQ(hold(kWholeWindow, 100, 100), GroupStatus::idle);
  EXPECT_EQ(step(110, 110), GroupStatus::ok);
}

TEST_F(Status, LagThatHasNotMovedIsUnknownUntilAWindowWasWatched) {
  EXPECT_EQ(hold(kWindow / kCycle, 100, 200), GroupStatus::unknown);
  EXPECT_EQ(step(100, 200), GroupStatus::stall);
}

TEST_F(Status, WhoStandsStillStallsWithMembersAndStopsWithout) {
  EXPECT_EQ(hold(kWholeWindow, 100, 200, true), GroupStatus::stall);
  EXPECT_EQ(step(100, 201, false), GroupStatus::stop);
  EXPECT_EQ(step(101, 201, true), GroupStatus::ok) << "it moves again";
}

TEST_F(Status, TheWindowOfAStallBeginsWithTheLagNotWithTheLastCommit) {
  hold(3 * kWholeWindow, 100, 100);
  EXPECT_EQ(step(100, 150), GroupStatus::ok) << "messages have just come";
  EXPECT_EQ(hold(kWindow / kCycle - 1, 100, 150), GroupStatus::stall);
}

TEST_F(Status, ASlowConsumerWarnsOnceTheLagGrewThroughTheWindow) {
  GroupStatus status = GroupStatus::unknown;
  for (int i = 0; i < 2 * kWholeWindow; ++i) status = step(100 + i * 10, 300 + i * 15);
  EXPECT_EQ(status, GroupStatus::warn);
  // It catches up: no longer growing.
  for (int i = 0; i < 15; ++i) status = step(progress_.committed() + 40, 300 + 2 * kWholeWindow * 15);
  EXPECT_EQ(status, GroupStatus::ok);
}

TEST_F(Status, TheSawToothOfSeldomCommitsIsNoGrowth) {
  for (int i = 0; i < 6 * kWholeWindow; ++i) {
    const std::int64_t end = 1000 + i * 10;
    EXPECT_NE(step(1000 + i / 8 * 80 - 50, end), GroupStatus::warn) << i;
  }
}

TEST_F(Status, ALagThatSwingsAtRandomAlmostNeverWarns) {
  std::mt19937 random(7);
  int warned = 0;
  for (int partition = 0; partition < 2000; ++partition) {
    progress_ = {};
    for (int i = 0; i < 2 * kWholeWindow; ++i) {
      const std::int64_t end = 10'000 + i * 100;
      warned += step(end - std::uniform_int_distribution(1, 500)(random), end) == GroupStatus::warn ? 1 : 0;
    }
  }
  EXPECT_LE(warned, 2000 * 2 * kWholeWindow / 10'000);
}

TEST_F(Status, NoLagWithinTheWindowIsOk) {
  GroupStatus status = GroupStatus::unknown;
  for (int i = 0; i < kWholeWindow - 3; ++i) status = i == 4 ? step(500, 500) : step(500 + i, 520 + 10 * i);
  EXPECT_EQ(status, GroupStatus::ok);
}

TEST_F(Status, ARewindCountsUntilItComesByAgain) {
  step(500, 600);
  EXPECT_EQ(step(100, 600), GroupStatus::rewind);
  EXPECT_TRUE(rewound_);
  EXPECT_EQ(step(300, 600), GroupStatus::rewind);
  EXPECT_FALSE(rewound_);
  EXPECT_EQ(step(500, 600), GroupStatus::ok);
}

TEST_F(Status, ARewindIsForgottenAfterTheWindow) {
  step(500, 600);
  step(100, 600);
  GroupStatus status = GroupStatus::unknown;
  for (int i = 0; i < kWholeWindow; ++i) status = step(101 + i, 600);
  EXPECT_EQ(status, GroupStatus::ok);
}

TEST_F(Status, ATopicCreatedAnewIsNoRewind) {
  step(500, 600);
  EXPECT_EQ(step(3, 10), GroupStatus::unknown) << "watched anew";
  EXPECT_FALSE(rewound_);
}

TEST_F(Status, LagUpToTheLeastCountsAsNone) {
  settings_.min_lag = 50;
  EXPECT_EQ(hold(kWholeWindow, 100, 150), GroupStatus::idle);
  EXPECT_EQ(hold(kWholeWindow, 100, 151), GroupStatus::stall);
}

TEST_F(Status, CyclesThatFailedProveNothing) {
  step(100, 200);
  second_ += 4 * kWindow;
  EXPECT_EQ(step(100, 5000), GroupStatus::stall) << "the commit stands where it stood";
  EXPECT_EQ(step(150, 5000), GroupStatus::ok);
  second_ += kWindow / 2;
  EXPECT_NE(step(151, 9000), GroupStatus::warn) << "two parts were not watched";
}

TEST_F(Status, AClockThatWentBackBeginsAnew) {
  hold(kWholeWindow, 100, 200);
  second_ -= 3600;
  EXPECT_EQ(step(100, 200), GroupStatus::unknown);
}

TEST(ReadingPace, TellsBothRatesOverTheWindow) {
  const kafka::StatusSettings settings;
  ReadingPace pace;
  EXPECT_FALSE(pace.add({0, 1000, 4}, at_second(0), settings).known);
  EXPECT_FALSE(pace.add({300, 1150, 4}, at_second(15), settings).known) << "too short a time";
  ReadingPace::Rates rates;
  for (int s = 30; s <= 3000; s += 15) rates = pace.add({20 * s, 1000 + 10 * s, 4}, at_second(s), settings);
  EXPECT_TRUE(rates.known);
  EXPECT_DOUBLE_EQ(rates.read, 20);
  EXPECT_DOUBLE_EQ(rates.written, 10);
}

TEST(ReadingPace, BeginsAnewWhenPartitionsChangeOrSumsGoBack) {
  const kafka::StatusSettings settings;
  ReadingPace pace;
  pace.add({0, 1000, 4}, at_second(0), settings);
  EXPECT_TRUE(pace.add({100, 1000, 4}, at_second(120), settings).known);
  EXPECT_FALSE(pace.add({5100, 9000, 5}, at_second(135), settings).known);
  EXPECT_TRUE(pace.add({5200, 9000, 5}, at_second(300), settings).known);
  EXPECT_FALSE(pace.add({10, 9000, 5}, at_second(315), settings).known) << "a rewind";
}

}  // namespace
}  // namespace weir::collectors
