#include "collectors/topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOrders = R"({cluster="prod",topic="orders"})";

std::string partition(const std::string& metric, int id) {
  return metric + R"({cluster="prod",partition=")" + std::to_string(id) + R"(",topic="orders"})";
}

class Topics : public testing::Test {
 protected:
  core::Batch run(std::vector<kafka::Topic> all, int second) {
    kafka::Snapshot snapshot;
    snapshot.topics = std::move(all);
    core::Batch batch;
    totals_ = topics(snapshot, {"prod", at_second(second)}, memory_, batch);
    return batch;
  }
  static constexpr const char* kRate = "kafka_topic_records_per_second";
  TopicMemory memory_;
  std::vector<TopicTotals> totals_;
};

TEST_F(Topics, OffsetsLeadersAndCountsOfEachPartition) {
  kafka::Topic orders = make_topic("orders", {{5, 15}, {0, 7}, {0, 0}});
  orders.partitions[1].in_sync = 2;
  orders.partitions[2].leader = -1;
  orders.partitions[2].in_sync = 0;
  const core::Batch batch = run({orders}, 0);
  EXPECT_EQ(value(batch, "kafka_topic_partitions" + kOrders), 3);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_current_offset", 0)), 15);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_oldest_offset", 0)), 5);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_leader", 0)), 1);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_leader", 2)), -1);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_under_replicated_partition", 0)), 0);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_under_replicated_partition", 1)), 1);
  EXPECT_EQ(value(batch, "kafka_topic_under_replicated_partitions" + kOrders), 2);
  EXPECT_EQ(value(batch, "kafka_topic_offline_partitions" + kOrders), 1);
  EXPECT_EQ(value(batch, "kafka_topic_messages" + kOrders), 17);
}

TEST_F(Topics, TheRateIsTheGrowthSinceThePreviousCycle) {
  EXPECT_EQ(value(run({make_topic("orders", {{0, 100}, {0, 10}})}, 0), kRate + kOrders), std::nullopt);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 130}, {0, 25}})}, 15), kRate + kOrders), 3);
  EXPECT_EQ(totals_[0].records_per_second, 3);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 130}, {0, 25}})}, 30), kRate + kOrders), 0);
}

TEST_F(Topics, RetentionDoesNotChangeTheRate) {
  run({make_topic("orders", {{0, 100}})}, 0);
  EXPECT_EQ(value(run({make_topic("orders", {{90, 115}})}, 15), kRate + kOrders), 1);
}

TEST_F(Topics, ARecreatedTopicHasNoNegativeRateAndIsAnEvent) {
  run({make_topic("orders", {{0, 100}, {0, 50}})}, 0);
  const core::Batch batch = run({make_topic("orders", {{0, 3}, {0, 80}})}, 15);
  EXPECT_EQ(value(batch, kRate + kOrders), 2);
  ASSERT_THAT(kinds(batch), ElementsAre("topic_recreated"));
  EXPECT_THAT(batch.events[0].message, HasSubstr("orders partition 0 went back from 100 to 3"));
  EXPECT_EQ(batch.events[0].labels, (core::Labels{{"cluster", "prod"}, {"topic", "orders"}}));
  const core::Batch next = run({make_topic("orders", {{0, 18}, {0, 80}})}, 30);
  EXPECT_EQ(value(next, kRate + kOrders), 1);
  EXPECT_THAT(kinds(next), IsEmpty());
}

TEST_F(Topics, ANewPartitionCountsFromTheCycleAfter) {
  run({make_topic("orders", {{0, 100}})}, 0);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 115}, {0, 1000}})}, 15), kRate + kOrders), 1);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 115}, {0, 1030}})}, 30), kRate + kOrders), 2);
}

TEST_F(Topics, AnOfflinePartitionKeepsItsMessagesAndDoesNotGrow) {
  run({make_topic("orders", {{0, 100}, {0, 10}})}, 0);
  kafka::Topic offline = make_topic("orders", {{0, 0}, {0, 40}});
  offline.partitions[0].leader = -1;
  offline.partitions[0].start = offline.partitions[0].end = kafka::kUnknownOffset;
  const core::Batch batch = run({offline}, 15);
  EXPECT_EQ(value(batch, "kafka_topic_messages" + kOrders), 140);
  EXPECT_EQ(value(batch, kRate + kOrders), 2);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_current_offset", 0)), std::nullopt);
}

TEST_F(Topics, APartitionThatMayHaveGrownUnseenLeavesTheRateUnknown) {
  run({make_topic("orders", {{0, 100}, {0, 10}})}, 0);
  kafka::Topic silent = make_topic("orders", {{0, 0}, {0, 40}});
  silent.partitions[0].end = kafka::kUnknownOffset;
  EXPECT_EQ(value(run({silent}, 15), kRate + kOrders), std::nullopt);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 160}, {0, 40}})}, 30), kRate + kOrders), 2);
}

TEST_F(Topics, AClockThatStandsStillGivesNoRate) {
  run({make_topic("orders", {{0, 100}})}, 15);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 130}})}, 15), kRate + kOrders), std::nullopt);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 160}})}, 0), kRate + kOrders), std::nullopt);
}

TEST_F(Topics, ATopicThatFailedGivesNothingAndKeepsItsBaseline) {
  run({make_topic("orders", {{0, 100}})}, 0);
  kafka::Topic failed;
  failed.name = "orders";
  failed.failed = true;
  EXPECT_THAT(run({failed}, 15).samples, IsEmpty());
  EXPECT_FALSE(totals_[0].messages);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 130}})}, 30), kRate + kOrders), 1);
}

TEST_F(Topics, ADeletedTopicIsForgottenSoThatANamesakeStartsAnew) {
  run({make_topic("orders", {{0, 100}})}, 0);
  EXPECT_THAT(run({}, 15).samples, IsEmpty());
  const core::Batch batch = run({make_topic("orders", {{0, 3}})}, 30);
  EXPECT_EQ(value(batch, kRate + kOrders), std::nullopt);
  EXPECT_THAT(kinds(batch), IsEmpty());
}

TEST_F(Topics, FewerPartitionsThanBeforeAreNoTrouble) {
  run({make_topic("orders", {{0, 100}, {0, 10}})}, 0);
  const core::Batch batch = run({make_topic("orders", {{0, 100}})}, 15);
  EXPECT_EQ(value(batch, "kafka_topic_partitions" + kOrders), 1);
  EXPECT_EQ(value(batch, "kafka_topic_messages" + kOrders), 100);
}

TEST_F(Topics, ASteadyCycleBuildsNoLabels) {
  run({make_topic("orders", {{0, 100}})}, 0);
  const core::Batch first = run({make_topic("orders", {{0, 100}})}, 15);
  const core::Batch second = run({make_topic("orders", {{0, 100}})}, 30);
  for (std::size_t i = 0; i < first.samples.size(); ++i) {
    EXPECT_EQ(first.samples[i].labels.at(0).first.data(), second.samples[i].labels.at(0).first.data());
  }
}

TEST_F(Topics, ReplicasAndLeadersThatAreNotAsTheyShouldBe) {
  kafka::Topic orders = make_topic("orders", {{0, 1}, {0, 1}, {0, 1}});
  orders.partitions[0].in_sync = 1;
  orders.partitions[1].preferred_leader = false;
  orders.partitions[2].replicas = 2;
  orders.partitions[2].in_sync = 2;
  core::Batch batch = run({orders}, 0);
  EXPECT_EQ(value(batch, "kafka_topic_replication_factor" + kOrders), 2);
  EXPECT_EQ(value(batch, "kafka_topic_leader_not_preferred_partitions" + kOrders), 1);
  EXPECT_EQ(value(batch, "kafka_topic_under_min_isr_partitions" + kOrders), std::nullopt) << "the least is not known";
  kafka::TopicConfig config;
  config.min_in_sync_replicas = 2;
  orders.config = std::make_shared<const kafka::TopicConfig>(config);
  EXPECT_EQ(value(run({orders}, 15), "kafka_topic_under_min_isr_partitions" + kOrders), 1);
}

TEST_F(Topics, AnOpenTransactionIsTheGapToTheLastStableOffsetAndHasAnAge) {
  const auto stable = [](std::int64_t offset, std::int64_t end) {
    kafka::Topic topic = make_topic("orders", {{0, end}, {0, 5}});
    topic.partitions[0].stable = offset;
    return topic;
  };
  const std::string gap = partition("kafka_topic_partition_open_transaction_messages", 0);
  const std::string age = "kafka_topic_open_transaction_seconds" + kOrders;
  core::Batch batch = run({stable(100, 100)}, 0);
  EXPECT_EQ(value(batch, gap), 0);
  EXPECT_EQ(value(batch, age), 0);
  EXPECT_EQ(value(batch, partition("kafka_topic_partition_open_transaction_messages", 1)), std::nullopt);
  run({stable(100, 100)}, 600);
  batch = run({stable(100, 130)}, 615);
  EXPECT_EQ(value(batch, gap), 30);
  EXPECT_EQ(value(batch, age), 15) << "since it was last seen at the end";
  EXPECT_EQ(value(run({stable(100, 160)}, 1215), age), 615);
  EXPECT_EQ(value(run({stable(150, 170)}, 1230), age), 0) << "that one was closed, and another is open";
  EXPECT_EQ(value(run({make_topic("orders", {{0, 180}})}, 1245), age), std::nullopt);
}

TEST_F(Topics, TheNewestRecordsAgeIsKnownOnceOneWasSeenToArrive) {
  const std::string age = "kafka_topic_newest_record_age_seconds" + kOrders;
  EXPECT_EQ(value(run({make_topic("orders", {{0, 100}, {0, 3}})}, 0), age), std::nullopt);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 101}, {0, 3}})}, 15), age), 0);
  EXPECT_EQ(value(run({make_topic("orders", {{50, 101}, {0, 3}})}, 600), age), 585);
  kafka::Topic told = make_topic("told", {{0, 5}});
  told.newest_message = at_second(0);
  EXPECT_EQ(value(run({told}, 660), R"(kafka_topic_newest_record_age_seconds{cluster="prod",topic="told"})"), 660);
}

TEST_F(Topics, TheNewestRecordOfATopicThatWasCreatedAnewIsNoneOfTheOldOnes) {
  const std::string age = "kafka_topic_newest_record_age_seconds" + kOrders;
  run({make_topic("orders", {{0, 100}})}, 0);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 101}})}, 15), age), 0);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 5}})}, 600), age), std::nullopt);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 5}})}, 615), age), std::nullopt);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 6}})}, 630), age), 0);
}

TEST_F(Topics, WithoutSeriesByPartitionTheCountsAreTheSame) {
  kafka::Snapshot snapshot;
  snapshot.topics = {make_topic("orders", {{5, 15}})};
  kafka::MetricSettings settings;
  settings.partition_topics.allow = *kafka::Patterns::compile({"^billing$"});
  core::Batch batch;
  topics(snapshot, {"prod", at_second(0), kafka::kDefaultStatus, settings}, memory_, batch);
  for (const core::Sample& sample : batch.samples) EXPECT_FALSE(sample.labels.has("partition"));
  EXPECT_EQ(value(batch, "kafka_topic_messages" + kOrders), 10);
}

TEST_F(Topics, EveryEmittedMetricIsDescribed) {
  kafka::Topic orders = make_topic("orders", {{0, 100}});
  orders.partitions[0].stable = 90;
  orders.newest_message = at_second(0);
  orders.config = std::make_shared<const kafka::TopicConfig>(kafka::TopicConfig{
      .min_in_sync_replicas = 1, .retention_ms = std::nullopt, .retention_bytes = std::nullopt, .cleanup_policy = {}});
  run({orders}, 0);
  for (const core::Sample& sample : run({orders}, 15).samples) {
    EXPECT_TRUE(std::ranges::any_of(topics_metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

}  // namespace
}  // namespace weir::collectors
