#include "app/lineage_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::app {
namespace {

using namespace std::chrono_literals;

const core::Time kNow{std::chrono::seconds(1'700'000'000)};

class FixedClock final : public runtime::Clock {
 public:
  core::Time now() const override { return kNow; }
  std::chrono::steady_clock::time_point steady() const override { return {}; }
};

/// Series by name, each with one newest value.
class FixedSeries final : public core::SeriesSource {
 public:
  std::vector<std::pair<core::Labels, double>> all;
  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override {
    std::vector<core::SeriesView> views;
    for (const auto& [labels, value] : all) {
      if (labels.name() == selection.matchers.at(0).value) views.push_back({labels, {{selection.to, value}}});
    }
    return views;
  }
};

std::optional<double> value(const core::Batch& batch, const std::string& text) {
  for (const core::Sample& sample : batch.samples) {
    if (sample.labels.to_string() == text) return sample.value;
  }
  return std::nullopt;
}

core::Alert firing(core::Labels labels) {
  core::Alert alert;
  alert.labels = std::move(labels);
  alert.state = core::AlertState::firing;
  return alert;
}

class LineageServiceTest : public testing::Test {
 protected:
  LineageServiceTest() {
    config::Diagnostics diagnostics;
    LineageSettings settings;
    settings.pipelines = lineage::parse_pipelines(
        config::parse_yaml("- {name: money, owner: finance, criticality: high, sla: {freshness: 1h, latency: 5m}, "
                           "flow: [topic:p/orders, group:p/a, group:p/b, table:w/facts, table:w/mart]}",
                           "weir.yml", diagnostics),
        diagnostics);
    settings.catalogs = lineage::parse_catalogs(
        config::parse_yaml("- {type: datahub, url: \"https://dh\", platforms: {w: postgres}}", "weir.yml", diagnostics),
        diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    service_.emplace(std::move(settings), clock_);
  }
  core::Batch refresh(core::Duration later = 0s, const std::vector<core::Alert>& alerts = {}) {
    core::Batch batch;
    service_->refresh(series_, alerts, kNow + later, batch);
    return batch;
  }

  FixedClock clock_;
  FixedSeries series_;
  std::optional<LineageService> service_;
};

TEST_F(LineageServiceTest, LabelsNameNodes) {
  EXPECT_EQ(node_of_labels(core::Labels{{"cluster", "p"}, {"topic", "t"}, {"consumergroup", "g"}}),
            (core::Node{"consumer group", "p", "g"}));
  EXPECT_EQ(node_of_labels(core::Labels{{"cluster", "p"}, {"topic", "t"}}), (core::Node{"topic", "p", "t"}));
  EXPECT_EQ(node_of_labels(core::Labels{{"source", "w"}, {"dataset", "s.orders [recent]"}}),
            (core::Node{"table", "w", "s.orders"}));
  EXPECT_EQ(node_of_labels(core::Labels{{"job_namespace", "airflow"}, {"job_name", "load"}}),
            (core::Node{"job", "airflow", "load"}));
  EXPECT_EQ(node_of_labels(core::Labels{{"connector", "sink"}, {"task", "0"}, {"cluster", "c"}}),
            (core::Node{"connector", "c", "sink"}));
}

TEST_F(LineageServiceTest, APipelinesSlaIsMeasured) {
  const auto fresh = [&](const char* table, const char* column, double age) {
    series_.all.emplace_back(core::Labels::metric("weir_dataset_freshness_seconds",
                                                  {{"source", "w"}, {"dataset", table}, {"column", column}}),
                             age);
  };
  fresh("facts", "created", 900);
  fresh("facts", "updated", 60);  // of one table the newest counts
  fresh("mart", "at", 300);       // of several the stalest
  fresh("other", "at", 99999);
  for (const auto& [group, lag] : {std::pair{"a", 10.0}, std::pair{"b", 20.0}, std::pair{"c", 500.0}})
    series_.all.emplace_back(
        core::Labels::metric("kafka_consumergroup_group_lag_seconds", {{"cluster", "p"}, {"consumergroup", group}}),
        lag);
  const core::Batch batch =
      refresh(0s, {firing(core::Labels{{"cluster", "p"}, {"topic", "orders"}, {"severity", "page"}}),
                   firing(core::Labels{{"cluster", "p"}, {"topic", "none"}, {"severity", "page"}})});
  EXPECT_EQ(value(batch, R"(weir_pipeline_freshness_seconds{pipeline="money"})"), 300);
  EXPECT_EQ(value(batch, R"(weir_pipeline_latency_seconds{pipeline="money"})"), 30);
  EXPECT_EQ(value(batch, R"(weir_pipeline_stalest_table_seconds{dataset="mart",pipeline="money",source="w"})"), 300);
  EXPECT_EQ(value(batch, R"(weir_pipeline_slowest_group_seconds{cluster="p",consumergroup="b",pipeline="money"})"), 20);
  EXPECT_EQ(value(batch, R"(weir_pipeline_sla_seconds{pipeline="money",sla="latency"})"), 300);
  EXPECT_EQ(value(batch, R"(weir_pipeline_info{criticality="high",owner="finance",pipeline="money"})"), 1);
  EXPECT_EQ(value(batch, R"(weir_pipeline_alerts_firing{pipeline="money",severity="critical"})"), 1);
  EXPECT_EQ(value(batch, R"(weir_pipeline_alerts_firing{pipeline="money",severity="warning"})"), 0);
}

TEST_F(LineageServiceTest, UnknownNodesAreFoundOnceAllWasSeenAndToldOnce) {
  service_->expect({"kafka/p", "checks/w"});
  series_.all.emplace_back(core::Labels::metric("kafka_topic_partitions", {{"cluster", "p"}, {"topic", "orders"}}), 1);
  const std::string unknown = R"(weir_lineage_findings{kind="unknown_node"})";
  service_->take("kafka/p", {}, kNow);
  const core::Batch of_kafka = refresh();
  EXPECT_EQ(value(of_kafka, unknown), 2) << "of topics and groups; the tables were not looked at";
  ASSERT_EQ(of_kafka.events.size(), 2U);
  EXPECT_EQ(of_kafka.events[0].kind, "lineage_unknown_node");
  service_->miss("checks/w");
  EXPECT_EQ(value(refresh(20s), unknown), 2) << "nor could they be";
  core::Batch partly;
  partly.faults.push_back({});
  service_->take("checks/w", partly, kNow);
  EXPECT_EQ(value(refresh(40s), unknown), 2) << "nor were all of them";
  service_->take("checks/w", {}, kNow);
  const core::Batch found = refresh(60s);
  EXPECT_EQ(value(found, unknown), 4);
  EXPECT_EQ(found.events.size(), 2U);
  EXPECT_TRUE(refresh(80s).events.empty());
}

TEST_F(LineageServiceTest, WhatCannotBeSeenForAWhileIsNoUnknownNode) {
  service_->expect({"kafka/p"});
  for (const char* topic : {"orders", "other"})
    series_.all.emplace_back(core::Labels::metric("kafka_topic_partitions", {{"cluster", "p"}, {"topic", topic}}), 1);
  service_->take("kafka/p", {}, kNow);
  const std::string unknown = R"(weir_lineage_findings{kind="unknown_node"})";
  EXPECT_EQ(value(refresh(), unknown), 4);
  series_.all.clear();
  service_->miss("kafka/p");
  EXPECT_EQ(value(refresh(20s), unknown), 0) << "nothing can be told";
  EXPECT_TRUE(service_->view()->nodes[*service_->view()->find({"topic", "p", "orders"})].known);
  service_->take("kafka/p", {}, kNow);
  EXPECT_EQ(value(refresh(40s), unknown), 5) << "now it is gone";
}

TEST_F(LineageServiceTest, AlertsAreAnnotatedWithWhatTheyReach) {
  const core::Labels said = service_->annotations(core::Labels{{"source", "w"}, {"dataset", "facts"}});
  EXPECT_EQ(said.get("downstream"), "table mart in w");
  EXPECT_EQ(said.get("pipeline"), "money");
  EXPECT_EQ(said.get("pipeline_owner"), "finance");
  EXPECT_EQ(said.get("pipeline_criticality"), "high");
  EXPECT_EQ(said.get("catalog"),
            "https://dh/dataset/urn%3Ali%3Adataset%3A%28urn%3Ali%3AdataPlatform%3Apostgres%2Cfacts%2CPROD%29");
  EXPECT_TRUE(service_->annotations(core::Labels{{"collector", "kafka/p"}}).empty());
}

TEST_F(LineageServiceTest, NothingIsReceivedUnlessItIsWanted) {
  EXPECT_EQ(service_->make_collector(nullptr), nullptr);
  EXPECT_FALSE(service_->access().receive);
  LineageSettings settings;
  settings.openlineage.emplace();
  settings.openlineage->receive = true;
  settings.openlineage->token = core::Secret("t");
  LineageService receiving(std::move(settings), clock_);
  EXPECT_NE(receiving.make_collector(nullptr), nullptr);
  EXPECT_TRUE(receiving.access().receive);
  EXPECT_EQ(receiving.access().token.reveal(), "t");
  EXPECT_FALSE(receiving.access().receive("{"));
}

}  // namespace
}  // namespace weir::app
