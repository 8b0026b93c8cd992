#include "collectors/topic_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kOrders = R"({cluster="prod",topic="orders"})";

class TopicConfigs : public testing::Test {
 protected:
  core::Batch run(std::optional<kafka::TopicConfig> config) {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", {{0, 1}})};
    if (config) snapshot.topics[0].config = std::make_shared<const kafka::TopicConfig>(*config);
    core::Batch batch;
    topic_config(snapshot, {"prod", at_second(second_ += 15)}, memory_, batch);
    return batch;
  }
  static kafka::TopicConfig week() {
    return {.min_in_sync_replicas = 2, .retention_ms = 604'800'000, .retention_bytes = -1, .cleanup_policy = "delete"};
  }
  TopicConfigMemory memory_;
  int second_ = 0;
};

TEST_F(TopicConfigs, WhatIsNotKnownIsNotShown) {
  EXPECT_THAT(run(std::nullopt).samples, IsEmpty());
  const core::Batch batch = run(kafka::TopicConfig{});
  EXPECT_EQ(value(batch, "kafka_topic_config_changes_total" + kOrders), 0);
  EXPECT_EQ(batch.samples.size(), 1U);
}

TEST_F(TopicConfigs, EachSettingIsAMetricAndNoLimitIsInfinite) {
  const core::Batch batch = run(week());
  EXPECT_EQ(value(batch, "kafka_topic_retention_seconds" + kOrders), 604'800);
  EXPECT_EQ(value(batch, "kafka_topic_retention_bytes" + kOrders), std::numeric_limits<double>::infinity());
  EXPECT_EQ(value(batch, "kafka_topic_min_insync_replicas" + kOrders), 2);
  EXPECT_EQ(value(batch, R"(kafka_topic_cleanup_policy{cluster="prod",policy="delete",topic="orders"})"), 1);
  EXPECT_THAT(kinds(batch), IsEmpty());
}

TEST_F(TopicConfigs, AChangeIsCountedAndAnEvent) {
  run(week());
  kafka::TopicConfig changed = week();
  changed.retention_ms = 3'600'000;
  changed.cleanup_policy = "compact";
  const core::Batch batch = run(changed);
  EXPECT_EQ(value(batch, "kafka_topic_config_changes_total" + kOrders), 2);
  ASSERT_THAT(kinds(batch), ElementsAre("topic_config_changed"));
  EXPECT_EQ(batch.events[0].message,
            "The settings of topic orders changed: cleanup.policy from delete to compact, retention.ms from 604800000 "
            "to 3600000.");
  EXPECT_THAT(kinds(run(changed)), IsEmpty());
  EXPECT_EQ(value(run(changed), R"(kafka_topic_cleanup_policy{cluster="prod",policy="delete",topic="orders"})"),
            std::nullopt);
}

TEST_F(TopicConfigs, ReadSeldomTheLastKnownStands) {
  run(week());
  EXPECT_EQ(value(run(std::nullopt), "kafka_topic_min_insync_replicas" + kOrders), 2);
  EXPECT_THAT(kinds(run(week())), IsEmpty()) << "the same by content";
}

TEST_F(TopicConfigs, ATopicThatIsGoneIsForgotten) {
  run(week());
  core::Batch batch;
  topic_config({}, {"prod", at_second(60)}, memory_, batch);
  EXPECT_TRUE(memory_.topics.empty());
}

TEST_F(TopicConfigs, EveryEmittedMetricIsDescribed) {
  for (const core::Sample& sample : run(week()).samples) {
    EXPECT_TRUE(std::ranges::any_of(topic_config_metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

}  // namespace
}  // namespace weir::collectors
