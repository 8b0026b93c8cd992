#include "kafka/topic_configs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace weir::kafka {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Clock = TopicConfigs::Clock;

Snapshot cluster_of(int topics) {
  Snapshot snapshot;
  for (int i = 0; i < topics; ++i) {
    snapshot.topics.emplace_back().name = "t" + std::to_string(1000 + i);
  }
  return snapshot;
}

TopicConfigs::Answer answer(std::int64_t retention) {
  TopicConfig config;
  config.retention_ms = retention;
  return {std::make_shared<const TopicConfig>(config), false};
}

constexpr Clock::time_point kStart = Clock::time_point(24h);

TEST(ToTopicConfigTest, ReadsTheWantedKeys) {
  const std::vector<std::pair<std::string_view, std::string_view>> entries = {{"min.insync.replicas", "2"},
                                                                              {"retention.ms", "-1"},
                                                                              {"retention.bytes", "1073741824000"},
                                                                              {"cleanup.policy", "delete,compact"},
                                                                              {"segment.ms", "7"}};
  const TopicConfig config = to_topic_config(entries);
  EXPECT_EQ(config.min_in_sync_replicas, 2);
  EXPECT_EQ(config.retention_ms, -1);
  EXPECT_EQ(config.retention_bytes, 1073741824000);
  EXPECT_EQ(config.cleanup_policy, "compact,delete");
}

TEST(ToTopicConfigTest, WhatIsNoNumberIsNotKnown) {
  const std::vector<std::pair<std::string_view, std::string_view>> entries = {
      {"min.insync.replicas", ""}, {"retention.ms", "7d"}, {"retention.bytes", "99999999999999999999"}};
  EXPECT_EQ(to_topic_config(entries), TopicConfig());
}

TEST(TopicConfigsTest, EveryTopicIsAskedForWithinFiveMinutesAShareACycle) {
  TopicConfigs configs(15s);
  const Snapshot snapshot = cluster_of(1000);
  std::set<std::string> asked;
  std::size_t most = 0;
  for (int cycle = 0; cycle < 20; ++cycle) {
    const auto now = kStart + cycle * 15s;
    const auto names = configs.due(snapshot.topics, now);
    most = std::max(most, names.size());
    for (const std::string& name : names) {
      EXPECT_TRUE(asked.insert(name).second) << name << " was asked for twice";
      configs.take(name, answer(1), now);
    }
  }
  EXPECT_EQ(asked.size(), 1000U);
  EXPECT_LE(most, 51U);
}

TEST(TopicConfigsTest, ANewTopicIsAskedForFirstAndTheOthersAfterFiveMinutes) {
  TopicConfigs configs(15s);
  Snapshot snapshot = cluster_of(2);
  for (const auto& name : configs.due(snapshot.topics, kStart)) configs.take(name, answer(1), kStart);
  EXPECT_THAT(configs.due(snapshot.topics, kStart + 1min), IsEmpty());
  snapshot = cluster_of(3);
  EXPECT_THAT(configs.due(snapshot.topics, kStart + 2min), ElementsAre("t1002"));
  configs.take("t1002", answer(1), kStart + 2min);
  EXPECT_THAT(configs.due(snapshot.topics, kStart + 5min), ElementsAre("t1000", "t1001"));
}

TEST(TopicConfigsTest, ShortCyclesSeeAChangeSoonerAndLongOnesAsSoon) {
  for (const auto& [interval, again] : {std::pair{1s, 20s}, {60s, 300s}, {600s, 300s}}) {
    TopicConfigs configs(interval);
    const Snapshot snapshot = cluster_of(1);
    configs.due(snapshot.topics, kStart);
    configs.take("t1000", answer(1), kStart);
    EXPECT_THAT(configs.due(snapshot.topics, kStart + again - 1s), IsEmpty());
    EXPECT_THAT(configs.due(snapshot.topics, kStart + again), ElementsAre("t1000"));
  }
}

TEST(TopicConfigsTest, WhatFailedIsAskedForAgainAMinuteLaterAndKeepsWhatWasKnown) {
  TopicConfigs configs(15s);
  Snapshot snapshot = cluster_of(1);
  configs.due(snapshot.topics, kStart);
  configs.take("t1000", answer(7), kStart);
  EXPECT_EQ(configs.due(snapshot.topics, kStart + 5min).size(), 1U);
  configs.take("t1000", {}, kStart + 5min);
  EXPECT_THAT(configs.due(snapshot.topics, kStart + 5min + 59s), IsEmpty());
  EXPECT_EQ(configs.due(snapshot.topics, kStart + 6min).size(), 1U);
  configs.fill(snapshot);
  ASSERT_NE(snapshot.topics[0].config, nullptr);
  EXPECT_EQ(snapshot.topics[0].config->retention_ms, 7);
}

TEST(TopicConfigsTest, EqualSettingsStayTheSameObject) {
  TopicConfigs configs(15s);
  Snapshot snapshot = cluster_of(1);
  configs.due(snapshot.topics, kStart);
  configs.take("t1000", answer(7), kStart);
  configs.fill(snapshot);
  const auto before = snapshot.topics[0].config;
  configs.take("t1000", answer(7), kStart + 5min);
  configs.fill(snapshot);
  EXPECT_EQ(snapshot.topics[0].config, before);
  configs.take("t1000", answer(8), kStart + 10min);
  configs.fill(snapshot);
  EXPECT_EQ(snapshot.topics[0].config->retention_ms, 8);
}

TEST(TopicConfigsTest, DeniedIsToldOnceAndAgainOnlyAfterItWasAllowed) {
  TopicConfigs configs(15s);
  Snapshot first = cluster_of(2);
  configs.due(first.topics, kStart);
  configs.take("t1000", {nullptr, true}, kStart);
  configs.take("t1001", answer(1), kStart);
  configs.fill(first);
  EXPECT_EQ(first.configs_denied, 1U);
  ASSERT_EQ(first.notices.size(), 1U);
  EXPECT_THAT(first.notices[0].message, HasSubstr("1 of 2 topics may not be read (the first: t1000)"));
  EXPECT_THAT(first.faults, IsEmpty());
  Snapshot second = cluster_of(2);
  configs.fill(second);
  EXPECT_EQ(second.configs_denied, 1U);
  EXPECT_THAT(second.notices, IsEmpty());
  configs.take("t1000", answer(1), kStart + 5min);
  Snapshot third = cluster_of(2);
  configs.fill(third);
  EXPECT_EQ(third.configs_denied, 0U);
  configs.take("t1000", {nullptr, true}, kStart + 10min);
  Snapshot fourth = cluster_of(2);
  configs.fill(fourth);
  EXPECT_EQ(fourth.notices.size(), 1U);
}

TEST(TopicConfigsTest, ATopicThatIsGoneIsForgotten) {
  TopicConfigs configs(15s);
  Snapshot both = cluster_of(2);
  configs.due(both.topics, kStart);
  configs.take("t1001", answer(9), kStart);
  configs.due(cluster_of(1).topics, kStart + 15s);
  configs.fill(both);
  EXPECT_EQ(both.topics[1].config, nullptr);
}

}  // namespace
}  // namespace weir::kafka
