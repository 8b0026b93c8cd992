#include <gmock/gmock.h>

#include "incidents/causes.h"
#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using core::Labels;
using test::at;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr double kNow = 7200;

class KafkaCauses : public testing::Test {
 protected:
  static core::Alert alert(const char* rule, std::initializer_list<Labels::Pair> labels) {
    core::Alert alert;
    alert.rule = rule;
    alert.labels = Labels(labels).with("alertname", rule);
    alert.state = core::AlertState::firing;
    alert.active_at = at(kNow - 120);
    return alert;
  }
  /// From `from` to `to` over the last `span` seconds, a point every 15 s.
  void line(const Labels& series, double from, double to, double span = 600) {
    for (double s = 0; s <= span; s += 15) source_.add(series, at(kNow - span + s), from + (to - from) * s / span);
  }
  void group(const char* metric, double from, double to) {
    line(Labels::metric(metric, {{"cluster", "prod"}, {"consumergroup", "billing"}}), from, to);
  }
  void group_topic(const char* metric, double from, double to) {
    line(Labels::metric(metric, {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}), from, to);
  }
  void group_partition(const char* metric, const char* partition, double from, double to) {
    line(
        Labels::metric(
            metric, {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", partition}}),
        from, to);
  }
  void status(const char* status, double partitions) {
    line(Labels::metric("kafka_consumergroup_status_partitions",
                        {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"status", status}}),
         partitions, partitions);
  }
  void topic(const char* metric, double from, double to) {
    line(Labels::metric(metric, {{"cluster", "prod"}, {"topic", "orders"}}), from, to);
  }
  void cluster(const char* metric, double from, double to, double span = 600) {
    line(Labels::metric(metric, {{"cluster", "prod"}}), from, to, span);
  }
  void event(const char* kind, std::initializer_list<Labels::Pair> labels, const std::string& message,
             double before = 180) {
    events_.push_back({at(kNow - before), kind, Labels(labels), message});
  }
  Cause cause(const core::Alert& of) { return likely_cause({of}, {source_, events_, at(kNow), faults_}); }

  test::MemorySource source_;
  std::vector<core::Event> events_;
  std::vector<core::Fault> faults_;
  const core::Alert stalled_ =
      alert("KafkaConsumerStalled", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}});
  const core::Alert topic_ = alert("KafkaTopic", {{"cluster", "prod"}, {"topic", "orders"}});
  const core::Alert cluster_ = alert("KafkaConsumerGroups", {{"cluster", "prod"}});
};

TEST_F(KafkaCauses, PartitionsThatNoMemberHasAreUnassigned) {
  status("STOP", 2);
  EXPECT_EQ(cause(stalled_).score, 0) << "how many members there are is not known";
  group("kafka_consumergroup_members", 3, 3);
  EXPECT_THAT(
      cause(stalled_).sentence,
      StartsWith("Consumer group billing in prod has 3 members, and none of them reads 2 partitions on orders"));
}

TEST_F(KafkaCauses, OnePartitionThatStandsStillWhileOthersGoOnHasABadMessage) {
  line(Labels::metric("kafka_consumergroup_partition_status", {{"cluster", "prod"},
                                                               {"consumergroup", "billing"},
                                                               {"topic", "orders"},
                                                               {"partition", "3"},
                                                               {"status", "STALL"}}),
       1, 1);
  group_partition("kafka_consumergroup_current_offset", "3", 4711, 4711);
  EXPECT_THAT(cause(stalled_).sentence, Not(HasSubstr("goes on elsewhere"))) << "nothing else is known to move";
  group_partition("kafka_consumergroup_current_offset", "4", 100, 900);
  EXPECT_THAT(cause(stalled_).sentence,
              HasSubstr("stands still at offset 4,711 of partition 3 of orders, while it goes "
                        "on elsewhere: the message there most likely fails"));
  line(Labels::metric(
           "kafka_consumergroup_member_partitions",
           {{"cluster", "prod"}, {"consumergroup", "billing"}, {"client_id", "payments-1"}, {"host", "/10.0.0.7"}}),
       5, 5);
  EXPECT_THAT(cause(stalled_).sentence, HasSubstr("the consumer (client payments-1 on /10.0.0.7) of that partition"));
}

TEST_F(KafkaCauses, ALagAfterARewindIsWhatIsReadAgain) {
  const auto rewound = [&](const char* group, double before) {
    event("group_rewound", {{"cluster", "prod"}, {"consumergroup", group}, {"topic", "orders"}},
          "Consumer group billing went back by 9000 messages on 1 partition of orders.", before);
  };
  rewound("other", 180);
  rewound("billing", 3000);
  EXPECT_EQ(cause(stalled_).score, 0) << "another group's, and an old one";
  rewound("billing", 180);
  EXPECT_THAT(cause(stalled_).sentence, HasSubstr("That was 3m before; its lag is what it reads again"));
}

TEST_F(KafkaCauses, ACommitBeyondTheEndIsATopicCreatedAnew) {
  group_topic("kafka_consumergroup_beyond_end_partitions", 2, 2);
  EXPECT_THAT(cause(stalled_).sentence,
              StartsWith("Topic orders in prod was created anew or truncated. On 2 partitions"));
  event("topic_recreated", {{"cluster", "prod"}, {"topic", "orders"}}, "The end went back from 90 to 3.");
  EXPECT_THAT(cause(stalled_).sentence, StartsWith("The end went back from 90 to 3. (3m before) On 2 partitions"));
}

TEST_F(KafkaCauses, WhatHappenedToTheOffsetsComesBeforeAGroupThatIsDown) {
  group("kafka_consumergroup_members", 0, 0);
  EXPECT_THAT(cause(stalled_).sentence, HasSubstr("has no members"));
  event("group_rewound", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}},
        "Consumer group billing went back by 9000 messages on 1 partition of orders.");
  EXPECT_THAT(cause(stalled_).sentence, StartsWith("Consumer group billing went back by 9000 messages"));
  group_topic("kafka_consumergroup_beyond_end_partitions", 2, 2);
  EXPECT_THAT(cause(stalled_).sentence, StartsWith("Topic orders in prod was created anew or truncated."));
}

TEST_F(KafkaCauses, CommitsThatStandStillWithMembersAndWithoutTrafficAreNamedWithTheirPlace) {
  group("kafka_consumergroup_members", 1, 1);
  group_partition("kafka_consumergroup_current_offset", "2", 10'412, 10'412);
  group_partition("kafka_consumergroup_lag", "2", 88, 88);
  line(Labels::metric("kafka_consumergroup_partition_status", {{"cluster", "prod"},
                                                               {"consumergroup", "billing"},
                                                               {"topic", "orders"},
                                                               {"partition", "2"},
                                                               {"status", "STALL"}}),
       1, 1);
  EXPECT_EQ(cause(stalled_).sentence,
            "Consumer group billing in prod: its commits stand still at offset 10,412 of partition 2 of orders, with "
            "messages unread and 1 member. Most likely the message there fails again and again (a poison message), or "
            "the consumer hangs.");
}

TEST_F(KafkaCauses, MembersThatComeAndGoAreAStorm) {
  const Labels members =
      Labels::metric("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "billing"}});
  for (double s = 0; s <= 600; s += 60) source_.add(members, at(kNow - 600 + s), s == 60 || s == 240 ? 2 : 5);
  EXPECT_THAT(cause(stalled_).sentence,
              HasSubstr("keeps rebalancing (4 times within 10 minutes, with 2 to 5 members)"));
}

TEST_F(KafkaCauses, SoAreManyRebalancesOfTheSameMembers) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(cause(stalled_).score, 0) << i;
    event("group_state_changed", {{"cluster", "prod"}, {"consumergroup", "billing"}},
          "Consumer group billing went from Stable to PreparingRebalance.", 60 * i);
  }
  EXPECT_THAT(cause(stalled_).sentence, HasSubstr("keeps rebalancing (4 times within 10 minutes)"));
}

TEST_F(KafkaCauses, ALagOnOnePartitionIsSkewedTrafficOrASlowConsumer) {
  for (const char* partition : {"0", "1", "2", "3"}) {
    const bool heavy = *partition == '2';
    group_partition("kafka_consumergroup_lag", partition, 0, heavy ? 900 : 10);
  }
  const Cause slow = cause(stalled_);
  EXPECT_THAT(slow.sentence,
              StartsWith("96 % of the lag of consumer group billing in prod is on partition 2 of orders"));
  EXPECT_THAT(slow.sentence, EndsWith("its consumer is slower than the others or hangs."));
  for (const char* partition : {"0", "1", "2", "3"}) {
    line(Labels::metric("kafka_topic_partition_current_offset",
                        {{"cluster", "prod"}, {"topic", "orders"}, {"partition", partition}}),
         0, *partition == '2' ? 9000 : 100);
  }
  EXPECT_THAT(cause(stalled_).sentence,
              HasSubstr("which takes 96 % of the traffic of 4 partitions: the messages' keys are skewed"));
}

TEST_F(KafkaCauses, ALagOnAllPartitionsIsNotSkewed) {
  for (const char* partition : {"0", "1", "2", "3"}) group_partition("kafka_consumergroup_lag", partition, 100, 300);
  EXPECT_EQ(cause(stalled_).score, 0);
}

TEST_F(KafkaCauses, RetentionThatWasShortenedIsBlamed) {
  group_topic("kafka_consumergroup_retention_margin_seconds", 1200, 1200);
  topic("kafka_topic_retention_seconds", 86400, 86400);
  EXPECT_EQ(
      cause(stalled_).sentence,
      "Consumer group billing in prod is so far behind on orders that retention (1d) begins to delete what it has "
      "not read in 20m.");
  event("topic_config_changed", {{"cluster", "prod"}, {"topic", "orders"}}, "Settings of orders: retention 7d to 1d.");
  EXPECT_THAT(cause(stalled_).sentence, StartsWith("Settings of orders: retention 7d to 1d. That was 3m before; now"));
}

TEST_F(KafkaCauses, AWideMarginIsNoCause) {
  group_topic("kafka_consumergroup_retention_margin_seconds", 500000, 500000);
  EXPECT_EQ(cause(stalled_).score, 0);
}

TEST_F(KafkaCauses, ManyGroupsOfOneStemAreRandomNames) {
  cluster("kafka_consumergroups_listed", 50, 400, 3600);
  cluster("kafka_consumergroups_over_cap", 0, 0);
  for (int i = 0; i < 30; ++i) {
    const std::string name =
        i < 25 ? "console-consumer-" + std::to_string(7919 * i) : "steady-" + std::string(1, 'a' + i);
    line(
        Labels::metric("kafka_consumergroup_state", {{"cluster", "prod"}, {"consumergroup", name}, {"state", "Empty"}}),
        1, 1, 60);
  }
  EXPECT_EQ(
      cause(cluster_).sentence,
      "25 of the 30 consumer groups of prod that are read are called \"console-consumer-…\": a client most likely "
      "takes a new random group.id at each start.");
}

TEST_F(KafkaCauses, GroupsOverTheCapAreCounted) {
  cluster("kafka_consumergroups_listed", 5100, 5100, 3600);
  EXPECT_EQ(cause(cluster_).score, 0);
  cluster("kafka_consumergroups_over_cap", 100, 100);
  EXPECT_EQ(cause(cluster_).sentence, "prod has 5,100 consumer groups, 100 more than groups.max lets Weir read.");
  EXPECT_EQ(cause(stalled_).score, 0) << "of no matter to one group";
}

TEST_F(KafkaCauses, MoreInSyncReplicasThanReplicasCanNeverBe) {
  topic("kafka_topic_under_min_isr_partitions", 3, 3);
  topic("kafka_topic_min_insync_replicas", 3, 3);
  topic("kafka_topic_replication_factor", 2, 2);
  EXPECT_EQ(cause(topic_).sentence,
            "min.insync.replicas of orders in prod is 3, more than its 2 replicas: nobody can write to it with "
            "acks=all.");
}

TEST_F(KafkaCauses, WeakTopicsOfACompleteClusterAreSlowBrokersOrDisks) {
  cluster("kafka_brokers", 3, 3);
  EXPECT_EQ(cause(topic_).score, 0);
  topic("kafka_topic_under_replicated_partitions", 2, 2);
  EXPECT_THAT(cause(topic_).sentence,
              StartsWith("Replicas of orders in prod are behind their leaders though 3 brokers"));
  topic("kafka_topic_offline_partitions", 1, 1);
  EXPECT_THAT(cause(topic_).sentence, StartsWith("1 partitions of orders in prod have no leader"));
  line(Labels::metric("kafka_broker_offline_log_directories", {{"cluster", "prod"}, {"instance", "broker-2:7071"}}), 1,
       1);
  EXPECT_THAT(cause(topic_).sentence, StartsWith("1 log directories of broker broker-2:7071 of prod are offline"));
}

TEST_F(KafkaCauses, ATransactionHoldsBackOnlyGroupsThatStandStill) {
  topic("kafka_topic_open_transaction_seconds", 400, 800);
  EXPECT_EQ(cause(topic_).score, 0) << "within what brokers allow";
  topic("kafka_topic_open_transaction_seconds", 400, 1800);
  EXPECT_THAT(cause(topic_).sentence, StartsWith("A transaction on orders in prod has been open for 30m"));
  group_partition("kafka_consumergroup_current_offset", "0", 70, 70);
  EXPECT_THAT(cause(stalled_).sentence, EndsWith("Consumer group billing stands still there."));
}

TEST_F(KafkaCauses, AGroupThatGoesOnDoesNotWaitForATransaction) {
  topic("kafka_topic_open_transaction_seconds", 400, 1800);
  group_partition("kafka_consumergroup_current_offset", "0", 70, 700);
  EXPECT_EQ(cause(stalled_).score, 0);
}

TEST_F(KafkaCauses, LostCanariesAndAnEndThatWentBackAreAnUncleanElection) {
  topic("kafka_canary_lost_total", 0, 4);
  event("canary_lost", {{"cluster", "prod"}, {"topic", "orders"}}, "4 canaries have not arrived.");
  topic("kafka_topic_under_replicated_partitions", 0, 0);
  EXPECT_EQ(cause(topic_).sentence, "4 canaries have not arrived.");
  event("topic_recreated", {{"cluster", "prod"}, {"topic", "orders"}}, "The end went back from 90 to 3.");
  EXPECT_EQ(
      cause(topic_).sentence,
      "prod had acknowledged messages and lost them, most likely in an unclean leader election: The end went back "
      "from 90 to 3.");
}

TEST_F(KafkaCauses, SlowCanariesTellWhichHalfIsSlow) {
  topic("kafka_canary_round_trip_latency_seconds_sum", 0, 400);
  topic("kafka_canary_round_trip_latency_seconds_count", 0, 100);
  EXPECT_EQ(cause(topic_).score, 0);
  topic("kafka_canary_produce_latency_seconds_sum", 0, 350);
  topic("kafka_canary_produce_latency_seconds_count", 0, 100);
  EXPECT_THAT(
      cause(topic_).sentence,
      StartsWith("Of the 4.0 s that a message takes through prod, 3.5 s pass until it is acknowledged: the brokers "
                 "are slow to write"));
}

TEST_F(KafkaCauses, FastAcknowledgementsOfSlowCanariesBlameTheDelivery) {
  topic("kafka_canary_round_trip_latency_seconds_sum", 0, 400);
  topic("kafka_canary_round_trip_latency_seconds_count", 0, 100);
  topic("kafka_canary_produce_latency_seconds_sum", 0, 2);
  topic("kafka_canary_produce_latency_seconds_count", 0, 100);
  EXPECT_THAT(cause(topic_).sentence,
              HasSubstr("20 ms pass until it is acknowledged: the brokers are slow to give it out"));
}

TEST_F(KafkaCauses, RefusedCanariesNameWhatTheTopicLacks) {
  topic("kafka_canary_produce_failures_total", 0, 4);
  EXPECT_EQ(cause(topic_).score, 0);
  faults_ = {{core::Error{core::ErrorKind::denied, "grant this user WRITE on the topic", false, "canary/prod"},
              Labels{{"cluster", "prod"}, {"topic", "orders"}}}};
  EXPECT_EQ(cause(topic_).sentence, "prod does not take messages of topic orders: grant this user WRITE on the topic");
  topic("kafka_topic_under_min_isr_partitions", 1, 1);
  EXPECT_THAT(cause(topic_).sentence, HasSubstr("1 of its partitions have fewer in-sync replicas"));
}

TEST_F(KafkaCauses, CanariesThatFailedOrWaitedNameTheBrokerThatWasNotReached) {
  topic("kafka_canary_produce_failures_total", 0, 4);
  event("canary_error", {{"cluster", "prod"}, {"topic", "orders"}}, "brokers a:9092: no broker can be reached");
  EXPECT_EQ(cause(topic_).sentence,
            "prod does not take messages of topic orders: brokers a:9092: no broker can be reached");
}

TEST_F(KafkaCauses, CanariesThatWaitedForABrokerNameIt) {
  topic("kafka_canary_round_trip_latency_seconds_sum", 0, 400);
  topic("kafka_canary_round_trip_latency_seconds_count", 0, 100);
  topic("kafka_canary_produce_latency_seconds_sum", 0, 350);
  topic("kafka_canary_produce_latency_seconds_count", 0, 100);
  event("canary_error", {{"cluster", "prod"}, {"topic", "orders"}}, "no broker can be reached", 3600);
  EXPECT_THAT(cause(topic_).sentence, StartsWith("Of the 4.0 s"));  // long ago
  event("canary_error", {{"cluster", "prod"}, {"topic", "orders"}}, "no broker can be reached");
  EXPECT_EQ(cause(topic_).sentence, "Messages waited while prod did not take or give them: no broker can be reached");
}

TEST_F(KafkaCauses, AnAlertWithoutKnownLabelsHasNone) {
  topic("kafka_canary_produce_failures_total", 0, 4);
  cluster("kafka_consumergroups_over_cap", 100, 100);
  group("kafka_consumergroup_members", 0, 9);
  EXPECT_EQ(cause(alert("Odd", {})).score, 0);
}

}  // namespace
}  // namespace weir::incidents
