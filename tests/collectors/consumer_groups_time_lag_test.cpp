#include "collectors/consumer_groups_fixture.h"

namespace weir::collectors {
namespace {

using kafka::Committed;
using testing::IsEmpty;

TEST_F(ConsumerGroups, TimeLagIsTheAgeOfTheNextMessageAndTheGroupsIsTheLargest) {
  run(one({{0, 100}, {0, 50}}, {Committed::at(100), Committed::at(50)}));
  const core::Batch batch = run(one({{0, 130}, {0, 50}}, {Committed::at(110), Committed::at(50)}));
  const auto lag = value(batch, partition("kafka_consumergroup_lag_seconds", 0));
  ASSERT_TRUE(lag);
  EXPECT_NEAR(*lag, 9.75, 0.01) << "a third of the 15 s between the two cycles had passed";
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag_seconds", 1)), 0);
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic), lag);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag_seconds{" + kGroup + "}"), lag);
  const auto error =
      value(batch, "kafka_consumergroup_group_lag_seconds_error{" + kGroup + R"(,method="interpolated"})");
  ASSERT_TRUE(error);
  EXPECT_NEAR(*error, 9.75, 0.01);
}

TEST_F(ConsumerGroups, ABacklogFromBeforeTheStartHasNoTimeLagUntilItsBoundSaysSomething) {
  core::Batch batch = run(one({{0, 1000}}, {Committed::at(10)}));
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag_seconds", 0)), std::nullopt);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag_seconds{" + kGroup + "}"), std::nullopt);
  ASSERT_FALSE(batch.faults.empty()) << "what was said before keeps its state";
  EXPECT_TRUE(batch.faults[0].no_value);
  EXPECT_EQ(batch.faults[0].scope.get("cluster"), "prod");
  for (int i = 0; i < 40; ++i) batch = run(one({{0, 1000 + i}}, {Committed::at(10)}));
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag_seconds", 0)), 600);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag_seconds_error{" + kGroup + R"(,method="at_least"})"),
            std::numeric_limits<double>::infinity());
  EXPECT_TRUE(batch.faults.empty());
}

TEST_F(ConsumerGroups, TheFaultOfUnknownTimeLagsComesOnceAndGoesOnce) {
  int changes = 0;
  bool there = false;
  for (int i = 0; i < 60; ++i) {
    // Caught up in every other cycle, a short backlog from before the start between.
    const std::int64_t committed = i % 2 == 0 ? 10 : 1000;
    const bool now = !run(one({{0, 1000}}, {Committed::at(committed)})).faults.empty();
    changes += now != there ? 1 : 0;
    there = now;
  }
  EXPECT_EQ(changes, 2);
  EXPECT_FALSE(there);
}

TEST_F(ConsumerGroups, ABacklogThatComesLaterNeedsNoFault) {
  for (int i = 0; i < 45; ++i) run({});
  const core::Batch batch = run(one({{0, 1000}}, {Committed::at(10)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag_seconds{" + kGroup + "}"), std::nullopt);
  EXPECT_TRUE(batch.faults.empty());
}

TEST_F(ConsumerGroups, CaughtUpIsZeroSecondsFromTheFirstCycle) {
  const core::Batch batch = run(one({{0, 1000}}, {Committed::at(1000)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag_seconds{" + kGroup + "}"), 0);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag_seconds_error{" + kGroup + R"(,method="caught_up"})"), 0);
  EXPECT_TRUE(batch.faults.empty());
}

TEST_F(ConsumerGroups, APartitionThatCannotBeReadKeepsTheGroupsTimeLag) {
  run(one({{0, 100}}, {Committed::at(100)}));
  for (int i = 0; i < 50; ++i) run(one({{0, 200}}, {Committed::at(100)}));
  kafka::Snapshot silent = one({{0, 200}}, {Committed::unknown()});
  const core::Batch batch = run(silent);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag_seconds", 0)), std::nullopt);
  const auto lag = value(batch, "kafka_consumergroup_group_lag_seconds{" + kGroup + "}");
  ASSERT_TRUE(lag);
  EXPECT_NEAR(*lag, 750, 16);
  EXPECT_TRUE(value(batch, "kafka_consumergroup_group_lag_seconds_error{" + kGroup + R"(,method="at_least"})"));
}

TEST_F(ConsumerGroups, AGroupThatCannotBeSeenForSomeCyclesHasItsTimeLagAtOnceAfterwards) {
  run(one({{0, 100}}, {Committed::at(100)}));
  for (int i = 0; i < 60; ++i) run(one({{0, 200 + i}}, {Committed::at(100)}));
  kafka::Snapshot loading = one({{0, 260}}, {});
  loading.groups.clear();
  loading.faults = {{{core::ErrorKind::unavailable, "its coordinator is moving or loading"},
                     {{"cluster", "prod"}, {"consumergroup", "billing"}}}};
  for (int i = 0; i < 6; ++i) run(loading);
  const core::Batch batch = run(one({{0, 270}}, {Committed::at(100)}));
  const auto lag = value(batch, "kafka_consumergroup_group_lag_seconds{" + kGroup + "}");
  ASSERT_TRUE(lag);
  EXPECT_NEAR(*lag, 66 * 15, 16);
  EXPECT_TRUE(value(batch, "kafka_consumergroup_group_lag_seconds_error{" + kGroup + R"(,method="interpolated"})"));
  EXPECT_EQ(value(batch, "kafka_consumergroup_status{" + kGroup + R"(,status="STALL"})"), 1);
  EXPECT_THAT(kinds(batch), IsEmpty());
}

TEST_F(ConsumerGroups, ALowerBoundBelowWhatATimeLagWasDoesNotEndIt) {
  run(one({{0, 100}}, {Committed::at(100)}));
  for (int i = 0; i < 100; ++i) run(one({{0, 200}}, {Committed::at(100)}));
  memory_.logs = {};
  core::Batch batch = run(one({{0, 200}}, {Committed::at(100)}));
  EXPECT_NEAR(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic).value_or(0), 1500, 20)
      << "who has not moved is as late as before, and later";
  for (int i = 0; i < 2; ++i) batch = run(one({{0, 200}}, {Committed::at(101)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic), std::nullopt);
  EXPECT_THAT(kept(batch), testing::Contains("kafka_consumergroup_lag_seconds_max{" + kTopic));
  EXPECT_THAT(kept(batch), testing::Contains("kafka_consumergroup_group_lag_seconds{" + kGroup + "}"));
  batch = run(one({{0, 200}}, {Committed::at(200)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic), 0);
  EXPECT_THAT(kept(batch), IsEmpty());
}

TEST_F(ConsumerGroups, TheRetentionMarginIsTheSmallestOfPartitionsWithUnreadMessages) {
  core::Batch batch =
      run(one({{40, 100}, {90, 95}, {95, 95}}, {Committed::at(60), Committed::at(91), Committed::at(95)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_retention_margin_messages{" + kTopic), 1);
  EXPECT_EQ(value(batch, "kafka_consumergroup_retention_margin_seconds{" + kTopic), std::nullopt) << "not known";
  batch = run(one({{95, 95}}, {Committed::at(95)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_retention_margin_messages{" + kTopic), std::nullopt);
}

TEST_F(ConsumerGroups, ThePaceOfDeletionPredictsWhenItOvertakes) {
  core::Batch batch;
  for (int i = 0; i <= 12; ++i) batch = run(one({{i / 4 * 600, 10'000}}, {Committed::at(5000)}));
  // Steps of 600 messages a minute; 3200 messages are left.
  EXPECT_NEAR(*value(batch, "kafka_consumergroup_retention_margin_seconds{" + kTopic), 320, 0.01);
}

TEST_F(ConsumerGroups, RetentionByTimePredictsFromTheAgeOfTheMessage) {
  const auto snapshot = [](const char* policy, std::int64_t end) {
    kafka::Snapshot made = one({{0, end}}, {Committed::at(100)});
    kafka::TopicConfig config;
    config.retention_ms = 3'600'000;
    config.cleanup_policy = policy;
    made.topics[0].config = std::make_shared<const kafka::TopicConfig>(config);
    return made;
  };
  run(snapshot("delete", 100));
  run(snapshot("delete", 101));
  core::Batch batch = run(snapshot("delete", 101));
  const double age = *value(batch, partition("kafka_consumergroup_lag_seconds", 0));
  EXPECT_DOUBLE_EQ(*value(batch, "kafka_consumergroup_retention_margin_seconds{" + kTopic), 3600 - age);
  batch = run(snapshot("compact", 101));
  EXPECT_EQ(value(batch, "kafka_consumergroup_retention_margin_seconds{" + kTopic), std::nullopt);
}

}  // namespace
}  // namespace weir::collectors
