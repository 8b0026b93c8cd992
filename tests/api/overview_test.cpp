#include "api/overview.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"

namespace weir::api {
namespace {

using namespace std::chrono_literals;
using core::AlertState;
using core::Labels;
using nlohmann::json;

core::Time at(int seconds) { return core::Time(std::chrono::seconds(seconds)); }

class OverviewTest : public testing::Test {
 protected:
  json page() { return json::parse(overview(fake_.backend(), FakeBackend::now())); }
  void add(std::string_view metric, std::initializer_list<Labels::Pair> labels, double value,
           core::Time time = at(995)) {
    fake_.series.add(Labels::metric(metric, labels), time, value);
  }
  void add_group(std::string_view group, double lag) {
    add("kafka_consumergroup_group_lag", {{"cluster", "prod"}, {"consumergroup", group}}, lag);
  }
  FakeBackend fake_;
};

TEST_F(OverviewTest, OfNothingEveryListIsEmpty) {
  const json found = page();
  EXPECT_EQ(found["now"], 1000.0);
  EXPECT_EQ(found["version"], "0.1.0");
  EXPECT_EQ(found["uptime_seconds"], 12.5);
  for (const char* list :
       {"collectors", "clusters", "groups", "topics", "dead_letters", "subjects", "tables", "alerts", "incidents"}) {
    EXPECT_EQ(found[list], json::array()) << list;
  }
  EXPECT_EQ(found["truncated"], false);
  EXPECT_EQ(found["error"], nullptr);
}

TEST_F(OverviewTest, ACollectorThatHasNotRunIsNeitherGoodNorBad) {
  fake_.collectors = {
      {.name = "kafka/prod", .ran = true, .success = true, .last_success = at(999), .duration = 210ms, .error = ""},
      {.name = "kafka/test",
       .ran = true,
       .success = false,
       .last_success = {},
       .duration = 10s,
       .error = "connection refused"},
      {.name = "checks/db", .ran = false, .success = false, .last_success = {}, .duration = {}, .error = ""}};
  EXPECT_EQ(page()["collectors"], json::parse(R"([
    {"name":"kafka/prod","success":true,"last_success":999.0,"duration_seconds":0.21,"error":null},
    {"name":"kafka/test","success":false,"last_success":null,"duration_seconds":10.0,"error":"connection refused"},
    {"name":"checks/db","success":null,"last_success":null,"duration_seconds":0.0,"error":null}])"));
}

TEST_F(OverviewTest, ShowsAGroup) {
  const std::initializer_list<Labels::Pair> billing{{"cluster", "prod"}, {"consumergroup", "billing"}};
  fake_.series.add(Labels::metric("kafka_consumergroup_group_lag", billing),
                   {{at(970), 90}, {at(985), 100}, {at(999), 120}});
  add("kafka_consumergroup_members", billing, 2);
  add("kafka_consumergroup_messages_lost", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}, 3);
  add("kafka_consumergroup_messages_lost", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "clicks"}}, 4);
  add("kafka_consumergroup_state", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"state", "Stable"}}, 1);
  add("kafka_consumergroup_state", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"state", "Empty"}}, 0);
  add("kafka_consumergroup_lag_sum", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}, 120);
  add("kafka_consumergroup_uncommitted_partitions",
      {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}, 2);
  add("kafka_consumergroup_uncommitted_partitions",
      {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "clicks"}}, 1);
  add("kafka_topic_partitions", {{"cluster", "prod"}, {"topic", "orders"}}, 6);
  add("kafka_consumergroup_info", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"kind", "streams"}}, 1);
  add("kafka_consumergroup_status", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"status", "WARN"}}, 1);
  add("kafka_consumergroup_group_lag_seconds", billing, 42);
  add("kafka_consumergroup_group_lag_seconds_error",
      {{"cluster", "prod"}, {"consumergroup", "billing"}, {"method", "at_least"}}, 0);
  add("kafka_consumergroup_catch_up_seconds", billing, 300);
  for (const auto& [name, margin] : {std::pair{"orders", 7200.0}, std::pair{"clicks", 3600.0}}) {
    add("kafka_consumergroup_retention_margin_seconds",
        {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", name}}, margin);
  }
  fake_.alerts = {alert("Slow", AlertState::pending, Labels{{"cluster", "prod"}, {"consumergroup", "billing"}}),
                  alert("KafkaConsumerLagHigh", AlertState::firing,
                        Labels{{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}),
                  alert("Other", AlertState::firing, Labels{{"cluster", "test"}, {"consumergroup", "billing"}})};
  EXPECT_EQ(page()["groups"],
            json::parse(R"([{"cluster":"prod","group":"billing","state":"Stable","members":2.0,"lag":120.0,
    "kind":"streams","status":"WARN","lag_seconds":42.0,"lag_seconds_at_least":true,"catch_up_seconds":300.0,
    "retention_margin_seconds":3600.0,"messages_lost":7.0,"uncommitted_partitions":3.0,"alert":"firing","trend":[[970.0,90.0],[985.0,100.0],[999.0,120.0]],
    "topics":[{"topic":"orders","lag":120.0,"partitions":6.0,"uncommitted_partitions":2.0}]}])"));
}

TEST_F(OverviewTest, WhatIsUnknownIsNullAndNotZero) {
  add("kafka_consumergroup_state", {{"cluster", "prod"}, {"consumergroup", "billing"}, {"state", "Empty"}}, 1);
  add("kafka_topic_partitions", {{"cluster", "prod"}, {"topic", "orders"}}, 6);
  add("kafka_brokers", {{"cluster", "prod"}}, 3);
  const json found = page();
  const json& group = found["groups"][0];
  EXPECT_EQ(group["state"], "Empty");
  for (const char* key : {"lag", "members", "messages_lost", "uncommitted_partitions", "alert", "kind", "status",
                          "lag_seconds", "catch_up_seconds", "retention_margin_seconds"})
    EXPECT_EQ(group[key], nullptr) << key;
  for (const char* key :
       {"messages", "records_per_second", "under_replicated", "offline", "under_min_isr", "newest_record_age_seconds"})
    EXPECT_EQ(found["topics"][0][key], nullptr) << key;
  for (const char* key : {"under_replicated", "offline", "groups_over_cap"})
    EXPECT_EQ(found["clusters"][0][key], nullptr) << key;
}

TEST_F(OverviewTest, ASeriesThatEndedOrIsOldIsNotShown) {
  add_group("fresh", 1);
  add("kafka_consumergroup_group_lag", {{"cluster", "prod"}, {"consumergroup", "old"}}, 5, at(699));
  fake_.series.add(Labels::metric("kafka_consumergroup_group_lag", {{"cluster", "prod"}, {"consumergroup", "deleted"}}),
                   {{at(980), 5}, {at(995), core::stale_marker()}});
  const json found = page();
  ASSERT_EQ(found["groups"].size(), 1U);
  EXPECT_EQ(found["groups"][0]["group"], "fresh");
}

TEST_F(OverviewTest, AnotherProgramsMetricOfTheSameNameIsNoGroup) {
  add_group("fresh", 1);
  add("kafka_consumergroup_group_lag", {{"cluster_name", "prod"}, {"group", "fresh"}, {"partition", "0"}}, 5, at(1000));
  const json found = page();
  ASSERT_EQ(found["groups"].size(), 1U);
  EXPECT_EQ(found["groups"][0]["lag"], 1);
}

TEST_F(OverviewTest, ClustersSumTheirTopics) {
  add("kafka_brokers", {{"cluster", "prod"}}, 3);
  add("kafka_topic_under_replicated_partitions", {{"cluster", "prod"}, {"topic", "a"}}, 2);
  add("kafka_topic_under_replicated_partitions", {{"cluster", "prod"}, {"topic", "b"}}, 1);
  add("kafka_topic_offline_partitions", {{"cluster", "prod"}, {"topic", "a"}}, 0);
  add("kafka_consumergroups_over_cap", {{"cluster", "prod"}}, 12);
  EXPECT_EQ(
      page()["clusters"],
      json::parse(R"([{"cluster":"prod","brokers":3.0,"groups_over_cap":12.0,"under_replicated":3.0,"offline":0.0}])"));
}

TEST_F(OverviewTest, ShowsADeadLetterTopicWithTheAlertsAboutItAlone) {
  const std::initializer_list<Labels::Pair> topic{{"cluster", "prod"}, {"topic", "user.clicks.dlt"}};
  add("kafka_dead_letter_messages", topic, 3);
  add("kafka_dead_letter_messages_per_second", topic, 0.5);
  add("kafka_dead_letter_newest_message_age_seconds", topic, 4.5);
  add("kafka_dead_letter_sampled_messages",
      {{"cluster", "prod"},
       {"topic", "user.clicks.dlt"},
       {"origin", "user.clicks"},
       {"exception", "SerializationException"}},
      3);
  fake_.alerts = {alert("Lag", AlertState::firing, Labels(topic).with("consumergroup", "repair")),
                  alert("DeadLetters", AlertState::pending, Labels(topic))};
  EXPECT_EQ(page()["dead_letters"],
            json::parse(R"([{"cluster":"prod","topic":"user.clicks.dlt","messages":3.0,"messages_per_second":0.5,
    "newest_age_seconds":4.5,
    "reasons":[{"origin":"user.clicks","exception":"SerializationException","component":"","messages":3.0}],"alert":"pending","trend":[[995.0,3.0]]}])"));
}

TEST_F(OverviewTest, ShowsASubject) {
  const std::initializer_list<Labels::Pair> subject{{"registry", "main"}, {"subject", "OrderPlaced-value"}};
  add("schema_registry_subject_versions", subject, 3);
  add("schema_registry_subject_latest_version", subject, 4);
  add("schema_registry_subject_compatible", subject, 0);
  add("schema_registry_subject_compatibility_level",
      {{"registry", "main"}, {"subject", "OrderPlaced-value"}, {"level", "BACKWARD"}}, 1);
  fake_.alerts = {alert("SchemaIncompatible", AlertState::firing, Labels(subject))};
  EXPECT_EQ(page()["subjects"],
            json::parse(R"([{"registry":"main","subject":"OrderPlaced-value","versions":3.0,"latest_version":4.0,
    "compatibility":"BACKWARD","compatible":false,"candidate_compatible":null,"alert":"firing"}])"));
}

TEST_F(OverviewTest, ShowsATableWithItsChecks) {
  add("weir_dataset_row_count", {{"source", "db"}, {"dataset", "fct"}}, 1200);
  add("weir_dataset_freshness_seconds", {{"source", "db"}, {"dataset", "fct"}, {"column", "loaded_at"}}, 12);
  add("weir_dataset_freshness_seconds", {{"source", "db"}, {"dataset", "fct"}, {"column", "created_at"}}, 900);
  add("weir_check_status", {{"source", "db"}, {"dataset", "fct"}, {"check", "row_count > 0"}}, 2);
  add("weir_check_value", {{"source", "db"}, {"dataset", "fct"}, {"check", "row_count > 0"}}, 0);
  add("weir_check_status", {{"source", "db"}, {"dataset", "gone"}, {"check", "row_count > 0"}}, 3);
  fake_.alerts = {alert("CheckFailed", AlertState::firing,
                        Labels{{"source", "db"}, {"dataset", "fct"}, {"check", "row_count > 0"}})};
  const json found = page()["tables"];
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["row_count"], 1200);
  EXPECT_EQ(found[0]["freshness_seconds"], 900);
  EXPECT_EQ(found[0]["alert"], "firing");
  EXPECT_EQ(found[0]["scan_reused"], nullptr);
  EXPECT_EQ(found[0]["checks"], json::parse(R"([{"check":"row_count > 0","outcome":"fail","value":0.0,"expected":null,
    "low":null,"high":null,"score":null,"state":null,"owner":null,"severity":null,"dimension":null,"alert":"firing"}])"));
  EXPECT_EQ(found[1]["row_count"], nullptr);
  EXPECT_EQ(found[1]["checks"][0]["outcome"], "error");
  EXPECT_EQ(found[1]["alert"], nullptr);
}

TEST_F(OverviewTest, ACheckHasItsExpectedRangeAndWhoseItIs) {
  const auto about = [&](std::string_view metric, double value) {
    add(metric, {{"source", "db"}, {"dataset", "fct"}, {"check", "anomaly detection for row_count"}}, value);
  };
  add("weir_dataset_scan_reused", {{"source", "db"}, {"dataset", "fct"}}, 1);
  add("weir_dataset_row_count", {{"source", "db"}, {"dataset", "fct"}}, 300);
  about("weir_check_status", 2);
  about("weir_check_value", 300);
  about("weir_check_expected", 1000);
  about("weir_check_expected_low", 900);
  about("weir_check_expected_high", 1100);
  about("weir_check_anomaly_score", -21);
  add("weir_check_anomaly_state",
      {{"source", "db"}, {"dataset", "fct"}, {"check", "anomaly detection for row_count"}, {"state", "anomalous"}}, 1);
  add("weir_check_info",
      {{"source", "db"}, {"dataset", "fct"}, {"check", "anomaly detection for row_count"}, {"owner", "finance"}}, 1);
  const json found = page()["tables"];
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["scan_reused"], true);
  EXPECT_EQ(found[0]["checks"], json::parse(R"([{"check":"anomaly detection for row_count","outcome":"fail",
    "value":300.0,"expected":1000.0,"low":900.0,"high":1100.0,"score":-21.0,"state":"anomalous","owner":"finance",
    "severity":null,"dimension":null,"alert":null}])"));
}

TEST_F(OverviewTest, ATrendHasAtMost60PointsAndEndsWithTheNewest) {
  std::vector<core::Point> points;
  for (int t = 101; t <= 1000; t += 1) points.push_back({at(t), static_cast<double>(t)});
  fake_.series.add(Labels::metric("kafka_consumergroup_group_lag", {{"cluster", "prod"}, {"consumergroup", "g"}}),
                   points);
  const json trend = page()["groups"][0]["trend"];
  EXPECT_LE(trend.size(), 60U);
  EXPECT_GE(trend.size(), 50U);
  EXPECT_EQ(trend.back(), json::parse("[1000.0, 1000.0]"));
  EXPECT_LT(trend.front()[0], 130.0);
}

TEST_F(OverviewTest, ManyGroupsAreCutToTheWorstAndSayingSo) {
  for (int i = 0; i < 600; ++i) add_group(fmt::format("g{:03}", i), i);
  const json found = page();
  ASSERT_EQ(found["groups"].size(), 500U);
  EXPECT_EQ(found["groups"][0]["lag"], 599);
  EXPECT_EQ(found["truncated"], true);
}

TEST_F(OverviewTest, TotalsAreOfAllThatIsThereAndNotOfTheCutLists) {
  double lag = 0;
  for (int i = 0; i < 600; ++i) {
    add_group(fmt::format("g{:03}", i), i);
    lag += i;
    fake_.alerts.push_back(alert("Pending", AlertState::pending, Labels{{"n", std::to_string(i)}}));
  }
  fake_.alerts.push_back(
      alert("Lag", AlertState::firing, Labels{{"cluster", "prod"}, {"consumergroup", "g000"}}));  // of one cut off
  const json found = page();
  ASSERT_EQ(found["groups"].size(), 500U);
  EXPECT_EQ(found["totals"]["groups"], 600);
  EXPECT_EQ(found["totals"]["lag"], lag);
  EXPECT_EQ(found["totals"]["firing_groups"], 1);
  EXPECT_EQ(found["totals"]["pending"], 600);
  EXPECT_EQ(found["totals"]["firing"], 1);
}

TEST_F(OverviewTest, TotalsOfNothingAreThereAndZero) {
  const json totals = page()["totals"];
  EXPECT_EQ(totals, json::parse(R"({"firing":0,"pending":0,"open_incidents":0,"resolved_incidents":0,"groups":0,
    "lag":0.0,"firing_groups":0,"topics":0,"records_per_second":0.0,"dead_letter_topics":0,"dead_letters":0.0,
    "firing_dead_letter_topics":0,"subjects":0,"broken_subjects":0,"tables":0,"failing_tables":0})"));
}

TEST_F(OverviewTest, OfManyAlertsTheFiringOnesAreShown) {
  for (int i = 0; i < 600; ++i)
    fake_.alerts.push_back(alert("Pending", AlertState::pending, Labels{{"n", std::to_string(i)}}));
  fake_.alerts.push_back(alert("Firing", AlertState::firing, {}));
  const json found = page()["alerts"];
  ASSERT_EQ(found.size(), 500U);
  EXPECT_EQ(found[0]["name"], "Firing");
}

TEST_F(OverviewTest, ShowsAlertsAndIncidents) {
  fake_.alerts = {
      alert("KafkaConsumerLagHigh", AlertState::firing, Labels{{"cluster", "prod"}, {"severity", "critical"}})};
  core::Incident incident;
  incident.id = "00000000000000aa";
  incident.title = "Lag";
  incident.severity = "critical";
  incident.cause = "stopped";
  incident.opened_at = at(900);
  incident.alerts = {fake_.alerts[0], fake_.alerts[0]};
  incident.timeline = {{at(900), "opened", "It began."}};
  fake_.incidents = {incident};
  const json found = page();
  EXPECT_EQ(
      found["alerts"],
      json::parse(
          R"([{"fingerprint":"9f86d081884c7d65","name":"KafkaConsumerLagHigh","state":"firing","severity":"critical",
    "summary":"about KafkaConsumerLagHigh","labels":{"alertname":"KafkaConsumerLagHigh","cluster":"prod","severity":"critical"},
    "annotations":{"summary":"about KafkaConsumerLagHigh"},"value":12000.0,"active_since":900.0,"suppressed":null}])"));
  EXPECT_EQ(
      found["incidents"],
      json::parse(
          R"([{"id":"00000000000000aa","title":"Lag","severity":"critical","open":true,"opened_at":900.0,"resolved_at":null,
    "began_at":null,"time_to_detect_seconds":null,"time_to_acknowledge_seconds":null,"time_to_resolve_seconds":null,"owner":"",
    "acknowledged_by":"","acknowledged_at":null,"merged_into":"",
    "reasons":{"hypothesis":"","score":0.0,"evidence":[],"origin":null,"affected":[]},"cause":"stopped","labels":{},"alerts":["KafkaConsumerLagHigh"],"timeline":[{"at":900.0,"kind":"opened","text":"It began."}],"lineage":null}])"));
}

TEST_F(OverviewTest, NumbersThatJsonLacksAndBytesThatAreNotTextDoNotBreakIt) {
  add_group("a\xff", std::numeric_limits<double>::quiet_NaN());
  add("kafka_dead_letter_messages", {{"cluster", "p"}, {"topic", "t"}}, std::numeric_limits<double>::infinity());
  const json found = page();
  EXPECT_EQ(found["groups"][0]["group"], "a\uFFFD");
  EXPECT_EQ(found["groups"][0]["lag"], nullptr);
}

TEST_F(OverviewTest, AStoreThatFailsIsSaidNotShownAsEmpty) {
  fake_.series.break_down();
  EXPECT_EQ(page()["error"], "more than 1000 series");
}

}  // namespace
}  // namespace weir::api
