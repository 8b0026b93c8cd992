#include "collectors/consumer_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using kafka::Committed;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kGroup = R"(cluster="prod",consumergroup="billing")";
const std::string kTopic = kGroup + R"(,topic="orders"})";

std::string partition(const std::string& metric, int id) {
  return metric + "{" + kGroup + ",partition=\"" + std::to_string(id) + R"(",topic="orders"})";
}

class ConsumerGroups : public testing::Test {
 protected:
  /// One group "billing" of the topic "orders".
  static kafka::Snapshot one(std::vector<std::pair<std::int64_t, std::int64_t>> offsets,
                             std::vector<Committed> committed, kafka::GroupState state = kafka::GroupState::stable) {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", std::move(offsets))};
    kafka::Group group;
    group.id = "billing";
    group.state = state;
    for (std::size_t i = 0; i < committed.size(); ++i) {
      group.partitions.push_back({0, static_cast<std::int32_t>(i), committed[i]});
    }
    snapshot.groups = {group};
    return snapshot;
  }

  core::Batch run(const kafka::Snapshot& snapshot) {
    core::Batch batch;
    const core::SeriesSource* past = past_.series.empty() ? nullptr : &past_;
    consumer_groups(snapshot, {"prod", at_second(second_ += 15), kafka::kDefaultStatus, settings_, nullptr, past},
                    memory_, batch);
    return batch;
  }

  /// The scopes of faults that keep the state of something.
  static std::vector<std::string> kept(const core::Batch& batch) {
    std::vector<std::string> scopes;
    for (const core::Fault& fault : batch.faults) {
      if (fault.no_value) scopes.push_back(fault.scope.to_string());
    }
    return scopes;
  }

  Past past_;  // where it has series
  GroupMemory memory_;
  kafka::MetricSettings settings_;
  int second_ = 0;
};

TEST_F(ConsumerGroups, LagIsEndMinusCommittedSummedByTopicAndGroup) {
  kafka::Snapshot snapshot = one({{0, 100}, {0, 50}}, {Committed::at(90), Committed::at(50)});
  snapshot.topics.push_back(make_topic("payments", {{0, 7}}));
  snapshot.groups[0].partitions.push_back({1, 0, Committed::at(0)});
  snapshot.groups[0].members = 2;
  const core::Batch batch = run(snapshot);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 0)), 10);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 1)), 0);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_current_offset", 0)), 90);
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_sum{" + kTopic), 10);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag{" + kGroup + "}"), 17);
  EXPECT_EQ(value(batch, "kafka_consumergroup_members{" + kGroup + "}"), 2);
  EXPECT_EQ(value(batch, "kafka_consumergroup_state{" + kGroup + R"(,state="Stable"})"), 1);
  EXPECT_EQ(value(batch, "kafka_consumergroup_uncommitted_partitions{" + kTopic), 0);
  EXPECT_EQ(value(batch, "kafka_consumergroup_messages_lost{" + kTopic), 0);
  EXPECT_EQ(batch.samples[0].time, at_second(15));
}

TEST_F(ConsumerGroups, WhatRetentionDeletedIsLostAndNotLag) {
  const core::Batch batch = run(one({{40, 100}}, {Committed::at(30)}));
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 0)), 60);
  EXPECT_EQ(value(batch, "kafka_consumergroup_messages_lost{" + kTopic), 10);
}

TEST_F(ConsumerGroups, ACommitBeyondTheEndIsNoNegativeLag) {
  const core::Batch batch = run(one({{0, 5}, {0, 10}}, {Committed::at(1000), Committed::at(4)}));
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 0)), 0);
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_sum{" + kTopic), 6);
}

TEST_F(ConsumerGroups, UncommittedHasNoLagAndSpoilsNoSum) {
  const core::Batch batch = run(one({{0, 100}, {0, 100}}, {Committed::none(), Committed::at(99)}));
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 0)), std::nullopt);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_current_offset", 0)), std::nullopt);
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_sum{" + kTopic), 1);
  EXPECT_EQ(value(batch, "kafka_consumergroup_uncommitted_partitions{" + kTopic), 1);
}

TEST_F(ConsumerGroups, OnlyPartitionsThatHoldMessagesMissACommit) {
  const core::Batch batch =
      run(one({{0, 100}, {0, 0}, {70, 70}, {0, 9}, {0, 5}},
              {Committed::none(), Committed::none(), Committed::none(), Committed::none(), Committed::at(5)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_uncommitted_partitions{" + kTopic), 2);
}

TEST_F(ConsumerGroups, WhetherAnOfflinePartitionMissesACommitIsNotKnown) {
  kafka::Snapshot offline = one({{0, 100}, {0, 0}, {0, 5}}, {Committed::none(), Committed::none(), Committed::at(5)});
  offline.topics[0].partitions[1].start = offline.topics[0].partitions[1].end = kafka::kUnknownOffset;
  EXPECT_EQ(value(run(offline), "kafka_consumergroup_uncommitted_partitions{" + kTopic), std::nullopt)
      << "the topic's fault keeps the series as it was";
  offline.topics[0].partitions[1].start = offline.topics[0].partitions[1].end = 3;
  offline.topics[0].partitions[2].start = offline.topics[0].partitions[2].end = kafka::kUnknownOffset;
  EXPECT_EQ(value(run(offline), "kafka_consumergroup_uncommitted_partitions{" + kTopic), 1);
}

TEST_F(ConsumerGroups, AGroupWithoutAnyCommitHasNoLagRatherThanZero) {
  const core::Batch batch = run(one({{0, 100}}, {Committed::none()}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_sum{" + kTopic), std::nullopt);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag{" + kGroup + "}"), std::nullopt);
  EXPECT_EQ(value(batch, "kafka_consumergroup_messages_lost{" + kTopic), std::nullopt);
  EXPECT_EQ(value(batch, "kafka_consumergroup_uncommitted_partitions{" + kTopic), 1);
}

TEST_F(ConsumerGroups, ACommitIsAWayFromTheTopicToTheGroup) {
  const core::Batch batch = run(one({{0, 100}, {0, 5}}, {Committed::none(), Committed::at(3)}));
  EXPECT_THAT(batch.edges,
              ElementsAre(core::Edge{{"topic", "prod", "orders"}, {"consumer group", "prod", "billing"}, "kafka"}));
  EXPECT_THAT(run(one({{0, 100}}, {Committed::none()})).edges, IsEmpty());
  EXPECT_THAT(run(one({{0, 100}}, {Committed::unknown()})).edges, IsEmpty()) << "a fault keeps it";
}

TEST_F(ConsumerGroups, MembersAreAbsentWhereTheBrokerDoesNotSay) {
  const core::Batch batch = run(one({{0, 1}}, {Committed::at(0)}, kafka::GroupState::unknown));
  EXPECT_EQ(value(batch, "kafka_consumergroup_members{" + kGroup + "}"), std::nullopt);
  EXPECT_EQ(value(batch, "kafka_consumergroup_state{" + kGroup + R"(,state="Unknown"})"), 1);
}

TEST_F(ConsumerGroups, APartitionThatCannotBeReadCountsInTheSumsAsLastKnown) {
  run(one({{10, 10'000}, {0, 500}}, {Committed::at(0), Committed::at(0)}));
  kafka::Snapshot offline = one({{0, 0}, {0, 600}}, {Committed::at(0), Committed::at(0)});
  offline.topics[0].partitions[0].start = offline.topics[0].partitions[0].end = kafka::kUnknownOffset;
  const core::Batch batch = run(offline);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 0)), std::nullopt);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 1)), 600);
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_sum{" + kTopic), 9'990 + 600);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag{" + kGroup + "}"), 9'990 + 600);
  EXPECT_EQ(value(batch, "kafka_consumergroup_messages_lost{" + kTopic), 10);
}

TEST_F(ConsumerGroups, AnUnknownCommitCountsAsLastKnownAndAWithdrawnOneDoesNot) {
  run(one({{0, 100}}, {Committed::at(40)}));
  EXPECT_EQ(value(run(one({{0, 100}}, {Committed::unknown()})), "kafka_consumergroup_lag_sum{" + kTopic), 60);
  EXPECT_EQ(value(run(one({{0, 100}}, {Committed::none()})), "kafka_consumergroup_lag_sum{" + kTopic), std::nullopt);
  EXPECT_EQ(value(run(one({{0, 100}}, {Committed::unknown()})), "kafka_consumergroup_lag_sum{" + kTopic), std::nullopt);
}

TEST_F(ConsumerGroups, ATopicThatFailedKeepsItsSums) {
  run(one({{0, 100}}, {Committed::at(40)}));
  kafka::Snapshot failed = one({}, {Committed::at(40)});
  failed.topics[0].failed = true;
  const core::Batch batch = run(failed);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag{" + kGroup + "}"), 60);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 0)), std::nullopt);
}

TEST_F(ConsumerGroups, AChangeOfStateIsAnEventOnce) {
  EXPECT_THAT(kinds(run(one({{0, 1}}, {Committed::at(0)}))), IsEmpty());
  const core::Batch batch = run(one({{0, 1}}, {Committed::at(0)}, kafka::GroupState::empty));
  ASSERT_THAT(kinds(batch), ElementsAre("group_state_changed"));
  EXPECT_EQ(batch.events[0].message, "Consumer group billing went from Stable to Empty.");
  EXPECT_EQ(batch.events[0].labels, (core::Labels{{"cluster", "prod"}, {"consumergroup", "billing"}}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_state{" + kGroup + R"(,state="Stable"})"), std::nullopt);
  EXPECT_THAT(kinds(run(one({{0, 1}}, {Committed::at(0)}, kafka::GroupState::empty))), IsEmpty());
}

TEST_F(ConsumerGroups, LosingMessagesIsAnEventWhenItBegins) {
  EXPECT_THAT(kinds(run(one({{0, 100}}, {Committed::at(30)}))), IsEmpty());
  const core::Batch batch = run(one({{50, 100}}, {Committed::at(30)}));
  ASSERT_THAT(kinds(batch), ElementsAre("messages_lost"));
  EXPECT_THAT(batch.events[0].message, HasSubstr("deleted 20 messages of orders before consumer group billing"));
  EXPECT_THAT(kinds(run(one({{60, 100}}, {Committed::at(30)}))), IsEmpty());
}

TEST_F(ConsumerGroups, WhatWasLostBeforeWeirCameIsNoEvent) {
  EXPECT_THAT(kinds(run(one({{50, 100}}, {Committed::at(30)}))), IsEmpty());
}

TEST_F(ConsumerGroups, ASteadyCycleBuildsNoLabels) {
  const kafka::Snapshot snapshot = one({{0, 100}, {0, 3}}, {Committed::at(30), Committed::at(1)});
  const core::Batch first = run(snapshot);
  const core::Batch second = run(snapshot);
  ASSERT_EQ(first.samples.size(), second.samples.size());
  for (std::size_t i = 0; i < first.samples.size(); ++i) {
    EXPECT_EQ(first.samples[i].labels.at(0).first.data(), second.samples[i].labels.at(0).first.data());
  }
}

TEST_F(ConsumerGroups, WhatIsGoneIsForgotten) {
  run(one({{0, 100}}, {Committed::at(30)}));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(run({}).samples, IsEmpty());
  EXPECT_TRUE(memory_.groups.empty());
  kafka::Snapshot without_topic = one({{0, 100}}, {});
  run(one({{0, 100}}, {Committed::at(30)}));
  for (int i = 0; i < 5; ++i) run(without_topic);
  EXPECT_TRUE(memory_.groups.at("billing").topics.empty());
}

TEST_F(ConsumerGroups, PartitionIdsOutOfRangeAreLeftOut) {
  kafka::Snapshot snapshot = one({{0, 100}}, {Committed::at(30)});
  snapshot.topics[0].failed = true;
  snapshot.groups[0].partitions = {{0, -5, Committed::at(1)}, {0, 2'000'000'000, Committed::at(1)}};
  EXPECT_EQ(value(run(snapshot), "kafka_consumergroup_lag_sum{" + kTopic), std::nullopt);
  EXPECT_LE(memory_.groups.at("billing").topics[0].partitions.size(), 1'000'001U);
}

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

TEST_F(ConsumerGroups, ReadCommittedGroupsLagBehindTheLastStableOffset) {
  kafka::Snapshot snapshot = one({{0, 100}}, {Committed::at(70)});
  snapshot.topics[0].partitions[0].stable = 80;
  EXPECT_EQ(value(run(snapshot), partition("kafka_consumergroup_lag", 0)), 30);
  snapshot.groups[0].read_committed = true;
  EXPECT_EQ(value(run(snapshot), partition("kafka_consumergroup_lag", 0)), 10);
  snapshot.groups[0].partitions[0].committed = Committed::at(80);
  const core::Batch batch = run(snapshot);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag", 0)), 0);
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag_seconds", 0)), 0);
  snapshot.topics[0].partitions[0].stable = kafka::kUnknownOffset;
  EXPECT_EQ(value(run(snapshot), partition("kafka_consumergroup_lag", 0)), 20) << "to the end where it is not known";
}

std::string status(const std::string& text) {
  return "kafka_consumergroup_status{" + kGroup + ",status=\"" + text + "\"}";
}

TEST_F(ConsumerGroups, TheGroupsStatusIsItsWorstPartitionsAndIsAnEventWhenItIsTrouble) {
  const auto snapshot = [](std::int64_t end) {
    return one({{0, end}, {0, 100}}, {Committed::at(100), Committed::at(100)});
  };
  EXPECT_EQ(value(run(snapshot(100)), status("OK")), 1);
  core::Batch batch;
  std::vector<std::string> seen;
  for (int i = 0; i < 45; ++i) {
    batch = run(snapshot(150));
    for (const core::Event& event : batch.events) seen.push_back(event.message);
  }
  EXPECT_EQ(value(batch, status("STALL")), 1);
  const std::string trouble = "kafka_consumergroup_partition_status{" + kGroup + R"(,partition=")";
  EXPECT_EQ(value(batch, trouble + R"(0",status="STALL",topic="orders"})"), 1);
  EXPECT_EQ(value(batch, "kafka_consumergroup_status_partitions{" + kGroup + R"(,status="STALL",topic="orders"})"), 1);
  EXPECT_THAT(seen, ElementsAre("Consumer group billing went from OK to STALL: orders partition 0 is at offset 100 "
                                "with 50 messages unread."));
  const auto partitions = std::ranges::count_if(batch.samples, [](const core::Sample& sample) {
    return sample.labels.name() == "kafka_consumergroup_partition_status";
  });
  EXPECT_EQ(partitions, 1) << "only where there is trouble";
  batch = run(one({{0, 150}, {0, 100}}, {Committed::at(150), Committed::at(100)}));
  EXPECT_EQ(value(batch, status("OK")), 1);
  EXPECT_THAT(kinds(batch), ElementsAre("group_status_changed"));
}

TEST_F(ConsumerGroups, WithoutMembersItIsStop) {
  kafka::Snapshot snapshot = one({{0, 150}}, {Committed::at(100)}, kafka::GroupState::empty);
  core::Batch batch;
  for (int i = 0; i < 45; ++i) batch = run(snapshot);
  EXPECT_EQ(value(batch, status("STOP")), 1);
  snapshot.groups[0].members = 1;
  EXPECT_EQ(value(run(snapshot), status("STALL")), 1) << "the count says more than the state";
}

TEST_F(ConsumerGroups, WhetherSomeoneReadsAnAssignOnlyGroupCannotBeToldSoItIsStall) {
  kafka::Snapshot snapshot = one({{0, 100}}, {Committed::at(50)}, kafka::GroupState::empty);
  snapshot.groups[0].members = 0;
  snapshot.groups[0].kind = kafka::GroupKind::simple;
  core::Batch batch;
  for (int i = 0; i < 45; ++i) batch = run(snapshot);
  EXPECT_EQ(value(batch, "kafka_consumergroup_status{" + kGroup + R"(,status="STALL"})"), 1);
}

TEST_F(ConsumerGroups, APartitionThatNoMemberHasIsStopped) {
  kafka::Snapshot snapshot = one({{0, 150}, {0, 150}}, {Committed::at(100), Committed::at(100)});
  snapshot.groups[0].kind = kafka::GroupKind::classic;
  snapshot.groups[0].members = 1;
  snapshot.groups[0].member_list = std::make_shared<const std::vector<kafka::Member>>(
      std::vector<kafka::Member>{{"m-1", "app", "10.0.0.1", {{"orders", 0}}}});
  core::Batch batch;
  for (int i = 0; i < 45; ++i) batch = run(snapshot);
  const std::string trouble = "kafka_consumergroup_partition_status{" + kGroup + R"(,partition=")";
  EXPECT_EQ(value(batch, trouble + R"(0",status="STALL",topic="orders"})"), 1);
  EXPECT_EQ(value(batch, trouble + R"(1",status="STOP",topic="orders"})"), 1);
  EXPECT_EQ(value(batch, "kafka_consumergroup_info{" + kGroup + R"(,kind="classic"})"), 1);
}

TEST_F(ConsumerGroups, CatchUpComesFromTheTwoRates) {
  core::Batch batch;
  for (int i = 0; i < 60; ++i) batch = run(one({{0, 100'000 + 150 * i}}, {Committed::at(300 * i)}));
  const double lag = 100'000 + 150 * 59 - 300 * 59;
  EXPECT_DOUBLE_EQ(*value(batch, "kafka_consumergroup_records_per_second{" + kTopic), 20);
  EXPECT_NEAR(*value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), lag / 10, 0.01);
  for (int i = 0; i < 60; ++i) batch = run(one({{0, 110'000 + 300 * i}}, {Committed::at(18'000 + 150 * i)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), std::nullopt) << "never";
  batch = run(one({{0, 200'000}}, {Committed::at(200'000)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), 0);
}

TEST_F(ConsumerGroups, OneStuckPartitionNeverCatchesUp) {
  core::Batch batch;
  for (int i = 0; i < 60; ++i) {
    batch = run(one({{0, 100'000}, {0, 100}}, {Committed::at(300 * i), Committed::at(50)}));
  }
  EXPECT_EQ(value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), std::nullopt);
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

TEST_F(ConsumerGroups, RewindsAreCountedAndEvents) {
  EXPECT_EQ(value(run(one({{0, 100}, {0, 100}}, {Committed::at(90), Committed::at(90)})),
                  "kafka_consumergroup_rewinds_total{" + kTopic),
            0);
  const core::Batch batch = run(one({{0, 100}, {0, 100}}, {Committed::at(10), Committed::at(20)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_rewinds_total{" + kTopic), 2);
  ASSERT_THAT(kinds(batch), testing::Contains("group_rewound"));
  const auto event = std::ranges::find(batch.events, "group_rewound", &core::Event::kind);
  EXPECT_EQ(event->message, "Consumer group billing went back by 150 messages on 2 partitions of orders.");
  EXPECT_EQ(value(batch, status("REWIND")), 1);
}

TEST_F(ConsumerGroups, ACommitBeyondTheEndIsCountedAndAnEventWhenItBegins) {
  EXPECT_EQ(value(run(one({{0, 100}}, {Committed::at(90)})), "kafka_consumergroup_beyond_end_partitions{" + kTopic), 0);
  const core::Batch batch = run(one({{0, 5}}, {Committed::at(90)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_beyond_end_partitions{" + kTopic), 1);
  EXPECT_THAT(kinds(batch), ElementsAre("commit_beyond_end"));
  EXPECT_EQ(value(batch, partition("kafka_consumergroup_lag_seconds", 0)), std::nullopt) << "0 s would look fine";
  EXPECT_THAT(kinds(run(one({{0, 5}}, {Committed::at(90)}))), IsEmpty());
}

TEST_F(ConsumerGroups, ClientsAreShownWhenAskedForAndBounded) {
  kafka::Snapshot snapshot = one({{0, 100}}, {Committed::at(90)});
  std::vector<kafka::Member> members;
  for (int i = 0; i < 150; ++i) {
    members.push_back({"m-" + std::to_string(i), "app-" + std::to_string(i / 2), "10.0.0.1", {{"orders", i}}});
  }
  for (int i = 0; i < 60; ++i)
    members.push_back({"n-" + std::to_string(i), "idle-" + std::to_string(i), "10.0.0.2", {}});
  snapshot.groups[0].member_list = std::make_shared<const std::vector<kafka::Member>>(std::move(members));
  const auto clients = [](const core::Batch& batch) {
    return std::ranges::count_if(batch.samples, [](const core::Sample& sample) {
      return sample.labels.name() == "kafka_consumergroup_member_partitions";
    });
  };
  EXPECT_EQ(clients(run(snapshot)), 0);
  settings_.members = true;
  const core::Batch batch = run(snapshot);
  EXPECT_EQ(clients(batch), 100);
  EXPECT_EQ(
      value(batch, R"(kafka_consumergroup_member_partitions{client_id="app-7",)" + kGroup + R"(,host="10.0.0.1"})"), 2);
  EXPECT_EQ(memory_.groups.at("billing").clients_left_out, 35U);
}

TEST_F(ConsumerGroups, WithoutSeriesByPartitionTheSumsAreTheSame) {
  settings_.partition_topics.deny = *kafka::Patterns::compile({"^orders$"});
  run(one({{0, 100}}, {Committed::at(100)}));
  const core::Batch batch = run(one({{0, 130}}, {Committed::at(110)}));
  for (const core::Sample& sample : batch.samples) EXPECT_FALSE(sample.labels.has("partition"));
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_sum{" + kTopic), 20);
  EXPECT_NEAR(*value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic), 9.75, 0.01);
}

TEST_F(ConsumerGroups, EveryEmittedMetricIsDescribed) {
  kafka::Snapshot snapshot = one({{0, 100}}, {Committed::at(30)});
  snapshot.groups[0].members = 1;
  snapshot.groups[0].kind = kafka::GroupKind::classic;
  settings_.members = true;
  snapshot.groups[0].member_list =
      std::make_shared<const std::vector<kafka::Member>>(std::vector<kafka::Member>{{"m-1", "app", "10.0.0.1", {}}});
  for (int i = 0; i < 45; ++i) run(snapshot);
  for (const core::Sample& sample : run(snapshot).samples) {
    EXPECT_TRUE(std::ranges::any_of(consumer_groups_metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

class AfterARestart : public ConsumerGroups {
 protected:
  /// A point every 15 s of the 15 minutes before the first cycle.
  void before(std::int64_t committed, std::int64_t lag, std::int64_t committed_per_step = 0,
              std::int64_t lag_per_step = 0) {
    std::vector<core::Point> commits;
    std::vector<core::Point> lags;
    for (int i = 0; i < 60; ++i) {
      commits.push_back({at_second(15 * i - 900), static_cast<double>(committed + i * committed_per_step)});
      lags.push_back({at_second(15 * i - 900), static_cast<double>(lag + i * lag_per_step)});
    }
    past_.add("kafka_consumergroup_current_offset", "orders", "0", commits, "billing");
    past_.add("kafka_consumergroup_lag", "orders", "0", lags, "billing");
  }
  std::optional<double> status(const core::Batch& batch, const std::string& status) {
    return value(batch, "kafka_consumergroup_status{" + kGroup + ",status=\"" + status + "\"}");
  }
};

TEST_F(AfterARestart, AGroupThatStoodStillStillDoes) {
  before(10, 90);
  const core::Batch batch = run(one({{0, 100}}, {Committed::at(10)}));
  EXPECT_EQ(status(batch, "STALL"), 1);
  EXPECT_THAT(kinds(batch), IsEmpty()) << "nothing has changed";
}

TEST_F(AfterARestart, AGroupThatComesIntoSightLaterStoodStillAllTheSame) {
  before(10, 90);
  run({});
  EXPECT_EQ(status(run(one({{0, 100}}, {Committed::at(10)})), "STALL"), 1);
}

TEST_F(AfterARestart, ALowerBoundEndsNoTimeLagWhereNoHistoryIsLeft) {
  settings_.partition_topics.deny = *kafka::Patterns::compile({"orders"});
  const auto add = [&](std::string_view metric) {
    past_.series.push_back(
        {core::Labels::metric(metric, {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}),
         {{at_second(-30), 2000}}});
  };
  add("kafka_consumergroup_lag_seconds_max");
  core::Batch batch;
  for (int i = 0; i < 100; ++i) batch = run(one({{0, 1000}}, {Committed::at(10)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic), std::nullopt);
  EXPECT_THAT(kept(batch), testing::Contains("kafka_consumergroup_lag_seconds_max{" + kTopic));
  for (int i = 0; i < 40; ++i) batch = run(one({{0, 1000}}, {Committed::at(10)}));
  EXPECT_NEAR(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic).value_or(0), 139 * 15, 16);
  EXPECT_THAT(kept(batch), IsEmpty());
}

TEST_F(AfterARestart, TroubleKeepsItsStateUntilAllIsJudgedWhereNoSeriesByPartitionTell) {
  settings_.partition_topics.deny = *kafka::Patterns::compile({"orders"});
  past_.series.push_back(
      {core::Labels::metric(
           "kafka_consumergroup_status_partitions",
           {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"status", "STALL"}}),
       {{at_second(-30), 1}}});
  const std::string scope = "kafka_consumergroup_status_partitions{" + kTopic;
  EXPECT_THAT(kept(run(one({{0, 100}}, {Committed::at(10)}))), testing::Contains(scope));
  EXPECT_THAT(kept(run(one({{0, 100}}, {Committed::at(20)}))), testing::Not(testing::Contains(scope)));
}

TEST_F(AfterARestart, AGroupWhoseLagGrewStillFallsBehind) {
  before(10, 90, 5, 20);
  EXPECT_EQ(status(run(one({{0, 1610}}, {Committed::at(320)})), "WARN"), 1);
}

TEST_F(AfterARestart, WhoCommittedMeanwhileMoves) {
  before(10, 90);
  EXPECT_EQ(status(run(one({{0, 100}}, {Committed::at(30)})), "OK"), 1);
}

TEST_F(AfterARestart, ARewindWhileWeirWasAwayIsSeen) {
  before(60, 40);
  const core::Batch batch = run(one({{0, 100}}, {Committed::at(20)}));
  EXPECT_EQ(status(batch, "REWIND"), 1);
  EXPECT_THAT(kinds(batch), ElementsAre("group_rewound"));
}

TEST_F(AfterARestart, ATopicCreatedAnewMeanwhileBeginsAnew) {
  before(60, 40);
  EXPECT_EQ(status(run(one({{0, 9}}, {Committed::at(3)})), "UNKNOWN"), 1);
}

TEST_F(AfterARestart, LagsWithoutCommitsTellNothing) {
  before(10, 90);
  past_.series.erase(past_.series.begin());
  EXPECT_EQ(status(run(one({{0, 100}}, {Committed::at(10)})), "UNKNOWN"), 1);
}

}  // namespace
}  // namespace weir::collectors
