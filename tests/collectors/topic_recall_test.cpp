#include "collectors/topic_recall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOrders = R"({cluster="prod",topic="orders"})";
const std::string kAge = "kafka_topic_newest_record_age_seconds" + kOrders;
const std::string kRate = "kafka_topic_records_per_second" + kOrders;

/// What topics() says in the first cycles after a restart; that is at second 0.
class TopicRecall : public testing::Test {
 protected:
  /// The last cycle of the run before, at this second.
  void before(int second, std::vector<std::pair<std::int64_t, std::int64_t>> offsets, std::optional<double> age) {
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      const std::string id = std::to_string(i);
      past_.add("kafka_topic_partition_oldest_offset", "orders", id,
                {{at_second(second), static_cast<double>(offsets[i].first)}});
      past_.add("kafka_topic_partition_current_offset", "orders", id,
                {{at_second(second), static_cast<double>(offsets[i].second)}});
    }
    if (!age) return;
    past_.series.push_back(
        {core::Labels::metric("kafka_topic_newest_record_age_seconds", {{"cluster", "prod"}, {"topic", "orders"}}),
         {{at_second(second), *age}}});
  }

  core::Batch run(std::vector<kafka::Topic> all, int second) {
    kafka::Snapshot snapshot;
    snapshot.topics = std::move(all);
    core::Batch batch;
    topics(snapshot, {"prod", at_second(second), kafka::kDefaultStatus, kafka::kDefaultMetrics, nullptr, &past_},
           memory_, batch);
    return batch;
  }

  Past past_;
  TopicMemory memory_;
};

TEST_F(TopicRecall, AnIdleTopicsNewestRecordGoesOnAging) {
  before(-30, {{0, 100}, {0, 3}}, 900);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 100}, {0, 3}})}, 0), kAge), 930);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 100}, {0, 3}})}, 15), kAge), 945);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 101}, {0, 3}})}, 30), kAge), 0);
}

TEST_F(TopicRecall, WhatCameWhileWeirWasAwayIsNewAndItsRateIsOfThatTime) {
  before(-100, {{0, 100}, {0, 3}}, 900);
  const core::Batch batch = run({make_topic("orders", {{0, 100}, {0, 503}})}, 0);
  EXPECT_EQ(value(batch, kAge), 0);
  EXPECT_EQ(value(batch, kRate), 5);
}

TEST_F(TopicRecall, ATopicThatWasCreatedAnewMeanwhileIsAnEvent) {
  before(-100, {{0, 100}}, 900);
  const core::Batch batch = run({make_topic("orders", {{0, 7}})}, 0);
  ASSERT_THAT(kinds(batch), ElementsAre("topic_recreated"));
  EXPECT_THAT(batch.events[0].message, HasSubstr("orders partition 0 went back from 100 to 7"));
  EXPECT_EQ(value(batch, kAge), std::nullopt);
}

TEST_F(TopicRecall, APartitionThatCannotBeReadYetKeepsItsMessages) {
  before(-30, {{40, 100}, {0, 3}}, 900);
  kafka::Topic offline = make_topic("orders", {{0, 0}, {0, 3}});
  offline.partitions[0].leader = -1;
  offline.partitions[0].start = offline.partitions[0].end = kafka::kUnknownOffset;
  EXPECT_EQ(value(run({offline}, 0), "kafka_topic_messages" + kOrders), 63);
}

TEST_F(TopicRecall, WithoutSeriesOfEachPartitionTheAgeIsNotKnown) {
  before(-30, {{0, 100}}, 900);
  EXPECT_EQ(value(run({make_topic("orders", {{0, 100}, {0, 3}})}, 0), kAge), std::nullopt);
  past_.series.erase(past_.series.begin(), past_.series.begin() + 2);
  memory_ = {};
  EXPECT_EQ(value(run({make_topic("orders", {{0, 100}})}, 0), kAge), std::nullopt);
}

TEST_F(TopicRecall, WhatHadEndedBeforeTheRestartTellsNothing) {
  before(-30, {{0, 100}}, 900);
  for (core::SeriesView& series : past_.series) series.points.push_back({at_second(-15), core::stale_marker()});
  const core::Batch batch = run({make_topic("orders", {{0, 7}})}, 0);
  EXPECT_THAT(kinds(batch), IsEmpty());
  EXPECT_EQ(value(batch, kAge), std::nullopt);
  EXPECT_EQ(value(batch, kRate), std::nullopt);
}

TEST_F(TopicRecall, ThePastIsAskedForOnce) {
  before(-30, {{0, 100}}, 900);
  run({make_topic("orders", {{0, 100}})}, 0);
  const int asked = past_.asked;
  run({make_topic("orders", {{0, 100}}), make_topic("payments", {{0, 1}})}, 15);
  EXPECT_EQ(past_.asked, asked);
}

class TopicConfigRecall : public testing::Test {
 protected:
  TopicConfigRecall() {
    setting("kafka_topic_retention_seconds", 3600);
    setting("kafka_topic_retention_bytes", std::numeric_limits<double>::infinity());
    setting("kafka_topic_min_insync_replicas", 2);
    setting("kafka_topic_cleanup_policy", 1, {{"policy", "compact"}});
  }
  void setting(std::string_view metric, double value, const core::Labels& more = {}) {
    core::Labels labels = core::Labels::metric(metric, {{"cluster", "prod"}, {"topic", "orders"}});
    if (more.has("policy")) labels = labels.with("policy", more.get("policy"));
    past_.series.push_back({std::move(labels), {{at_second(-30), value}}});
  }
  static kafka::TopicConfig before() {
    return {.min_in_sync_replicas = 2, .retention_ms = 3'600'000, .retention_bytes = -1, .cleanup_policy = "compact"};
  }
  /// One cycle in which these settings are known of "orders", or none.
  core::Batch run(const std::optional<kafka::TopicConfig>& config, int second) {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", {{0, 1}})};
    if (config) snapshot.topics[0].config = std::make_shared<const kafka::TopicConfig>(*config);
    const KafkaCycle cycle{"prod", at_second(second), kafka::kDefaultStatus, kafka::kDefaultMetrics, nullptr, &past_};
    core::Batch batch;
    recall_topic_configs(cycle, memory_, snapshot);
    topic_config(snapshot, cycle, memory_, batch);
    seen_ = snapshot.topics[0].config;
    return batch;
  }

  Past past_;
  TopicConfigMemory memory_;
  std::shared_ptr<const kafka::TopicConfig> seen_;
};

TEST_F(TopicConfigRecall, WhatWasKnownStandsUntilItIsReadAndEqualSettingsAreNoChange) {
  const core::Batch batch = run(std::nullopt, 0);
  ASSERT_NE(seen_, nullptr);
  EXPECT_EQ(*seen_, before());
  EXPECT_EQ(value(batch, "kafka_topic_retention_seconds" + kOrders), 3600);
  EXPECT_EQ(value(batch, "kafka_topic_retention_bytes" + kOrders), std::numeric_limits<double>::infinity());
  EXPECT_THAT(kinds(run(before(), 15)), IsEmpty());
  run(std::nullopt, 30);
  EXPECT_EQ(seen_, nullptr) << "they were read, and are forgotten";
}

TEST_F(TopicConfigRecall, AChangeMadeWhileWeirWasAwayIsSeen) {
  run(std::nullopt, 0);
  kafka::TopicConfig now = before();
  now.retention_ms = 60'000;
  const core::Batch batch = run(now, 15);
  ASSERT_THAT(kinds(batch), ElementsAre("topic_config_changed"));
  EXPECT_THAT(batch.events[0].message, HasSubstr("retention.ms from 3600000 to 60000."));
  EXPECT_EQ(value(batch, "kafka_topic_config_changes_total" + kOrders), 1);
}

TEST_F(TopicConfigRecall, AChangeThatTheFirstCycleReadsIsSeenToo) {
  kafka::TopicConfig now = before();
  now.min_in_sync_replicas = 1;
  EXPECT_THAT(kinds(run(now, 0)), ElementsAre("topic_config_changed"));
}

TEST_F(TopicConfigRecall, WhatCannotBeReadAnyMoreIsForgotten) {
  run(std::nullopt, 0);
  run(std::nullopt, 599);
  EXPECT_NE(seen_, nullptr);
  run(std::nullopt, 600);
  EXPECT_EQ(seen_, nullptr);
}

}  // namespace
}  // namespace weir::collectors
