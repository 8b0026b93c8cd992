#include "collectors/time_lag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using std::chrono::seconds;
using testing::IsNull;
using testing::NotNull;

TEST(OffsetHistory, KnowsNothingWhileEmpty) { EXPECT_FALSE(OffsetHistory().lag(0, at_second(0))); }

TEST(OffsetHistory, InterpolatesBetweenTheLastTimeBeforeAndTheFirstTimeBeyond) {
  OffsetHistory history;
  history.add(0, at_second(0));
  history.add(100, at_second(10));
  const auto lag = history.lag(50, at_second(10));
  ASSERT_TRUE(lag);
  EXPECT_EQ(lag->method, LagMethod::interpolated);
  EXPECT_NEAR(core::to_seconds(lag->lag), 4.95, 0.01);
  EXPECT_NEAR(core::to_seconds(lag->error), 5.05, 0.01);
}

TEST(OffsetHistory, WhoHasReadAllHasNoLag) {
  OffsetHistory history;
  history.add(100, at_second(0));
  const auto lag = history.lag(100, at_second(900));
  ASSERT_TRUE(lag);
  EXPECT_EQ(lag->method, LagMethod::caught_up);
  EXPECT_EQ(lag->lag, seconds(0));
}

TEST(OffsetHistory, AfterIdlenessTheAgeIsThatOfTheNewMessages) {
  OffsetHistory history;
  for (int s = 0; s <= 3600; s += 15) history.add(100, at_second(s));
  history.add(110, at_second(3615));
  const auto lag = history.lag(100, at_second(3615));
  ASSERT_TRUE(lag);
  EXPECT_LE(lag->lag, seconds(15)) << "not the hour that the topic was idle";
  EXPECT_EQ(history.size(), 3U) << "a standing end takes two points";
}

TEST(OffsetHistory, WhatIsOlderThanTheHistoryIsALowerBound) {
  OffsetHistory history;
  history.add(1000, at_second(0));
  history.add(1100, at_second(60));
  const auto lag = history.lag(5, at_second(60));
  ASSERT_TRUE(lag);
  EXPECT_EQ(lag->method, LagMethod::at_least);
  EXPECT_EQ(lag->lag, seconds(60));
}

TEST(OffsetHistory, ATopicCreatedAnewBeginsANewHistory) {
  OffsetHistory history;
  history.add(1000, at_second(0));
  history.add(1100, at_second(3600));
  history.add(3, at_second(3615));
  history.add(9, at_second(3630));
  EXPECT_EQ(history.oldest(), at_second(3615));
  EXPECT_EQ(history.lag(1, at_second(3630))->method, LagMethod::at_least);
  EXPECT_EQ(history.lag(1, at_second(3630))->lag, seconds(15));
}

TEST(OffsetHistory, AClockThatGoesBackBeginsANewHistoryAndOneThatStandsAddsNothing) {
  OffsetHistory history;
  history.add(10, at_second(100));
  history.add(20, at_second(100));
  EXPECT_EQ(history.lag(10, at_second(100))->method, LagMethod::caught_up);
  history.add(20, at_second(50));
  EXPECT_EQ(history.oldest(), at_second(50));
}

TEST(OffsetHistory, JumpsPastWhatAPointCanHoldShortenTheHistory) {
  OffsetHistory history;
  history.add(0, at_second(0));
  history.add(10, at_second(15));
  const std::int64_t far = std::int64_t{1} << 40;
  history.add(far, at_second(30));
  history.add(far + 15, at_second(45));
  EXPECT_EQ(history.lag(far + 7, at_second(45))->method, LagMethod::interpolated);
  EXPECT_EQ(history.lag(5, at_second(45))->method, LagMethod::at_least);
  history.add(far + 16, at_second(45 + 60 * 24 * 3600));
  EXPECT_EQ(history.lag(far + 20, at_second(45 + 60 * 24 * 3600))->method, LagMethod::caught_up);
}

TEST(OffsetHistory, ReachesBackADayAtACycleOf15Seconds) {
  OffsetHistory history;
  int s = 0;
  for (; s <= 30 * 3600; s += 15) history.add(s * 100, at_second(s));
  EXPECT_LE(history.size(), OffsetHistory::kMaxPoints);
  EXPECT_LE(history.oldest(), at_second(6 * 3600));
}

/// Produces with pauses, bursts and new beginnings, and remembers when each message was appended.
class Producer {
 public:
  explicit Producer(unsigned seed) : random_(seed) {}

  void run_to(std::int64_t second) {
    for (; second_ < second; ++second_) {
      if (std::uniform_int_distribution(0, 599)(random_) == 0) rate_ = pick_rate();
      const int messages = std::poisson_distribution<int>(rate_)(random_);
      for (int i = 0; i < messages; ++i) appended_.push_back(second_);
    }
  }
  void create_anew() { appended_.clear(); }
  std::int64_t end() const { return static_cast<std::int64_t>(appended_.size()); }
  std::int64_t appended_at(std::int64_t offset) const { return appended_[static_cast<std::size_t>(offset)]; }

 private:
  double pick_rate() {
    constexpr std::array kRates{0.0, 0.0, 0.01, 0.3, 3.0, 20.0};
    return kRates[std::uniform_int_distribution<std::size_t>(0, kRates.size() - 1)(random_)];
  }
  std::mt19937 random_;
  double rate_ = 1;
  std::int64_t second_ = 0;
  std::vector<std::int64_t> appended_;
};

class OffsetHistoryAgainstTheTruth : public testing::TestWithParam<unsigned> {};

TEST_P(OffsetHistoryAgainstTheTruth, TheErrorIsWithinItsBound) {
  constexpr int kCycle = 15;
  std::mt19937 random(GetParam());
  Producer producer(GetParam() + 100);
  OffsetHistory history;
  int gap = 0;
  int widest = kCycle;
  int interpolated = 0;
  int at_least = 0;
  for (std::int64_t second = kCycle; second < 12 * 3600; second += kCycle) {
    producer.run_to(second);
    if (std::uniform_int_distribution(0, 1999)(random) == 0) producer.create_anew();
    gap += kCycle;
    if (std::uniform_int_distribution(0, 19)(random) == 0) continue;  // a cycle that fails
    widest = std::max(widest, std::exchange(gap, 0));
    const core::Time now = at_second(static_cast<int>(second));
    history.add(producer.end(), now);
    if (producer.end() == 0) continue;
    const auto position = std::uniform_int_distribution<std::int64_t>(0, producer.end() - 1)(random);
    const auto lag = history.lag(position, now);
    ASSERT_TRUE(lag);
    const auto truth = seconds(second - producer.appended_at(position));
    if (lag->method == LagMethod::at_least) {
      ++at_least;
      ASSERT_GE(truth + seconds(1), lag->lag);
      continue;
    }
    ++interpolated;
    ASSERT_EQ(lag->method, LagMethod::interpolated);
    // The simulation's clock has whole seconds.
    ASSERT_LE(std::chrono::abs(truth - lag->lag), lag->error + seconds(1)) << position << " at " << second;
    const auto bound = std::max<core::Duration>(seconds(widest), truth / OffsetHistory::kAgeShare);
    ASSERT_LE(lag->error, bound + seconds(1));
  }
  EXPECT_GT(interpolated, 500);
  EXPECT_LT(at_least, interpolated);
}

INSTANTIATE_TEST_SUITE_P(Seeds, OffsetHistoryAgainstTheTruth, testing::Range(0U, 12U));

TEST(DeletionPace, IsKnownFromTheSecondStepOn) {
  DeletionPace pace;
  pace.add(0, at_second(0));
  pace.add(0, at_second(100));
  EXPECT_FALSE(pace.per_second(at_second(100)));
  pace.add(500, at_second(200));
  EXPECT_FALSE(pace.per_second(at_second(200))) << "one step says nothing of the time between steps";
  pace.add(1500, at_second(300));
  EXPECT_DOUBLE_EQ(*pace.per_second(at_second(300)), 10);
  EXPECT_DOUBLE_EQ(*pace.per_second(at_second(350)), 10);
  EXPECT_DOUBLE_EQ(*pace.per_second(at_second(1300)), 1) << "it came to a halt";
}

TEST(DeletionPace, FollowsAChangeOfPaceWithinTwoDays) {
  DeletionPace pace;
  std::int64_t start = 0;
  int s = 0;
  for (; s < 5 * 86400; s += 3600) pace.add(start += 3600, at_second(s));
  EXPECT_NEAR(*pace.per_second(at_second(s - 3600)), 1, 0.01);
  for (const int until = s + 3 * 86400; s < until; s += 3600) pace.add(start += 36000, at_second(s));
  EXPECT_NEAR(*pace.per_second(at_second(s - 3600)), 10, 0.01);
}

TEST(DeletionPace, ATopicCreatedAnewBeginsAnew) {
  DeletionPace pace;
  pace.add(100, at_second(0));
  pace.add(200, at_second(10));
  pace.add(300, at_second(20));
  pace.add(0, at_second(30));
  EXPECT_FALSE(pace.per_second(at_second(30)));
}

TEST(ObserveLogs, KeepsHistoriesOnlyOfTopicsThatSomeGroupReads) {
  kafka::Snapshot snapshot;
  snapshot.topics = {make_topic("orders", {{0, 10}, {0, 10}}), make_topic("unread", {{0, 10}})};
  kafka::Group group;
  group.partitions = {{0, 1, kafka::Committed::at(3)}, {1, 0, kafka::Committed::none()}};
  snapshot.groups = {group};
  LogMemory memory;
  const auto logs = observe_logs(snapshot, {"prod", at_second(0)}, memory);
  ASSERT_THAT(logs[0], NotNull());
  EXPECT_THAT(logs[1], IsNull());
  EXPECT_EQ(logs[0]->partitions.size(), 2U);
  snapshot.groups.clear();
  observe_logs(snapshot, {"prod", at_second(15)}, memory);
  EXPECT_EQ(memory.topics.size(), 1U) << "its group may come back";
  observe_logs(snapshot, {"prod", at_second(3600)}, memory);
  EXPECT_TRUE(memory.topics.empty());
}

TEST(ObserveLogs, ATopicIsForgottenWhenItWasSeenToBeGoneAndNotWhileAFaultMayHideIt) {
  kafka::Snapshot whole;
  whole.topics = {make_topic("orders", {{0, 10}})};
  whole.groups.resize(1);
  whole.groups[0].partitions = {{0, 0, kafka::Committed::at(3)}};
  LogMemory memory;
  int second = 0;
  const auto run = [&](const kafka::Snapshot& snapshot, int cycles) {
    for (int i = 0; i < cycles; ++i) observe_logs(snapshot, {"prod", at_second(second += 15)}, memory);
  };
  run(whole, 3);
  kafka::Snapshot none;
  none.faults = {{{core::ErrorKind::unavailable, "60 groups or topics could not be read"}, {{"cluster", "prod"}}}};
  run(none, 10);
  EXPECT_EQ(memory.topics.size(), 1U);
  none.faults[0].scope = core::Labels{{"cluster", "prod"}, {"topic", "payments"}};
  run(none, 3);
  EXPECT_EQ(memory.topics.size(), 1U) << "brokers that start do not know all topics at once";
  run(none, 1);
  EXPECT_TRUE(memory.topics.empty());
}

TEST(ObserveLogs, ATopicThatFailedKeepsItsHistory) {
  kafka::Snapshot snapshot;
  snapshot.topics = {make_topic("orders", {{0, 10}})};
  kafka::Group group;
  group.partitions = {{0, 0, kafka::Committed::at(3)}};
  snapshot.groups = {group};
  LogMemory memory;
  observe_logs(snapshot, {"prod", at_second(0)}, memory);
  snapshot.topics[0].failed = true;
  snapshot.topics[0].partitions.clear();
  snapshot.groups.clear();
  observe_logs(snapshot, {"prod", at_second(15)}, memory);
  EXPECT_EQ(memory.topics.at("orders").partitions.size(), 1U);
}

kafka::Snapshot read_by_one(kafka::Topic topic) {
  kafka::Snapshot snapshot;
  snapshot.topics = {std::move(topic)};
  kafka::Group group;
  group.partitions = {{0, 0, kafka::Committed::at(3)}};
  snapshot.groups = {group};
  return snapshot;
}

TEST(ObserveLogs, AHistoryGoesOnAfterARestart) {
  Past past;
  past.add("kafka_topic_partition_current_offset", "orders", "0",
           {{at_second(0), 0}, {at_second(15), 100}, {at_second(30), core::stale_marker()}, {at_second(60), 200}});
  past.add("kafka_topic_partition_oldest_offset", "orders", "0",
           {{at_second(0), 0}, {at_second(15), 10}, {at_second(60), 55}});
  past.add("kafka_topic_partition_current_offset", "others", "0", {{at_second(0), 999}});
  LogMemory memory;
  const auto snapshot = read_by_one(make_topic("orders", {{55, 300}}));
  const auto logs = observe_logs(
      snapshot, {"prod", at_second(120), kafka::kDefaultStatus, kafka::kDefaultMetrics, nullptr, &past}, memory);
  const OffsetHistory& ends = logs[0]->partitions[0].ends;
  EXPECT_EQ(ends.oldest(), at_second(0));
  const auto before = ends.lag(50, at_second(120));
  EXPECT_EQ(before->method, LagMethod::interpolated);
  EXPECT_NEAR(core::to_seconds(before->lag), 112.5, 0.2);
  const auto meanwhile = ends.lag(250, at_second(120));
  EXPECT_NEAR(core::to_seconds(meanwhile->lag), 30, 0.5) << "what came while Weir was away: between the two looks";
  EXPECT_NEAR(core::to_seconds(meanwhile->error), 30, 0.5);
  EXPECT_DOUBLE_EQ(*logs[0]->partitions[0].deletions.per_second(at_second(60)), 1);
}

TEST(ObserveLogs, ATopicCreatedAnewWhileWeirWasAwayBeginsAnew) {
  Past past;
  past.add("kafka_topic_partition_current_offset", "orders", "0", {{at_second(0), 500}, {at_second(15), 600}});
  LogMemory memory;
  const auto snapshot = read_by_one(make_topic("orders", {{0, 20}}));
  const auto logs = observe_logs(
      snapshot, {"prod", at_second(120), kafka::kDefaultStatus, kafka::kDefaultMetrics, nullptr, &past}, memory);
  EXPECT_EQ(logs[0]->partitions[0].ends.oldest(), at_second(120));
}

TEST(ObserveLogs, ThePastIsAskedOnceForATopicAndBadSeriesOfItArePassedOver) {
  Past past;
  const std::string metric = "kafka_topic_partition_current_offset";
  for (const char* partition : {"", "x", "-1", "7", "99999999999999999999"}) {
    past.add(metric, "orders", partition, {{at_second(0), 1}});
  }
  past.add(metric, "orders", "0", {{at_second(0), -5}, {at_second(1), std::numeric_limits<double>::infinity()}});
  LogMemory memory;
  const auto snapshot = read_by_one(make_topic("orders", {{0, 20}}));
  for (const int second : {15, 30, 45}) {
    const auto logs = observe_logs(
        snapshot, {"prod", at_second(second), kafka::kDefaultStatus, kafka::kDefaultMetrics, nullptr, &past}, memory);
    EXPECT_EQ(logs[0]->partitions[0].ends.oldest(), at_second(15));
  }
  EXPECT_EQ(past.asked, 2) << "for ends and for starts";
}

}  // namespace
}  // namespace weir::collectors
