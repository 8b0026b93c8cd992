#include "collectors/consumer_groups_fixture.h"

namespace weir::collectors {
namespace {

using kafka::Committed;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

}  // namespace
}  // namespace weir::collectors
