#include "kafka/metric_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MetricSettingsTest : public testing::Test {
 protected:
  MetricSettings metrics(const std::string& text) {
    return parse_metrics(config::parse_yaml(text, "weir.yml", diagnostics_), diagnostics_, "metrics");
  }
  StatusSettings status(const std::string& text) {
    return parse_status(config::parse_yaml(text, "weir.yml", diagnostics_), diagnostics_, "status");
  }
  std::vector<std::string> mistakes() const {
    std::vector<std::string> all;
    for (const auto& error : diagnostics_.errors()) all.push_back(error.message);
    return all;
  }
  config::Diagnostics diagnostics_;
};

TEST_F(MetricSettingsTest, NothingGivenIsEverySeriesAndNoLimit) {
  const MetricSettings settings = metrics("");
  EXPECT_TRUE(settings.partition_topics.admits("orders"));
  EXPECT_TRUE(settings.partition_groups.admits("billing"));
  EXPECT_EQ(settings.max_series, 0U);
  EXPECT_FALSE(settings.members);
  EXPECT_FALSE(settings.compat.kminion);
  EXPECT_EQ(status("").window, std::chrono::minutes(10));
  EXPECT_THAT(mistakes(), ElementsAre());
}

TEST_F(MetricSettingsTest, ReadsAllOfIt) {
  const MetricSettings settings = metrics(
      "per_partition: {topics: {deny: ['^logs']}, groups: {allow: ['^billing']}}\n"
      "max_series: 60000\nmembers: true\ncompat: [kminion, burrow]\n");
  EXPECT_FALSE(settings.partition_topics.admits("logs.app"));
  EXPECT_TRUE(settings.partition_topics.admits("orders"));
  EXPECT_FALSE(settings.partition_groups.admits("search"));
  EXPECT_EQ(settings.max_series, 60'000U);
  EXPECT_TRUE(settings.members);
  EXPECT_TRUE(settings.compat.kminion);
  EXPECT_TRUE(settings.compat.burrow);
  EXPECT_FALSE(settings.compat.kafka_lag_exporter);
  const StatusSettings judged = status("{window: 5m, min_lag: 100}");
  EXPECT_EQ(judged.window, std::chrono::minutes(5));
  EXPECT_EQ(judged.min_lag, 100);
  EXPECT_THAT(mistakes(), ElementsAre());
}

TEST_F(MetricSettingsTest, MistakesAreNamed) {
  metrics("per_partition: {topics: {deny: ['(']}, group: {}}\nmax_series: 5\ncompat: [kminon]\n");
  status("{window: 10s, min_lag: -1}");
  EXPECT_THAT(mistakes(),
              testing::UnorderedElementsAre(
                  HasSubstr("missing )"), HasSubstr("\"group\""), HasSubstr("max_series"),
                  HasSubstr("\"kminon\" is not one of burrow, kafka_exporter, kafka_lag_exporter, kminion (did "
                            "you mean \"kminion\"?)"),
                  HasSubstr("must be from 1m to 1d"), HasSubstr("min_lag")));
}

}  // namespace
}  // namespace weir::kafka
