#include <gmock/gmock.h>
#include <set>

#include "incidents/causes.h"
#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using core::Labels;
using core::Node;
using test::at;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr double kNow = 3600;

/// Each hypothesis by the evidence that speaks for it and by what speaks against it.
class HypothesesTest : public testing::Test {
 protected:
  static core::Alert alert(const char* rule, const Labels& labels, double active_for = 60) {
    core::Alert alert;
    alert.rule = rule;
    alert.labels = labels.with("alertname", rule);
    alert.state = core::AlertState::firing;
    alert.active_at = at(kNow - active_for);
    return alert;
  }
  /// A point every 15 s of the last `span` seconds: `before` until `since` seconds ago, `after` since.
  void step(const char* metric, const Labels& labels, double before, double after, double since, double span = 600) {
    for (double s = span; s >= 0; s -= 15)
      source_.add(labels.with(core::kMetricName, metric), at(kNow - s), s > since ? before : after);
  }
  void flat(const char* metric, const Labels& labels, double value) { step(metric, labels, value, value, 0); }
  void event(const char* kind, const Labels& labels, const char* message, double before = 60) {
    events_.push_back({at(kNow - before), kind, labels, message});
  }
  /// Of a partition with an open transaction of 400 messages from offset 1,000 on, where group_ stands; its labels.
  Labels stands_while_a_transaction_is_open() {
    Labels partition = group_.with("partition", "2");
    const Labels log = partition.without("consumergroup");
    flat("kafka_topic_open_transaction_seconds", log.without("partition"), 120);
    flat("kafka_topic_partition_open_transaction_messages", log, 400);
    flat("kafka_topic_partition_current_offset", log, 1400);
    flat("kafka_consumergroup_partition_status", partition.with("status", "STALL"), 1);
    return partition;
  }
  Cause cause(const core::Alert& of) { return likely_cause({of}, {source_, events_, at(kNow), faults_}); }

  test::MemorySource source_;
  std::vector<core::Event> events_;
  std::vector<core::Fault> faults_;
  const Labels group_{{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}};
  const Labels letters_{{"cluster", "prod"}, {"topic", "orders.dlt"}};
  const Labels table_{{"source", "w"}, {"dataset", "daily"}};
  const Labels check_ = table_.with("check", "c");
};

TEST_F(HypothesesTest, TheBestIsNamedWithWhatItRestsOnAndWhatWasLessLikely) {
  flat("kafka_consumergroup_members", group_.without("topic"), 0);
  flat("kafka_consumergroup_messages_lost", group_, 7);
  const Cause found = cause(alert("LagHigh", group_));
  EXPECT_EQ(found.hypothesis, "consumer_down");
  EXPECT_EQ(found.score, 0.95);
  EXPECT_THAT(found.evidence, Contains(R"(kafka_consumergroup_members{cluster="prod",consumergroup="billing"} is 0)"));
  EXPECT_THAT(found.evidence, Contains(StartsWith("less likely: Retention deleted 7 messages")));
}

TEST_F(HypothesesTest, WithoutACauseThereIsNoEvidence) {
  const Cause found = cause(alert("LagHigh", group_));
  EXPECT_EQ(found.hypothesis, "");
  EXPECT_THAT(found.evidence, IsEmpty());
}

TEST_F(HypothesesTest, NotesAreFewAndShort) {
  Evidence evidence(alert("LagHigh", group_), source_, events_, at(kNow));
  for (int i = 0; i < 20; ++i) event(("kind_" + std::to_string(i)).c_str(), group_, std::string(1000, 'x').c_str());
  const auto notes = evidence.notes_of([&] {
    for (int i = 0; i < 20; ++i) evidence.newest_event("kind_" + std::to_string(i), group_);
  });
  EXPECT_THAT(notes, SizeIs(8));
  for (const std::string& note : notes) EXPECT_LE(note.size(), 310U);
}

TEST_F(HypothesesTest, HarmIsKnownOfEachHypothesis) {
  std::set<std::string_view> harmless;
  for (const Hypothesis& each : hypotheses()) {
    if (each.gives == Harm::none) harmless.insert(each.name);
  }
  EXPECT_EQ(harmless, (std::set<std::string_view>{"random_group_names", "settings_changed", "checks_unseen",
                                                  "own_part_fails", "own_outbox_waits", "own_series_refused",
                                                  "candidate_incompatible", "finding_told"}));
  EXPECT_TRUE(overlap(hypothesis("consumer_down").gives, hypothesis("load_late").takes));
  EXPECT_FALSE(overlap(hypothesis("consumer_down").gives, hypothesis("group_rewound").takes));
}

TEST_F(HypothesesTest, CommitsThatJustStoppedAreStuckNotSlow) {
  for (double s = 300; s >= 0; s -= 5) {
    const double committed = s > 40 ? 10'000 - 10 * s : 9'600;
    source_.add(group_.with(core::kMetricName, "kafka_consumergroup_current_offset"), at(kNow - s), committed);
    source_.add(group_.with(core::kMetricName, "kafka_consumergroup_lag"), at(kNow - s), s > 40 ? 0 : 300 * (40 - s));
  }
  EXPECT_EQ(cause(alert("LagHigh", group_, 20)).hypothesis, "consumer_stuck");
}

TEST_F(HypothesesTest, AGroupThatCommitsOnceAMinuteIsNotStuckBetweenTwoCommits) {
  for (double s = 300; s >= 0; s -= 5) {
    const double committed = 100 * std::floor((kNow - s - 30) / 60);
    source_.add(group_.with(core::kMetricName, "kafka_consumergroup_current_offset"), at(kNow - s), committed);
    source_.add(group_.with(core::kMetricName, "kafka_consumergroup_lag"), at(kNow - s), 10 * (kNow - s) - committed);
  }
  EXPECT_NE(cause(alert("LagHigh", group_, 20)).hypothesis, "consumer_stuck");
}

TEST_F(HypothesesTest, ReadersThatFailSinceANewSchemaAreToldWithItsVersion) {
  flat("kafka_dead_letter_messages", letters_, 9);
  core::LabelsBuilder reason(letters_);
  reason.set("origin", "orders").set("exception", "x.SerializationException").set("component", "consumer group b");
  flat("kafka_dead_letter_sampled_messages", reason.build(), 9);
  const core::Alert dead = alert("DeadLetters", letters_);
  EXPECT_EQ(cause(dead).hypothesis, "poison_messages") << "no schema changed";
  event("schema_version_registered", {{"registry", "main"}, {"subject", "payments-value"}}, "Version 9 of payments.");
  EXPECT_EQ(cause(dead).hypothesis, "poison_messages") << "another topic's";
  event("schema_version_registered", {{"registry", "main"}, {"subject", "orders-value"}},
        "Version 4 of orders-value was registered: it adds note.");
  const Cause found = cause(dead);
  EXPECT_EQ(found.hypothesis, "deserialization_errors");
  EXPECT_THAT(found.sentence, HasSubstr("Version 4 of orders-value"));
  EXPECT_EQ(found.origin, (Node{"subject", "main", "orders-value"}));
}

TEST_F(HypothesesTest, LettersThatFailForAnotherReasonHaveNothingToDoWithASchema) {
  flat("kafka_dead_letter_messages", letters_, 9);
  core::LabelsBuilder reason(letters_);
  reason.set("origin", "orders").set("exception", "java.lang.IllegalStateException");
  flat("kafka_dead_letter_sampled_messages", reason.build(), 9);
  event("schema_version_registered", {{"registry", "main"}, {"subject", "orders-value"}}, "Version 4.");
  EXPECT_EQ(cause(alert("DeadLetters", letters_)).hypothesis, "poison_messages");
}

TEST_F(HypothesesTest, ATopicThatNobodyWritesToAnyMoreLostItsSource) {
  const Labels topic{{"cluster", "prod"}, {"topic", "orders"}};
  step("kafka_topic_records_per_second", topic, 40, 0, 90);
  EXPECT_EQ(cause(alert("TopicSilent", topic)).hypothesis, "source_stopped");
  EXPECT_NE(cause(alert("LagHigh", group_)).hypothesis, "source_stopped") << "no reason for a lag";
}

TEST_F(HypothesesTest, ATopicThatWasAlwaysSilentDidNotStop) {
  const Labels topic{{"cluster", "prod"}, {"topic", "orders"}};
  flat("kafka_topic_records_per_second", topic, 0);
  EXPECT_EQ(cause(alert("TopicSilent", topic)).hypothesis, "");
}

TEST_F(HypothesesTest, AChangedSettingIsToldInItsWords) {
  const Labels topic{{"cluster", "prod"}, {"topic", "orders"}};
  event("topic_config_changed", topic, "retention.ms of orders went from 7d to 1h.");
  EXPECT_EQ(cause(alert("ConfigChanged", topic)).hypothesis, "settings_changed");
  EXPECT_EQ(cause(alert("ConfigChanged", topic.with("topic", "other"))).hypothesis, "");
}

TEST_F(HypothesesTest, APausedConnectorExplainsTheLagOfItsGroup) {
  const Labels state{{"cluster", "prod"}, {"connector", "to-lake"}, {"type", "sink"}, {"state", "PAUSED"}};
  flat("kafka_connect_connector_state", state, 1);
  flat("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "connect-to-lake"}}, 0);
  const Cause found = cause(alert("LagHigh", group_.with("consumergroup", "connect-to-lake")));
  EXPECT_EQ(found.hypothesis, "connector_stopped") << "more than that its consumers are gone";
  EXPECT_EQ(found.origin, (Node{"connector", "prod", "to-lake"}));
  EXPECT_THAT(found.sentence, HasSubstr("Connector to-lake in prod is paused"));
  EXPECT_NE(cause(alert("LagHigh", group_)).hypothesis, "connector_stopped") << "another group";
}

TEST_F(HypothesesTest, AConnectorThatRunsExplainsNothing) {
  flat("kafka_connect_connector_state", {{"cluster", "prod"}, {"connector", "to-lake"}, {"state", "RUNNING"}}, 1);
  flat("kafka_connect_connector_state", {{"cluster", "prod"}, {"connector", "to-lake"}, {"state", "PAUSED"}}, 0);
  EXPECT_EQ(cause(alert("LagHigh", group_.with("consumergroup", "connect-to-lake"))).hypothesis, "");
}

TEST_F(HypothesesTest, APausedSourceIsToldAsTheSourceThatStopped) {
  const Labels connector{{"cluster", "prod"}, {"connector", "inventory"}};
  flat("kafka_connect_connector_state", connector.with("state", "PAUSED").with("type", "source"), 1);
  flat("kafka_connect_connector_topic", connector.with("topic", "cdc.orders").with("type", "source"), 1);
  const core::Alert paused = alert("KafkaConnectorPaused", connector.with("state", "PAUSED"));
  EXPECT_EQ(
      cause(paused).sentence,
      "The source is stopped, connector inventory in prod is paused: somebody did that, and it goes on when it is "
      "resumed. Nothing new is written to topic cdc.orders until it is resumed.");
  flat("kafka_connect_connector_info", connector.with("debezium", "postgresql"), 1);
  EXPECT_THAT(cause(paused).sentence, StartsWith("Debezium (postgresql): the source is stopped, connector inventory"));
  const Labels silent{{"cluster", "prod"}, {"topic", "cdc.orders"}};
  step("kafka_topic_records_per_second", silent, 40, 0, 90);
  const Cause found = cause(alert("TopicSilent", silent));
  EXPECT_EQ(found.hypothesis, "connector_stopped") << "why its source stopped";
  EXPECT_EQ(found.origin, (Node{"connector", "prod", "inventory"}));
  const Labels other = silent.with("topic", "cdc.clicks");
  step("kafka_topic_records_per_second", other, 40, 0, 90);
  EXPECT_EQ(cause(alert("TopicSilent", other)).hypothesis, "source_stopped") << "another connector's, or nobody's";
}

TEST_F(HypothesesTest, ADeletedTopicIsToldAndExplainsItsGroupsAtOnce) {
  const core::Alert deleted = alert("KafkaTopicDeleted", group_);
  EXPECT_EQ(cause(deleted).hypothesis, "");
  flat("kafka_consumergroup_deleted_topic_seconds", group_, 90);
  event("topic_deleted", group_.without("consumergroup"),
        "Topic orders was deleted while consumer group billing read it.");
  flat("kafka_consumergroup_members", group_.without("topic"), 0);
  const Cause found = cause(deleted);
  EXPECT_EQ(found.hypothesis, "topic_deleted") << "more than that nobody reads";
  EXPECT_THAT(found.sentence,
              StartsWith("Topic orders was deleted while consumer group billing read it. That was 1m30s ago."));
  EXPECT_EQ(found.origin, (Node{"topic", "prod", "orders"})) << "one incident, however many groups";
  EXPECT_NE(cause(alert("LagHigh", group_.with("consumergroup", "audit"))).hypothesis, "topic_deleted");
}

TEST_F(HypothesesTest, AGroupThatStandsRightBeforeAnOpenTransactionWaitsForIt) {
  const Labels partition = stands_while_a_transaction_is_open();
  flat("kafka_consumergroup_current_offset", partition, 999);
  const Cause found = cause(alert("KafkaConsumerStalled", group_));
  EXPECT_EQ(found.hypothesis, "transaction_hangs") << "more than that a message fails";
  EXPECT_EQ(
      found.sentence,
      "A transaction on partition 2 of orders in prod has been open for 2m: consumers that read committed messages "
      "only do not get the 400 messages since offset 1,000. Consumer group billing stands still right before it.");
  EXPECT_EQ(found.origin, (Node{"topic", "prod", "orders"}));
}

TEST_F(HypothesesTest, AGroupThatStandsElsewhereDoesNotWaitForATransaction) {
  const Labels partition = stands_while_a_transaction_is_open();
  for (const double committed : {700.0, 1200.0}) {
    flat("kafka_consumergroup_current_offset", partition, committed);
    EXPECT_EQ(cause(alert("KafkaConsumerStalled", group_)).hypothesis, "message_fails") << committed;
  }
}

TEST_F(HypothesesTest, AnOfflineTopicExplainsItsGroupsButMissingReplicasDoNot) {
  for (double s = 600; s >= 0; s -= 15)
    source_.add(Labels::metric("kafka_brokers", {{"cluster", "prod"}}), at(kNow - s), s > 120 ? 3 : 2);
  const Labels topic{{"cluster", "prod"}, {"topic", "orders"}};
  flat("kafka_topic_under_replicated_partitions", topic, 3);
  EXPECT_NE(cause(alert("LagHigh", group_)).hypothesis, "broker_gone");
  flat("kafka_topic_offline_partitions", topic, 1);
  const Cause found = cause(alert("LagHigh", group_));
  EXPECT_EQ(found.hypothesis, "broker_gone");
  EXPECT_EQ(found.origin, (Node{"cluster", "", "prod"}));
}

TEST_F(HypothesesTest, ABrokerThatLeftLaterIsNotTheCause) {
  for (double s = 600; s >= 0; s -= 15)
    source_.add(Labels::metric("kafka_brokers", {{"cluster", "prod"}}), at(kNow - s), s > 60 ? 3 : 2);
  const Labels topic{{"cluster", "prod"}, {"topic", "orders"}};
  flat("kafka_topic_under_replicated_partitions", topic, 3);
  EXPECT_EQ(cause(alert("UnderReplicated", topic, 50)).hypothesis, "broker_gone");
  EXPECT_NE(cause(alert("UnderReplicated", topic, 300)).hypothesis, "broker_gone");
}

TEST_F(HypothesesTest, TwiceTheRowsOrRowsTwiceAreALoadThatRanTwice) {
  step("weir_dataset_row_count", table_, 1000, 2000, 60);
  const core::Alert rows = alert("TableCheckFailed", table_.with("check", "row_count < 1500"));
  EXPECT_EQ(cause(rows).hypothesis, "load_duplicated");
  EXPECT_THAT(cause(rows).sentence, HasSubstr("holds 2,000 rows, 2 times the 1,000 it had"));
  const Labels twice = table_.with("check", "duplicate_count(id) = 0");
  flat("weir_check_value", twice, 1000);
  EXPECT_EQ(cause(alert("TableCheckFailed", twice)).hypothesis, "load_duplicated");
}

TEST_F(HypothesesTest, ATableThatGrowsAsUsualWasNotLoadedTwice) {
  step("weir_dataset_row_count", table_, 1000, 1100, 60);
  EXPECT_NE(cause(alert("TableCheckFailed", table_.with("check", "row_count < 1050"))).hypothesis, "load_duplicated");
  const Labels none = table_.with("check", "duplicate_count(id) = 0");
  flat("weir_check_value", none, 0);
  EXPECT_NE(cause(alert("TableCheckFailed", none)).hypothesis, "load_duplicated");
}

TEST_F(HypothesesTest, ValuesThatAreNotWhatTheyWereShifted) {
  const Labels mean = table_.with("check", "avg(amount) between 90 and 110");
  step("weir_check_value", mean, 100, 200, 60);
  const Cause found = cause(alert("TableCheckFailed", mean));
  EXPECT_EQ(found.hypothesis, "distribution_shift");
  EXPECT_THAT(found.sentence, HasSubstr("went from 100 to 200"));
  const Labels nulls = table_.with("check", "missing_percent(customer) < 5%");
  flat("weir_check_value", nulls, 33);
  EXPECT_THAT(cause(alert("TableCheckFailed", nulls)).sentence, HasSubstr("leaves values out"));
}

TEST_F(HypothesesTest, AnEmptyTableHasNoDistribution) {
  const Labels mean = table_.with("check", "avg(amount) between 90 and 110");
  step("weir_check_value", mean, 100, 0, 60);
  flat("weir_dataset_row_count", table_, 0);
  EXPECT_NE(cause(alert("TableCheckFailed", mean)).hypothesis, "distribution_shift");
  const Labels fresh = table_.with("check", "freshness(max_loaded) < 1h");
  step("weir_check_value", fresh, 100, 5000, 60);
  EXPECT_NE(cause(alert("TableCheckFailed", fresh)).hypothesis, "distribution_shift") << "an age is no distribution";
}

TEST_F(HypothesesTest, AColumnThatIsGoneIsASchemaChange) {
  flat("weir_check_status", check_, 3);
  faults_ = {{core::Error{core::ErrorKind::invalid, "ERROR: column \"customer\" does not exist", false, "w"}, table_}};
  const Cause found = cause(alert("TableCheckError", check_));
  EXPECT_EQ(found.hypothesis, "schema_changed");
  EXPECT_THAT(found.sentence, HasSubstr("column \"customer\" does not exist"));
}

TEST_F(HypothesesTest, ARightThatWasTakenIsNoSchemaChange) {
  flat("weir_check_status", check_, 3);
  faults_ = {{core::Error{core::ErrorKind::denied, "permission denied for table daily", false, "w"}, table_}};
  EXPECT_EQ(cause(alert("TableCheckError", check_)).hypothesis, "check_error");
}

TEST_F(HypothesesTest, OfStorageThatFailsItsOwnErrorIsTheCause) {
  const core::Alert failing = alert("WeirStorageFailing", {});
  EXPECT_EQ(cause(failing).hypothesis, "");
  faults_ = {
      {core::Error{core::ErrorKind::storage, "weir.db: the disk is full; free some space", true, "storage"}, {}}};
  EXPECT_EQ(cause(failing).hypothesis, "own_part_fails");
  EXPECT_EQ(cause(failing).sentence,
            "Weir's own storage does not take what happens: weir.db: the disk is full; free some space.");
  EXPECT_EQ(cause(alert("LagHigh", group_)).hypothesis, "") << "it explains nothing else";
}

TEST_F(HypothesesTest, WhatWeirSaysOfItselfQuotesItsOwnError) {
  struct Case {
    const char* alert;
    Labels labels;
    const char* where;
    const char* begins;
  };
  const std::vector<Case> cases{
      {"WeirRuleEvaluationFailing", {{"rule_group", "g"}}, "rules/g", "Rules of group g could not be evaluated"},
      {"WeirNotificationsFailing", {{"receiver", "a/webhook/0"}}, "receiver/a/webhook/0", "Receiver a/webhook/0 did"},
      {"WeirNotificationsLost", {{"receiver", "a/webhook/0"}}, "lost/a/webhook/0", "Receiver a/webhook/0 was not told"},
      {"WeirHeartbeatFailing", {{"heartbeat", "w"}}, "heartbeat/w", "The dead man's switch w did not hear Weir"},
      {"WeirSeriesSnapshotFailing", {{"operation", "save"}}, "series/save", "The snapshot of the series (save) failed"},
      {"OpenLineageEventsNotDelivered", {}, "openlineage", "Whom Weir tells its events did not take them"},
      {"CatalogEventsNotDelivered", {{"catalog", "dh"}}, "catalog/dh", "Catalog dh did not take what Weir tells it"},
      {"WeirStorageSetAside", {}, "storage/set-aside", "Weir's own database was damaged"},
      {"WeirStorageRewritten", {}, "storage/rewritten", "Weir's own database is another one than before"},
      {"WeirStorageDropping", {}, "storage", "Weir's own storage does not take what happens"},
  };
  for (const Case& each : cases) {
    faults_ = {{core::Error{core::ErrorKind::unavailable, "another part failed", false, "rules/other"}, {}}};
    EXPECT_EQ(cause(alert(each.alert, each.labels)).hypothesis, "") << each.alert;
    faults_.push_back({core::Error{core::ErrorKind::unavailable, "it said why", false, each.where}, {}});
    const Cause found = cause(alert(each.alert, each.labels));
    EXPECT_EQ(found.hypothesis, "own_part_fails") << each.alert;
    EXPECT_THAT(found.sentence, testing::AllOf(StartsWith(each.begins), HasSubstr(": it said why."))) << each.alert;
  }
}

TEST_F(HypothesesTest, MessagesThatWaitNameTheReceiversThatRefuse) {
  const core::Alert stuck = alert("WeirOutboxStuck", {});
  flat("weir_outbox_messages", {}, 12);
  step("weir_notifications_total", {{"receiver", "a/webhook/0"}, {"outcome", "retried"}}, 3, 9, 100);
  flat("weir_notifications_total", {{"receiver", "b/slack/0"}, {"outcome", "retried"}}, 7);
  faults_ = {{core::Error{core::ErrorKind::unavailable, "HTTP 503", false, "receiver/a/webhook/0"}, {}},
             {core::Error{core::ErrorKind::unavailable, "HTTP 404", false, "receiver/b/slack/0"}, {}}};
  EXPECT_EQ(cause(stuck).sentence, "12 notifications wait, since receivers do not take them. a/webhook/0: HTTP 503.")
      << "the other takes them again";
}

TEST_F(HypothesesTest, SeriesThatAreRefusedAreCounted) {
  flat("weir_series", {}, 500'000);
  EXPECT_THAT(cause(alert("WeirSeriesRefused", {{"metric", "kafka_x"}})).sentence,
              HasSubstr("Weir holds 500,000 series"));
}

TEST_F(HypothesesTest, WhenAllCollectorsFailAtOnceItIsWeirsOwnLink) {
  const core::Alert offline = alert("WeirOffline", {});
  for (const char* collector : {"kafka/a", "checks/w", "http_json/c"})
    flat("weir_collector_success", {{"collector", collector}}, 0);
  faults_ = {{core::Error{core::ErrorKind::unavailable, "No route to host", false, "kafka/a"}, {}}};
  EXPECT_EQ(cause(offline).hypothesis, "own_network_gone");
  EXPECT_THAT(cause(offline).sentence, HasSubstr("All 3 collectors fail at once"));
  EXPECT_THAT(cause(offline).sentence, HasSubstr("kafka/a: No route to host."));
  flat("weir_collector_success", {{"collector", "kafka/b"}}, 1);
  EXPECT_EQ(cause(offline).hypothesis, "") << "one sees";
}

TEST_F(HypothesesTest, ACollectorThatFailsForOneTableLeadsToThatTable) {
  const core::Alert failing = alert("WeirCollectorFailing", {{"collector", "checks/w"}});
  flat("weir_collector_success", {{"collector", "checks/w"}}, 0);
  flat("weir_check_status", check_, 3);
  EXPECT_EQ(cause(failing).hypothesis, "own_link_down") << "there is no other";
  flat("weir_check_status", check_.with("dataset", "orders"), 0);
  EXPECT_EQ(cause(failing).hypothesis, "checks_unseen");
  EXPECT_EQ(cause(failing).origin, (Node{"table", "w", "daily"}));
  flat("weir_check_status", check_.with("dataset", "users"), 3);
  EXPECT_EQ(cause(failing).hypothesis, "checks_unseen");
  EXPECT_EQ(cause(failing).origin, std::nullopt) << "of two it is no one table's";
}

TEST_F(HypothesesTest, AGroupThatStandsStillEverywhereDoesNotGoOnElsewhere) {
  for (const char* partition : {"0", "1"}) {
    const Labels one = group_.with("partition", partition);
    step("kafka_consumergroup_current_offset", one, 500, 900, 100);
    flat("kafka_consumergroup_partition_status", one.with("status", "STALL"), 1);
  }
  EXPECT_THAT(cause(alert("Stalled", group_, 120)).sentence, testing::Not(HasSubstr("elsewhere")));
}

TEST_F(HypothesesTest, ABrokenPromiseOfAPipelineIsBlamedOnWhatIsFurthestBehind) {
  const Labels orders{{"pipeline", "orders"}};
  const core::Alert late = alert("PipelineLatencySlaBroken", orders);
  EXPECT_EQ(cause(late).hypothesis, "");
  flat("weir_pipeline_sla_seconds", orders.with("sla", "latency"), 300);
  flat("weir_pipeline_latency_seconds", orders, 720);
  flat("weir_pipeline_slowest_group_seconds", orders.with("cluster", "prod").with("consumergroup", "loader"), 700);
  EXPECT_EQ(cause(late).sentence,
            "Data takes 12m through pipeline orders, where 5m were promised: furthest behind, by 11m40s, is consumer "
            "group loader in prod.");
  EXPECT_EQ(cause(late).origin, (Node{"consumer group", "prod", "loader"}));
  flat("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "loader"}}, 0);
  EXPECT_THAT(cause(late).sentence, HasSubstr("loader in prod. Consumer group loader in prod has no members"));
  EXPECT_THAT(cause(late).evidence, Contains(HasSubstr("kafka_consumergroup_members")));
  EXPECT_EQ(cause(alert("PipelineRunFailed", orders.with("system", "dagster"))).hypothesis, "") << "another pipeline";
}

TEST_F(HypothesesTest, APipelineThatIsTooOldIsBlamedOnItsStalestTable) {
  const Labels orders{{"pipeline", "orders"}};
  const core::Alert old = alert("PipelineFreshnessSlaBroken", orders);
  flat("weir_pipeline_sla_seconds", orders.with("sla", "freshness"), 3600);
  flat("weir_pipeline_stalest_table_seconds", orders.with("source", "w").with("dataset", "users"), 1800);
  EXPECT_EQ(cause(old).hypothesis, "") << "as promised";
  flat("weir_pipeline_stalest_table_seconds", orders.with("source", "w").with("dataset", "users"), 7200);
  EXPECT_THAT(cause(old).sentence, HasSubstr("its stalest table, users in w, for 2h."));
  EXPECT_EQ(cause(old).origin, (Node{"table", "w", "users"}));
}

TEST_F(HypothesesTest, APageThatCannotBeReadIsItsCollectorsErrorAndOneIncidentWithIt) {
  const core::Alert failing = alert("ScrapeFailing", {{"job", "app"}, {"instance", "h:1"}});
  flat("weir_collector_success", {{"collector", "scrape/app/h:2"}}, 0);
  EXPECT_EQ(cause(failing).hypothesis, "") << "another page";
  flat("weir_collector_success", {{"collector", "scrape/app/h:1"}}, 0);
  faults_ = {{core::Error{core::ErrorKind::unavailable, "connection refused", false, "scrape/app/h:1"}, {}}};
  EXPECT_EQ(cause(failing).hypothesis, "own_link_down");
  EXPECT_THAT(cause(failing).sentence, HasSubstr("connection refused"));
  EXPECT_EQ(cause(failing).origin, (Node{"collector", "", "scrape/app/h:1"}));
}

TEST_F(HypothesesTest, WhenNoCheckOfASourceCanBeEvaluatedItIsTheLink) {
  flat("weir_collector_success", {{"collector", "checks/w"}}, 0);
  flat("weir_check_status", check_, 3);
  faults_ = {{core::Error{core::ErrorKind::denied, "password authentication failed", false, "w"}, table_}};
  EXPECT_EQ(cause(alert("TableCheckError", check_)).hypothesis, "check_error") << "one table may be to blame itself";
  flat("weir_check_status", check_.with("dataset", "orders"), 3);
  EXPECT_EQ(cause(alert("TableCheckError", check_)).hypothesis, "own_link_down");
  EXPECT_EQ(cause(alert("TableCheckError", check_)).origin, (Node{"collector", "", "checks/w"}));
  flat("weir_check_status", check_.with("dataset", "users"), 0);
  EXPECT_EQ(cause(alert("TableCheckError", check_)).hypothesis, "check_error") << "another table is seen";
}

TEST_F(HypothesesTest, WhatWasFoundIsTheCauseOfAnAlertThatCountsFindings) {
  const core::Alert pii = alert("PersonalDataInTable", table_.with("kind", "email"));
  event("pii_found", table_.with("kind", "email").with("column", "other").with("dataset", "weekly"),
        "of another table");
  event("pii_found", table_.with("kind", "iban").with("column", "account"), "another kind");
  EXPECT_THAT(cause(pii).sentence, StartsWith("Not known yet"));
  event("pii_found", table_.with("kind", "email").with("column", "note"),
        "Column note of daily in w seems to hold e-mail");
  EXPECT_EQ(cause(pii).hypothesis, "finding_told");
  EXPECT_EQ(cause(pii).sentence, "Column note of daily in w seems to hold e-mail.");

  event("lineage_unknown_node", {{"pipeline", "p"}, {"kind", "unknown_node"}}, "topic prod/ordres is seen by nobody.");
  EXPECT_EQ(cause(alert("PipelineNodeUnknown", {{"kind", "unknown_node"}})).sentence,
            "topic prod/ordres is seen by nobody.");
  EXPECT_NE(cause(alert("TableLate", table_.with("kind", "email"))).hypothesis, "finding_told");
}

}  // namespace
}  // namespace weir::incidents
