#include "incidents/causes.h"

#include <gmock/gmock.h>

#include "rules/memory_source.h"

namespace weir::incidents {
namespace {

using core::Labels;
using test::at;
using testing::HasSubstr;

constexpr double kNow = 3600;

class Causes : public testing::Test {
 protected:
  static core::Alert alert(const char* rule, std::initializer_list<Labels::Pair> labels, double active_for = 60) {
    core::Alert alert;
    alert.rule = rule;
    alert.labels = Labels(labels).with("alertname", rule);
    alert.state = core::AlertState::firing;
    alert.active_at = at(kNow - active_for);
    return alert;
  }

  /// A series whose value is start + slope · seconds, a point every 15 s of the last `span` seconds.
  void line(const char* metric, std::initializer_list<Labels::Pair> labels, double start, double slope,
            double span = 300) {
    for (double s = 0; s <= span; s += 15) {
      source_.add(Labels::metric(metric, labels), at(kNow - span + s), start + slope * s);
    }
  }
  void event(const char* kind, std::initializer_list<Labels::Pair> labels, const char* message, double before = 60) {
    events_.push_back({at(kNow - before), kind, Labels(labels), message});
  }

  Cause cause(const core::Alert& of) { return likely_cause({of}, {source_, events_, at(kNow), faults_}); }

  test::MemorySource source_;
  std::vector<core::Event> events_;
  std::vector<core::Fault> faults_;
  const core::Alert lag_ =
      alert("KafkaConsumerLagHigh", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}});
};

TEST_F(Causes, WithoutEvidenceTheThingIsStillNamed) {
  const Cause found = cause(lag_);
  EXPECT_EQ(found.score, 0);
  EXPECT_EQ(found.sentence, "Not known yet; it concerns consumer group billing in prod.");
}

TEST_F(Causes, AGroupWithoutMembersIsDown) {
  line("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "billing"}}, 0, 0);
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("Consumer group billing in prod has no members"));
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("on orders"));
}

TEST_F(Causes, AnEmptyStateIsDownToo) {
  line("kafka_consumergroup_state", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"state", "Empty"}}, 1, 0);
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("(state Empty)"));
}

TEST_F(Causes, AStateThatEndedNoLongerCounts) {
  const auto state = [](const char* name) {
    return Labels::metric("kafka_consumergroup_state",
                          {{"cluster", "prod"}, {"consumergroup", "billing"}, {"state", name}});
  };
  source_.add(state("Empty"), at(kNow - 60), 1);
  source_.end(state("Empty"), at(kNow - 45));
  source_.add(state("Stable"), at(kNow - 45), 1);
  EXPECT_EQ(cause(lag_).score, 0);
}

TEST_F(Causes, MembersOfAnotherClusterSayNothing) {
  line("kafka_consumergroup_members", {{"cluster", "staging"}, {"consumergroup", "billing"}}, 0, 0);
  EXPECT_EQ(cause(lag_).score, 0);
}

TEST_F(Causes, CommitsThatStandStillWhileMessagesArriveAreStuck) {
  line("kafka_consumergroup_current_offset",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 500, 0);
  line("kafka_consumergroup_lag",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 10'000, 20);
  const Cause found = cause(lag_);
  EXPECT_EQ(
      found.sentence,
      "Consumer group billing in prod has committed nothing on orders for 1m15s while 1,500 messages arrived: its "
      "consumers are stuck or stopped.");
}

TEST_F(Causes, CommitsThatStandStillWithoutTrafficAreNoFault) {
  line("kafka_consumergroup_current_offset",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 500, 0);
  line("kafka_consumergroup_lag",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 10'000, 0);
  EXPECT_EQ(cause(lag_).score, 0);
}

TEST_F(Causes, CommitsBehindTheTrafficAreTooSlow) {
  for (const char* partition : {"0", "1"}) {
    line("kafka_consumergroup_current_offset",
         {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", partition}}, 500, 10);
    line("kafka_consumergroup_lag",
         {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", partition}}, 10'000, 5);
  }
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("is too slow on orders: it reads 20 messages a second while 30 arrive"));
}

TEST_F(Causes, ACatchingUpGroupIsNotTooSlow) {
  line("kafka_consumergroup_current_offset",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 500, 30);
  line("kafka_consumergroup_lag",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 20'000, -10);
  EXPECT_EQ(cause(lag_).score, 0);
}

TEST_F(Causes, ASurgeExplainsASlowGroup) {
  line("kafka_consumergroup_current_offset",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 500, 10);
  line("kafka_consumergroup_lag",
       {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"partition", "0"}}, 10'000, 90);
  const Labels rate = Labels::metric("kafka_topic_records_per_second", {{"cluster", "prod"}, {"topic", "orders"}});
  for (double s = 1800; s <= kNow; s += 15) source_.add(rate, at(s), s < kNow - 60 ? 10 : 100);
  EXPECT_EQ(cause(lag_).sentence, "Traffic on orders in prod rose 10-fold, from 10 to 100 records a second.");
}

TEST_F(Causes, OrdinaryTrafficIsNoSurge) {
  line("kafka_topic_records_per_second", {{"cluster", "prod"}, {"topic", "orders"}}, 10, 0.01, 1800);
  EXPECT_EQ(cause(lag_).score, 0);
}

TEST_F(Causes, LostMessagesAreExplainedByRetention) {
  line("kafka_consumergroup_messages_lost", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}},
       1234567, 0);
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("Retention deleted 1,234,567 messages on orders before consumer group"));
}

TEST_F(Causes, DeadLettersArePoisonMessagesOfTheSourceTopic) {
  line("kafka_dead_letter_messages", {{"cluster", "prod"}, {"topic", "user.clicks.dlt"}}, 3, 0);
  const core::Alert dead = alert("KafkaDeadLetterMessages", {{"cluster", "prod"}, {"topic", "user.clicks.dlt"}});
  EXPECT_THAT(cause(dead).sentence, HasSubstr("The consumers of user.clicks in prod cannot process some messages"));
  EXPECT_THAT(cause(dead).sentence, HasSubstr("user.clicks.dlt now holds 3"));
  event("schema_incompatible", {{"subject", "user.clicks-value"}}, "version 7 dropped a field.");
  EXPECT_THAT(cause(dead).sentence, HasSubstr("version 7 dropped a field."));
}

TEST_F(Causes, DeadLettersNameTheirCommonestReason) {
  line("kafka_dead_letter_messages", {{"cluster", "prod"}, {"topic", "orders-errors"}}, 50, 0);
  const auto reason = [&](const char* origin, const char* exception, double count) {
    line("kafka_dead_letter_sampled_messages",
         {{"cluster", "prod"},
          {"topic", "orders-errors"},
          {"origin", origin},
          {"exception", exception},
          {"component", "connector sink-pg"}},
         count, 0);
  };
  reason("orders", "org.apache.kafka.common.errors.SerializationException", 27);
  reason("orders", "java.io.IOException", 3);
  reason("other", "other", 20);
  const core::Alert dead = alert("KafkaDeadLetterMessages", {{"cluster", "prod"}, {"topic", "orders-errors"}});
  EXPECT_EQ(
      cause(dead).sentence,
      "The consumers of orders in prod cannot process some messages (poison messages): orders-errors now holds 50. "
      "27 of the last 50 come from topic orders: SerializationException in connector sink-pg.");
  event("dead_letter_reason",
        {{"cluster", "prod"},
         {"topic", "orders-errors"},
         {"origin", "orders"},
         {"component", "connector sink-pg"},
         {"exception", "org.apache.kafka.common.errors.SerializationException"},
         {"message", "Unknown magic byte!"}},
        "…");
  EXPECT_THAT(cause(dead).sentence, HasSubstr("SerializationException in connector sink-pg: Unknown magic byte!"));
  event("schema_incompatible", {{"subject", "orders-value"}}, "version 7 dropped a field.");
  EXPECT_THAT(cause(dead).sentence, HasSubstr("version 7 dropped a field. 27 of the last 50"));
}

TEST_F(Causes, ReasonsOfAnEarlierWindowOfDeadLettersAreNotAddedToTheNewest) {
  line("kafka_dead_letter_messages", {{"cluster", "prod"}, {"topic", "orders.dlt"}}, 71, 0);
  const auto reason = [&](const char* exception, double count, double before) {
    source_.add(
        Labels::metric("kafka_dead_letter_sampled_messages",
                       {{"cluster", "prod"}, {"topic", "orders.dlt"}, {"origin", "orders"}, {"exception", exception}}),
        at(kNow - before), count);
  };
  reason("java.io.IOException", 61, 60);
  reason("java.net.SocketTimeoutException", 46, 15);
  reason("java.lang.IllegalStateException", 4, 15);
  const core::Alert dead = alert("KafkaDeadLetterMessages", {{"cluster", "prod"}, {"topic", "orders.dlt"}});
  EXPECT_THAT(cause(dead).sentence, HasSubstr("46 of the last 50 come from topic orders: SocketTimeoutException."));
}

TEST_F(Causes, OnlyDeadLettersWithoutAReasonNameNone) {
  line("kafka_dead_letter_messages", {{"cluster", "prod"}, {"topic", "orders.dlt"}}, 50, 0);
  line("kafka_dead_letter_sampled_messages", {{"cluster", "prod"}, {"topic", "orders.dlt"}, {"exception", "unknown"}},
       50, 0);
  const core::Alert dead = alert("KafkaDeadLetterMessages", {{"cluster", "prod"}, {"topic", "orders.dlt"}});
  EXPECT_TRUE(cause(dead).sentence.ends_with("orders.dlt now holds 50."));
}

TEST_F(Causes, ABrokerThatLeftExplainsMissingReplicas) {
  const core::Alert weak = alert("KafkaTopicUnderReplicated", {{"cluster", "prod"}, {"topic", "orders"}});
  line("kafka_topic_under_replicated_partitions", {{"cluster", "prod"}, {"topic", "orders"}}, 3, 0);
  for (double s = 0; s <= 600; s += 15) {
    source_.add(Labels::metric("kafka_brokers", {{"cluster", "prod"}}), at(kNow - 600 + s), s < 300 ? 3 : 2);
  }
  EXPECT_THAT(cause(weak).sentence, HasSubstr("1 of 3 brokers of prod left"));
}

TEST_F(Causes, AnIncompatibleVersionIsNamedWithItsLevelAndTheRegistrysWord) {
  line("schema_registry_subject_compatible", {{"registry", "main"}, {"subject", "OrderPlaced-value"}}, 0, 0);
  line("schema_registry_subject_latest_version", {{"registry", "main"}, {"subject", "OrderPlaced-value"}}, 4, 0);
  line("schema_registry_subject_compatibility_level",
       {{"registry", "main"}, {"subject", "OrderPlaced-value"}, {"level", "BACKWARD"}}, 1, 0);
  event("schema_incompatible", {{"registry", "main"}, {"subject", "OrderPlaced-value"}},
        "Field channel has no default.");
  const core::Alert broken = alert("SchemaIncompatible", {{"registry", "main"}, {"subject", "OrderPlaced-value"}});
  EXPECT_EQ(cause(broken).sentence,
            "An incompatible producer: version 4 of OrderPlaced-value is incompatible with the version before it under "
            "BACKWARD. Field channel has no default.");
}

TEST_F(Causes, AnIncompatibleCandidateIsNotBlamedOnTheNewestVersion) {
  line("schema_registry_subject_compatible", {{"registry", "main"}, {"subject", "S-value"}}, 1, 0);
  line("schema_registry_candidate_compatible", {{"registry", "main"}, {"subject", "S-value"}}, 0, 0);
  const core::Alert candidate = alert("SchemaCandidateIncompatible", {{"registry", "main"}, {"subject", "S-value"}});
  EXPECT_THAT(cause(candidate).sentence, HasSubstr("The candidate schema of S-value is incompatible"));
  event("schema_candidate_incompatible", {{"registry", "main"}, {"subject", "S-value"}}, "It dropped field y.");
  EXPECT_THAT(cause(candidate).sentence, HasSubstr("It dropped field y."));
  line("schema_registry_subject_compatible", {{"registry", "main"}, {"subject", "T-value"}}, 0, 0);
  line("schema_registry_candidate_compatible", {{"registry", "main"}, {"subject", "T-value"}}, 0, 0);
  const core::Alert broken = alert("SchemaIncompatible", {{"registry", "main"}, {"subject", "T-value"}});
  EXPECT_THAT(cause(broken).sentence, HasSubstr("An incompatible producer")) << "whatever its candidate is";
}

TEST_F(Causes, ACandidateHarmsNoTopicAndNoTable) {
  const std::initializer_list<Labels::Pair> about{
      {"registry", "main"}, {"cluster", "prod"}, {"topic", "orders"}, {"subject", "orders-value"}};
  event("schema_candidate_incompatible", about, "The candidate orders.avsc drops field y.");
  const core::Alert lag =
      alert("KafkaConsumerLagHigh", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}});
  EXPECT_EQ(cause(lag).score, 0);
  const core::Alert letters = alert("KafkaDeadLetterMessages", {{"cluster", "prod"}, {"topic", "orders.dlt"}});
  line("kafka_dead_letter_messages", {{"cluster", "prod"}, {"topic", "orders.dlt"}}, 4, 0);
  EXPECT_THAT(cause(letters).sentence, testing::Not(HasSubstr("schema")));
  EXPECT_FALSE(cause(letters).origin);
}

TEST_F(Causes, WhatARegistryFoundIsSaidInItsWords) {
  const std::initializer_list<Labels::Pair> subject{{"registry", "main"}, {"subject", "S-value"}};
  const core::Alert loose =
      alert("SchemaLevelLoosened", {{"registry", "main"}, {"subject", "S-value"}, {"finding", "level_loosened"}});
  EXPECT_EQ(cause(loose).score, 0);
  event("schema_level_loosened", subject, "The level went from FULL to NONE.");
  EXPECT_EQ(cause(loose).sentence, "The level went from FULL to NONE.");
  const core::Alert drift =
      alert("SchemaMessagesUndecodable", {{"registry", "main"}, {"cluster", "prod"}, {"topic", "orders"}});
  event("schema_drift", {{"registry", "main"}, {"cluster", "prod"}, {"topic", "payments"}}, "not this topic");
  EXPECT_EQ(cause(drift).score, 0);
  event("schema_drift", {{"registry", "main"}, {"cluster", "prod"}, {"topic", "orders"}}, "3 carry no id.");
  EXPECT_EQ(cause(drift).sentence, "3 carry no id.");
  const core::Alert table = alert(
      "SchemaTableDrift", {{"registry", "main"}, {"subject", "S-value"}, {"source", "dwh"}, {"dataset", "orders"}});
  event("schema_table_drift", {{"registry", "main"}, {"subject", "S-value"}, {"source", "dwh"}, {"dataset", "orders"}},
        "field x has no column.");
  EXPECT_EQ(cause(table).sentence, "field x has no column.");
}

TEST_F(Causes, ANewSchemaOfTheTopicMayExplainItsReaders) {
  const core::Alert lag =
      alert("KafkaConsumerLagHigh", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}});
  event("schema_incompatible", {{"cluster", "prod"}, {"topic", "orders"}, {"subject", "orders-value"}},
        "Version 4 of orders-value is incompatible with version 3 under BACKWARD: it removed field y.");
  EXPECT_EQ(cause(lag).sentence,
            "The readers of orders may fail on a new schema: Version 4 of orders-value is incompatible with version 3 "
            "under BACKWARD: it removed field y.");
  event("schema_incompatible",
        {{"registry", "main"}, {"cluster", "prod"}, {"topic", "clicks"}, {"subject", "clicks-value"}}, "Version 2 …");
  const core::Alert other =
      alert("KafkaConsumerLagHigh", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "clicks"}});
  EXPECT_EQ(cause(other).origin, (core::Node{"subject", "main", "clicks-value"}));
}

class TableCauses : public Causes {
 protected:
  core::Alert check(const char* name) {
    return alert("TableCheckFailed", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", name}});
  }
};

TEST_F(TableCauses, AStaleTableIsALateLoadWhateverItsCheckIsCalled) {
  line("weir_dataset_freshness_seconds", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"column", "at"}}, 4000,
       1);
  const char* late =
      "Nothing new has arrived in fct_orders in warehouse for 1h11m40s: its load is late or has stopped.";
  EXPECT_EQ(cause(check("freshness(at) < 1h")).sentence, late);
  EXPECT_EQ(cause(check("the load runs")).score, 0);
  line("weir_check_value", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "the load runs"}}, 4000, 1);
  EXPECT_EQ(cause(check("the load runs")).sentence, late);
}

TEST_F(TableCauses, HalfTheRowsAreAPartialLoad) {
  const Labels rows = Labels::metric("weir_dataset_row_count", {{"source", "warehouse"}, {"dataset", "fct_orders"}});
  for (double s = 0; s <= kNow; s += 60) source_.add(rows, at(s), s < kNow - 120 ? 1200 : 600);
  event("check_failed", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "complete"}},
        "fct_orders: check \"complete\" failed: change of row_count is -50%");
  EXPECT_EQ(cause(check("complete")).sentence,
            "fct_orders in warehouse holds 600 rows, 50 % of the 1,200 it had: its last load was partial.");
}

TEST_F(TableCauses, NoRowsAreAFailedLoad) {
  line("weir_dataset_row_count", {{"source", "warehouse"}, {"dataset", "fct_orders"}}, 0, 0);
  EXPECT_THAT(cause(check("row_count > 0")).sentence, HasSubstr("fct_orders in warehouse is empty"));
}

TEST_F(TableCauses, RowsOfATableDoNotExplainAnotherKindOfCheck) {
  line("weir_dataset_row_count", {{"source", "warehouse"}, {"dataset", "fct_orders"}}, 1200, -1);
  event("check_failed", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "no gaps"}},
        "missing_count is 4");
  EXPECT_EQ(cause(check("no gaps")).sentence, "Data of fct_orders in warehouse: missing_count is 4");
}

TEST_F(TableCauses, ACheckThatCannotBeEvaluatedIsExplainedByItsError) {
  const std::initializer_list<Labels::Pair> labels{
      {"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "freshness(at) < 1h"}};
  line("weir_dataset_freshness_seconds", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"column", "at"}}, 4000,
       1);
  line("weir_dataset_row_count", {{"source", "warehouse"}, {"dataset", "fct_orders"}}, 1200, -3);
  line("weir_check_status", labels, 3, 0);
  const core::Error denied{core::ErrorKind::denied, "permission denied for table fct_orders", false, "warehouse"};
  faults_ = {{denied, Labels{{"source", "warehouse"}, {"dataset", "daily"}}}};
  EXPECT_THAT(cause(check("freshness(at) < 1h")).sentence, HasSubstr("Not known yet")) << "another table's error";
  faults_ = {{denied, Labels{{"source", "warehouse"}, {"dataset", "fct_orders"}}}};
  EXPECT_EQ(cause(check("freshness(at) < 1h")).sentence,
            "Check \"freshness(at) < 1h\" of fct_orders in warehouse cannot be evaluated: permission denied for table "
            "fct_orders");
  faults_.push_back({core::Error{core::ErrorKind::not_found, "the table is empty", false, ""},
                     Labels(labels).with(core::kMetricName, "weir_check_value"), true});
  EXPECT_THAT(cause(check("freshness(at) < 1h")).sentence, testing::EndsWith("cannot be evaluated: the table is empty"))
      << "the check's own is closer than the table's";
}

TEST_F(TableCauses, WithoutAFaultTheEventTellsTheError) {
  line("weir_check_status", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "c"}}, 3, 0);
  event("check_failed", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "c"}, {"outcome", "error"}},
        "fct_orders: check \"c\": max(a) could not be evaluated: the table is empty");
  EXPECT_THAT(cause(check("c")).sentence, testing::EndsWith("could not be evaluated: the table is empty"));
}

TEST_F(TableCauses, WhatFailedExplainsMoreThanWhatCannotBeEvaluated) {
  line("weir_dataset_row_count", {{"source", "warehouse"}, {"dataset", "fct_orders"}}, 0, 0);
  line("weir_check_status", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "row_count > 0"}}, 2, 0);
  line("weir_check_status", {{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "max(a) < 5"}}, 3, 0);
  faults_ = {{core::Error{core::ErrorKind::not_found, "the table is empty", false, ""},
              Labels{{"source", "warehouse"}, {"dataset", "fct_orders"}, {"check", "max(a) < 5"}}, true}};
  const Surroundings around{source_, events_, at(kNow), faults_};
  EXPECT_THAT(likely_cause({check("max(a) < 5"), check("row_count > 0")}, around).sentence,
              HasSubstr("is empty: its load failed"));
}

TEST_F(Causes, WeirsOwnLinkIsNamedForItsCollector) {
  line("weir_collector_success", {{"collector", "kafka/prod"}}, 0, 0);
  line("weir_collector_last_success_timestamp_seconds", {{"collector", "kafka/prod"}}, core::to_seconds(at(kNow - 180)),
       0);
  EXPECT_THAT(cause(alert("WeirCollectorFailing", {{"collector", "kafka/prod"}})).sentence,
              HasSubstr("Weir itself has not seen prod completely for 3m (collector kafka/prod)"));
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("collector kafka/prod"));
  EXPECT_EQ(cause(alert("X", {{"cluster", "staging"}})).score, 0) << "another cluster's link is fine";
}

TEST_F(Causes, TheOwnLinksErrorIsQuoted) {
  line("weir_collector_success", {{"collector", "kafka/prod"}}, 0, 0);
  const std::vector<core::Fault> faults = {
      {{core::ErrorKind::unavailable, "another one", false, "kafka/staging"}, {}},
      {{core::ErrorKind::unavailable, "no value", false, "kafka/prod"}, {}, true},
      {{core::ErrorKind::denied, "consumer group x: access denied", false, "kafka/prod"}, {{"cluster", "prod"}}}};
  const core::Alert alert = this->alert("WeirCollectorFailing", {{"collector", "kafka/prod"}});
  EXPECT_THAT(likely_cause({alert}, {source_, events_, at(kNow), faults}).sentence,
              testing::EndsWith("(collector kafka/prod): consumer group x: access denied"));
}

TEST_F(Causes, LostMessagesComeBeforeAGroupThatIsDown) {
  line("kafka_consumergroup_messages_lost", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}, 7,
       0);
  line("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "billing"}}, 0, 0);
  core::Alert lost = lag_;
  lost.rule = "KafkaMessagesLost";
  EXPECT_EQ(cause(lost).sentence,
            "Retention deleted 7 messages on orders before consumer group billing read them: it is further behind than "
            "the topic keeps. It has no members: its consumers are down.");
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("has no members"));
}

TEST_F(Causes, AGroupOfConsumersAssignedByHandIsNotDownForWantOfMembers) {
  line("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "billing"}}, 0, 0);
  line("kafka_consumergroup_info", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"kind", "simple"}}, 1, 0);
  EXPECT_EQ(cause(lag_).score, 0);
}

TEST_F(Causes, ARegistryOfTheSameNameIsAnotherLink) {
  line("weir_collector_success", {{"collector", "schema_registry/prod"}}, 0, 0);
  line("weir_collector_success", {{"collector", "checks/warehouse-2"}}, 0, 0);
  EXPECT_EQ(cause(lag_).score, 0);
  EXPECT_GT(cause(alert("X", {{"registry", "prod"}})).score, 0);
  EXPECT_GT(cause(alert("X", {{"source", "warehouse"}})).score, 0);
  EXPECT_EQ(cause(alert("X", {{"source", "ware"}})).score, 0);
}

TEST_F(Causes, WhatIsMeasuredComesBeforeTheOwnLink) {
  line("weir_collector_success", {{"collector", "kafka/prod"}}, 0, 0);
  line("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "billing"}}, 0, 0);
  EXPECT_THAT(cause(lag_).sentence, HasSubstr("has no members"));
}

TEST_F(Causes, ASourceThatFailsIsNoEvidence) {
  line("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "billing"}}, 0, 0);
  source_.broken = true;
  EXPECT_EQ(cause(lag_).score, 0);
}

TEST_F(Causes, AlertsWithoutAnyKnownLabelHarmNoHypothesis) {
  line("weir_collector_success", {{"collector", ""}}, 0, 0);
  line("kafka_dead_letter_messages", {{"cluster", "prod"}, {"topic", "x.dlt"}}, 3, 0);
  line("weir_check_value", {{"check", "c"}}, 0, 0);
  EXPECT_EQ(cause(alert("Odd", {})).sentence, "Not known yet; it concerns alert Odd.");
}

TEST_F(Causes, OnlyFiringAlertsAreExamined) {
  line("kafka_consumergroup_members", {{"cluster", "prod"}, {"consumergroup", "billing"}}, 0, 0);
  core::Alert ended = lag_;
  ended.state = core::AlertState::inactive;
  EXPECT_EQ(cause(ended).sentence, "");
}

TEST(Hypotheses, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Hypothesis& hypothesis : hypotheses()) EXPECT_TRUE(names.insert(hypothesis.name).second);
  EXPECT_GE(names.size(), 12U);
}

TEST(NumberText, GroupsThousands) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(999), "999");
  EXPECT_EQ(number_text(1000), "1,000");
  EXPECT_EQ(number_text(-1234567), "-1,234,567");
  EXPECT_EQ(number_text(-999), "-999");
  EXPECT_EQ(number_text(12.34), "12.3");
  EXPECT_EQ(number_text(1234.5678), "1,235");
}

TEST_F(Causes, AFailedTaskIsToldWithItsErrorAndTheTopicsThatStandStill) {
  const core::Alert failed =
      alert("KafkaConnectTaskFailed", {{"cluster", "prod"}, {"connector", "cdc"}, {"task", "0"}});
  EXPECT_EQ(cause(failed).score, 0) << "nothing says that it failed";
  line("kafka_connect_task_state", {{"cluster", "prod"}, {"connector", "cdc"}, {"task", "0"}, {"state", "FAILED"}}, 1,
       0);
  line("kafka_connect_connector_state",
       {{"cluster", "prod"}, {"connector", "cdc"}, {"type", "source"}, {"state", "RUNNING"}}, 1, 0);
  EXPECT_EQ(cause(failed).sentence,
            "Task 0 of connector cdc failed. Nothing new is written to its topics until it is restarted.");
  line("kafka_connect_connector_info",
       {{"cluster", "prod"}, {"connector", "cdc"}, {"class", "x"}, {"debezium", "postgresql"}}, 1, 0);
  for (const char* topic : {"e", "d", "c", "b", "a"}) {
    line("kafka_connect_connector_topic",
         {{"cluster", "prod"}, {"connector", "cdc"}, {"type", "source"}, {"topic", topic}}, 1, 0);
  }
  event("connector_task_failed", {{"cluster", "staging"}, {"connector", "cdc"}, {"task", "0"}}, "another cluster's", 5);
  event("connector_task_failed", {{"cluster", "prod"}, {"connector", "cdc"}, {"task", "0"}},
        "Task 0 of connector cdc failed on w:8083: PSQLException: no slot");
  EXPECT_EQ(cause(failed).sentence,
            "Debezium (postgresql): Task 0 of connector cdc failed on w:8083: PSQLException: no slot. Nothing new is "
            "written to topics a, b, c and 2 others until it is restarted.");
}

TEST_F(Causes, AFailedSinkLeavesItsTopicsUnread) {
  const core::Alert failed = alert("KafkaConnectorFailed", {{"connector", "sink"}, {"type", "sink"}});
  line("kafka_connect_connector_state", {{"connector", "sink"}, {"type", "sink"}, {"state", "FAILED"}}, 1, 0);
  line("kafka_connect_connector_topic", {{"connector", "sink"}, {"type", "sink"}, {"topic", "clicks"}}, 1, 0);
  EXPECT_EQ(cause(failed).sentence,
            "Connector sink failed. What is in topic clicks does not reach its sink until it is restarted.");
}

TEST_F(Causes, AFailedRunIsToldAsItsServiceTellsIt) {
  const core::Alert failed = alert("PipelineRunFailed", {{"system", "prefect"}, {"pipeline", "nightly"}});
  EXPECT_EQ(cause(failed).score, 0);
  event("pipeline_run_failed", {{"system", "prefect"}, {"pipeline", "nightly"}},
        "A run of nightly (prefect) failed: no rows");
  EXPECT_EQ(cause(failed).sentence, "A run of nightly (prefect) failed: no rows");
}

}  // namespace
}  // namespace weir::incidents
