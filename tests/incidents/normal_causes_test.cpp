#include <gmock/gmock.h>

#include "incidents/causes.h"
#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using core::Labels;
using test::at;
using testing::HasSubstr;

constexpr double kNow = 7200;
const Labels kGroup{{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}};
const Labels kMembers{{"cluster", "prod"}, {"consumergroup", "billing"}};
const Labels kTopic{{"cluster", "prod"}, {"topic", "orders"}};

/// What is normal explains nothing.
class NormalCauses : public testing::Test {
 protected:
  static core::Alert alert(const char* rule, const Labels& labels, double active_for = 120) {
    core::Alert alert;
    alert.rule = rule;
    alert.labels = labels.with("alertname", rule);
    alert.state = core::AlertState::firing;
    alert.active_at = at(kNow - active_for);
    return alert;
  }
  /// A point every 15 s, the last one now.
  void series(const char* metric, const Labels& labels, const std::vector<double>& values) {
    const double first = kNow - 15.0 * static_cast<double>(values.size() - 1);
    for (std::size_t i = 0; i < values.size(); ++i)
      source_.add(labels.with(core::kMetricName, metric), at(first + 15.0 * static_cast<double>(i)), values[i]);
  }
  void line(const char* metric, const Labels& labels, double from, double per_second) {
    std::vector<double> values;
    for (int i = 0; i <= 40; ++i) values.push_back(from + per_second * 15 * i);
    series(metric, labels, values);
  }
  /// Traffic of 10 records a second until two minutes ago.
  void traffic(double since) {
    std::vector<double> values(60, 10);
    std::fill(values.end() - 8, values.end(), since);
    series("kafka_topic_records_per_second", kTopic, values);
  }
  void rebalance(double before) {
    events_.push_back({at(kNow - before), "group_state_changed", kMembers,
                       "Consumer group billing went from Stable to PreparingRebalance."});
  }
  std::string hypothesis_of(const core::Alert& of) {
    return likely_cause({of}, {source_, events_, at(kNow), {}}).hypothesis;
  }

  test::MemorySource source_;
  std::vector<core::Event> events_;
};

TEST_F(NormalCauses, AGroupThatHasReadAllAndLeftIsNotDown) {
  series("kafka_consumergroup_members", kMembers, {0, 0, 0});
  EXPECT_EQ(hypothesis_of(alert("Own", kGroup)), "consumer_down") << "what waits is not known";
  line("kafka_consumergroup_lag", kGroup.with("partition", "0"), 0, 0);
  EXPECT_EQ(hypothesis_of(alert("Own", kGroup)), "") << "a nightly run that is over";
  line("kafka_consumergroup_lag_sum", kGroup, 7, 0);
  EXPECT_EQ(hypothesis_of(alert("Own", kGroup)), "consumer_down");
}

TEST_F(NormalCauses, ScalingDownOnPurposeIsNoStorm) {
  series("kafka_consumergroup_members", kMembers, {8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3});
  for (const double before : {150.0, 120.0, 90.0, 60.0, 30.0}) rebalance(before);
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup)), "");
}

TEST_F(NormalCauses, ADeploymentThatIsOverIsNoStorm) {
  std::vector<double> members{3, 2, 3, 2, 3, 2, 3};
  members.resize(36, 3);
  series("kafka_consumergroup_members", kMembers, members);
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup)), "") << "the last consumer came back 7 minutes ago";
  series("kafka_consumergroup_members", kMembers.with("consumergroup", "other"), {3, 2, 3, 2, 3, 2, 3, 2});
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup.with("consumergroup", "other"))), "rebalance_storm");
}

TEST_F(NormalCauses, AGroupThatReadsAsMuchAsArrivesIsNotTooSlow) {
  line("kafka_consumergroup_current_offset", kGroup, 0, 100);
  line("kafka_consumergroup_lag", kGroup, 12'000, 0.5);
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup)), "");
}

TEST_F(NormalCauses, AGroupThatCatchesUpIsNotTooSlow) {
  line("kafka_consumergroup_current_offset", kGroup, 0, 100);
  line("kafka_consumergroup_lag", kGroup, 80'000, -60);
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup)), "");
}

TEST_F(NormalCauses, AGroupThatStoodStillAndCatchesUpIsNotTooSlow) {
  std::vector<double> committed(33, 0);
  std::vector<double> lag;
  for (int i = 0; i < 33; ++i) lag.push_back(1500.0 * i);
  for (int i = 0; i < 8; ++i) {
    committed.push_back(3000.0 * (i + 1));
    lag.push_back(48'000 - 1500.0 * (i + 1));
  }
  series("kafka_consumergroup_current_offset", kGroup, committed);
  series("kafka_consumergroup_lag", kGroup, lag);
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup, 600)), "");
}

TEST_F(NormalCauses, AGroupThatCommitsOnceAMinuteIsNotStuck) {
  std::vector<double> committed;
  std::vector<double> lag;
  for (int i = 0; i <= 40; ++i) {
    committed.push_back(i / 4 * 600);
    lag.push_back(150.0 * (i % 4));
  }
  series("kafka_consumergroup_current_offset", kGroup, committed);
  series("kafka_consumergroup_lag", kGroup, lag);
  EXPECT_NE(hypothesis_of(alert("Own", kGroup)), "consumer_stuck");
}

TEST_F(NormalCauses, ANewEmptyTopicHasNoCause) {
  line("kafka_topic_records_per_second", kTopic, 0, 0);
  line("kafka_topic_under_replicated_partitions", kTopic, 0, 0);
  line("kafka_brokers", {{"cluster", "prod"}}, 3, 0);
  EXPECT_EQ(hypothesis_of(alert("Own", kTopic)), "");
}

TEST_F(NormalCauses, WhatIsWrongWithATopicItselfIsNotItsTraffic) {
  for (const double since : {0.0, 50.0}) {
    source_ = {};
    traffic(since);
    EXPECT_EQ(hypothesis_of(alert("Own", kTopic)), since == 0 ? "source_stopped" : "traffic_surge");
    for (const char* rule : {"KafkaTopicUnderReplicated", "KafkaTopicOfflinePartitions", "KafkaTopicConfigChanged",
                             "PersonalDataInTopic", "SchemaMessagesUndecodable", "KafkaDeadLetterMessages"})
      EXPECT_EQ(hypothesis_of(alert(rule, kTopic)), "") << rule;
  }
}

TEST_F(NormalCauses, APausedSourceTakesNoReplicasAway) {
  const Labels connector{{"cluster", "prod"}, {"connector", "pg"}, {"type", "source"}};
  series("kafka_connect_connector_topic", connector.with("topic", "orders"), {1, 1});
  series("kafka_connect_connector_state", connector.with("state", "PAUSED"), {1, 1});
  EXPECT_EQ(hypothesis_of(alert("TopicSilent", kTopic)), "connector_stopped");
  EXPECT_EQ(hypothesis_of(alert("KafkaTopicUnderReplicated", kTopic)), "");
}

TEST_F(NormalCauses, AChangeOfSettingsIsItsOwnCause) {
  traffic(50);
  events_.push_back({at(kNow - 60), "topic_config_changed", kTopic, "retention.ms of orders went from 7d to 1h."});
  EXPECT_EQ(hypothesis_of(alert("KafkaTopicConfigChanged", kTopic)), "settings_changed");
  EXPECT_EQ(hypothesis_of(alert("TopicBusy", kTopic)), "traffic_surge");
}

TEST_F(NormalCauses, ASchemaThatCameAfterwardsBrokeNobody) {
  const Labels letters{{"cluster", "prod"}, {"topic", "orders.dlt"}};
  const Labels about = kTopic.with("subject", "orders-value").with("registry", "main");
  line("kafka_dead_letter_messages", letters, 5, 0);
  line("kafka_dead_letter_sampled_messages", letters.with("origin", "orders").with("exception", "AvroTypeException"), 5,
       0);
  events_.push_back({at(kNow - 60), "schema_version_registered", about, "Version 2 of orders-value."});
  EXPECT_EQ(hypothesis_of(alert("KafkaDeadLetterMessages", letters, 30)), "deserialization_errors");
  EXPECT_EQ(hypothesis_of(alert("KafkaDeadLetterMessages", letters, 600)), "poison_messages");
  events_.push_back({at(kNow - 60), "schema_incompatible", about, "Version 2 dropped y."});
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup, 30)), "schema_of_topic");
  EXPECT_EQ(hypothesis_of(alert("KafkaConsumerLagHigh", kGroup, 600)), "");
  EXPECT_EQ(hypothesis_of(alert("KafkaTopicUnderReplicated", kTopic, 30)), "") << "it reads nothing";
}

TEST_F(NormalCauses, AWeekendWithoutLoadsThatItsChecksAllowHasNoCause) {
  const Labels table{{"source", "w"}, {"dataset", "orders"}};
  const Labels check = table.with("check", "max(amount) < 100");
  line("weir_dataset_freshness_seconds", table.with("column", "loaded_at"), 150'000, 1);
  line("weir_dataset_row_count", table, 1000, 0);
  line("weir_check_value", check, 120, 0);
  line("weir_check_status", check, 2, 0);
  EXPECT_EQ(hypothesis_of(alert("TableCheckFailed", check)), "distribution_shift") << "of its values, not of its age";
}

}  // namespace
}  // namespace weir::incidents
