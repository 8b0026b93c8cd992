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
    consumer_groups(snapshot, {"prod", at_second(second_ += 15)}, memory_, batch);
    return batch;
  }

  GroupMemory memory_;
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

TEST_F(ConsumerGroups, EveryEmittedMetricIsDescribed) {
  kafka::Snapshot snapshot = one({{0, 100}}, {Committed::at(30)});
  snapshot.groups[0].members = 1;
  for (const core::Sample& sample : run(snapshot).samples) {
    EXPECT_TRUE(std::ranges::any_of(consumer_groups_metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

}  // namespace
}  // namespace weir::collectors
