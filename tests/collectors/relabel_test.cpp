#include "collectors/relabel.h"

#include <gtest/gtest.h>

#include "collectors/scrape_presets.h"
#include "config/node.h"

namespace weir::collectors {
namespace {

using core::Labels;

class RelabelTest : public testing::Test {
 protected:
  std::vector<RelabelRule> rules(const std::string& yaml) {
    node_ = config::parse_yaml(yaml, "weir.yml", diagnostics_);
    std::vector<const config::Node*> items;
    for (const config::Node& item : node_.items()) items.push_back(&item);
    return parse_relabel_rules(items, "scrape \"x\"", diagnostics_);
  }
  Labels made(const std::string& yaml, const Labels& labels) { return relabel(labels, rules(yaml)); }

  config::Node node_;
  config::Diagnostics diagnostics_;
  const Labels series_{{"__name__", "m"}, {"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
};

TEST_F(RelabelTest, ReplaceTakesGroupsOfTheJoinedLabels) {
  EXPECT_EQ(made("[{source_labels: [a, b], separator: '-', regex: 'f(.*)-(?P<rest>.*)', target_label: 'd', "
                 "replacement: '$1/${2}/$rest/$$/$9'}]",
                 series_)
                .get("d"),
            "oo/bar/bar/$/");
}

TEST_F(RelabelTest, ReplaceThatDoesNotMatchChangesNothingAndAnEmptyOneTakesTheLabelAway) {
  EXPECT_EQ(made("[{source_labels: [a], regex: 'fo', target_label: a, replacement: x}]", series_), series_);
  EXPECT_FALSE(made("[{source_labels: [a], regex: '(f.*)', target_label: b, replacement: ''}]", series_).has("b"));
}

TEST_F(RelabelTest, KeepAndDropLookAtTheWholeValue) {
  EXPECT_EQ(made("[{source_labels: [a], regex: 'foo', action: keep}]", series_), series_);
  EXPECT_TRUE(made("[{source_labels: [a], regex: 'fo', action: keep}]", series_).empty());
  EXPECT_TRUE(made("[{source_labels: [a], regex: 'foo', action: drop}]", series_).empty());
  EXPECT_EQ(made("[{source_labels: [a], regex: 'oo', action: drop}]", series_), series_);
  EXPECT_TRUE(made("[{source_labels: [a], target_label: b, action: keepequal}]", series_).empty());
  EXPECT_EQ(made("[{source_labels: [a], target_label: b, action: dropequal}]", series_), series_);
}

TEST_F(RelabelTest, NamesAreMappedKeptAndDropped) {
  EXPECT_EQ(made("[{regex: '([ab])', replacement: 'x_$1', action: labelmap}]", series_).get("x_b"), "bar");
  EXPECT_EQ(made("[{regex: 'a|b', action: labeldrop}]", series_), (Labels{{"__name__", "m"}, {"c", "baz"}}));
  EXPECT_EQ(made("[{regex: '__name__|c', action: labelkeep}]", series_), (Labels{{"__name__", "m"}, {"c", "baz"}}));
  EXPECT_TRUE(made("[{regex: 'c', action: labelkeep}]", series_).empty()) << "a series without a name";
  EXPECT_EQ(made("[{source_labels: [a], target_label: a, action: uppercase}]", series_).get("a"), "FOO");
}

TEST_F(RelabelTest, MistakesAreNamedAtTheirPlace) {
  rules(
      "[{source_labels: [a], target_label: 1x}, {source_labels: [a], target_label: 'x_$1'}, {regex: '('}, {action: "
      "hashmod, target_label: x}, {action: keepp}, {source_labels: [a]}, {replacment: x}]");
  const std::string text = diagnostics_.to_string();
  for (const char* words : {"weir.yml:1:2: scrape \"x\", metric_relabel_configs: \"1x\" is no label's name",
                            "metric_relabel_configs: \"(\" is no regular expression", "hashmod is for shards", "keepp",
                            "needs a target_label", "did you mean \"replacement\""}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
  EXPECT_NE(text.find("\"keepp\" is not one of"), std::string::npos) << text;
  EXPECT_EQ(text.find("hashmod, "), std::string::npos) << "what is not supported is not offered: " << text;
  EXPECT_EQ(text.find(", hashmod"), std::string::npos) << text;
}

Labels named(const std::string& name) { return Labels{{"__name__", name}, {"clientId", "p1"}}; }

TEST(ScrapePresetTest, OneNameForWhatExportersCallDifferently) {
  const auto rules = preset_rules({"kafka_broker", "kafka_client", "kafka_connect", "spring_kafka"});
  const std::pair<const char*, const char*> cases[] = {
      {"kafka_server_ReplicaManager_UnderReplicatedPartitions", "kafka_broker_under_replicated_partitions"},
      {"kafka_server_replicamanager_underreplicatedpartitions_value", "kafka_broker_under_replicated_partitions"},
      {"kafka_server_BrokerTopicMetrics_MessagesInPerSec_Count", "kafka_broker_messages_in_total"},
      {"kafka_server_brokertopicmetrics_bytesin_total", "kafka_broker_bytes_in_total"},
      {"kafka_network_requestmetrics_totaltimems", "kafka_broker_request_time_milliseconds"},
      {"kafka_network_RequestMetrics_TotalTimeMs_99thPercentile", "kafka_broker_request_time_milliseconds_p99"},
      {"kafka_log_Log_Size_Value", "kafka_broker_log_size_bytes"},
      {"kafka_producer_producer_metrics_record_error_rate", "kafka_producer_record_error_rate"},
      {"kafka_producer_record_error_rate", "kafka_producer_record_error_rate"},
      {"kafka_producer_producer_metrics_batch_size_avg", "kafka_producer_batch_size_avg"},
      {"kafka_consumer_consumer_fetch_manager_metrics_records_lag_max", "kafka_consumer_records_lag_max"},
      {"spring_kafka_listener_seconds_bucket", "consumer_processing_seconds_bucket"},
      {"kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", "kafka_broker_request_handler_idle_ratio"},
      {"kafka_producer_producer_metrics_record_error", "kafka_producer_record_error_total"},
      {"kafka_producer_record_error_total", "kafka_producer_record_error_total"},
      {"kafka_consumer_consumer_coordinator_metrics_failed_rebalance", "kafka_consumer_failed_rebalance_total"},
      {"kafka_connect_sink_task_metrics_put_batch_avg_time_ms", "kafka_connect_sink_task_put_batch_avg_time_ms"},
      {"kafka_connect_connect_worker_metrics_task_startup_failure_total",
       "kafka_connect_worker_task_startup_failure_total"},
      {"kafka_consumer_coordinator_rebalance_rate_per_hour", "kafka_consumer_rebalance_rate_per_hour"}};
  for (const auto& [exposed, name] : cases) {
    const Labels made = relabel(named(exposed), rules);
    EXPECT_EQ(made.name(), name) << exposed;
    EXPECT_EQ(made.get("client_id"), "p1");
    EXPECT_FALSE(made.has("clientId"));
  }
  for (const char* other : {"jvm_memory_bytes_used", "kafka_server_replicamanager_underreplicatedpartitions_x", "up"}) {
    EXPECT_TRUE(relabel(named(other), rules).empty()) << other;
  }
}

TEST(ScrapePresetTest, ABeansNameMayBeALabelAsTheJmxExporterHasItByItself) {
  const auto rules = preset_rules({"kafka_broker"});
  const auto renamed = [&](const char* name, const char* bean, Labels more = {}) {
    return relabel(more.with("__name__", name).with("name", bean), rules);
  };
  EXPECT_EQ(renamed("kafka_server_ReplicaManager_Value", "UnderReplicatedPartitions"),
            Labels::metric("kafka_broker_under_replicated_partitions", {}));
  EXPECT_EQ(renamed("kafka_server_BrokerTopicMetrics_Count", "BytesInPerSec", Labels{{"topic", "orders"}}),
            Labels::metric("kafka_broker_bytes_in_total", {{"topic", "orders"}}));
  EXPECT_EQ(renamed("kafka_network_RequestMetrics_95thPercentile", "TotalTimeMs", Labels{{"request", "Produce"}}),
            Labels::metric("kafka_broker_request_time_milliseconds_p95", {{"request", "Produce"}}));
  EXPECT_EQ(renamed("kafka_server_KafkaRequestHandlerPool_OneMinuteRate", "RequestHandlerAvgIdlePercent"),
            Labels::metric("kafka_broker_request_handler_idle_ratio", {}));
  EXPECT_TRUE(renamed("kafka_server_BrokerTopicMetrics_FiveMinuteRate", "BytesInPerSec").empty());
  EXPECT_TRUE(renamed("kafka_server_ReplicaManager_Value", "Other").empty());
}

TEST(ScrapePresetTest, DisksOfNodeExporterKeepTheirNamesAndLabels) {
  const auto rules = preset_rules({"node_exporter"});
  const Labels disk{{"__name__", "node_filesystem_avail_bytes"}, {"device", "/dev/vda"}, {"mountpoint", "/kafka"}};
  EXPECT_EQ(relabel(disk, rules), disk);
  EXPECT_FALSE(relabel(named("node_filesystem_size_bytes"), rules).empty());
  EXPECT_TRUE(relabel(named("node_cpu_seconds_total"), rules).empty());
}

TEST(ScrapePresetTest, EveryExpressionIsOneAndNoPresetKeepsNothing) {
  for (const ScrapePreset& preset : scrape_presets()) {
    EXPECT_GE(preset_rules({std::string(preset.name)}).size(), preset.metrics.size()) << preset.name;
  }
  EXPECT_TRUE(preset_rules({}).empty());
}

}  // namespace
}  // namespace weir::collectors
