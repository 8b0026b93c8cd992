#include "runtime/self_metrics.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "runtime/clock.h"

namespace weir::runtime {
namespace {

constexpr std::array<core::MetricInfo, 2> kTable{{
    {"weir_notifications_total", core::MetricType::counter, "Notifications."},
    {"weir_incidents_open", core::MetricType::gauge, "Open incidents."},
}};

std::map<std::string, double> values(const SelfMetrics& metrics, core::Time now = {}) {
  std::vector<core::Sample> samples;
  metrics.append_samples(samples, now);
  std::map<std::string, double> found;
  for (const core::Sample& sample : samples) found[sample.labels.to_string()] = sample.value;
  return found;
}

TEST(SelfMetricsTest, CountersAddUpByLabels) {
  SelfMetrics metrics(kTable);
  metrics.add("weir_notifications_total", {{"receiver", "team"}, {"outcome", "delivered"}});
  metrics.add("weir_notifications_total", {{"outcome", "delivered"}, {"receiver", "team"}}, 2);
  metrics.add("weir_notifications_total", {{"receiver", "team"}, {"outcome", "dead"}}, 0);
  const auto found = values(metrics);
  EXPECT_EQ(found.at(R"(weir_notifications_total{outcome="delivered",receiver="team"})"), 3);
  EXPECT_EQ(found.at(R"(weir_notifications_total{outcome="dead",receiver="team"})"), 0);
}

TEST(SelfMetricsTest, GaugesKeepTheLastValue) {
  SelfMetrics metrics(kTable);
  metrics.set("weir_incidents_open", {}, 3);
  metrics.set("weir_incidents_open", {}, 1);
  EXPECT_EQ(values(metrics).at("weir_incidents_open"), 1);
}

TEST(SelfMetricsTest, NamesOutsideTheTableAddNothing) {
  SelfMetrics metrics(kTable);
  const std::size_t before = values(metrics).size();
  metrics.add("unknown_total", {});
  metrics.set("weir_notifications_total", {}, 1);  // a counter is not set
  EXPECT_EQ(values(metrics).size(), before);
}

TEST(SelfMetricsTest, TheProcessIsMeasured) {
  const SelfMetrics metrics(kTable);
  const core::Time now = SystemClock().now();
  const auto found = values(metrics, now);
  EXPECT_GT(found.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(found.at("process_open_fds"), 2);
  EXPECT_GT(found.at("process_cpu_seconds_total"), 0);
  EXPECT_LT(found.at("process_start_time_seconds"), core::to_seconds(now) + 2);
  EXPECT_GT(found.at("process_start_time_seconds"), core::to_seconds(now) - 3600);
}

TEST(SelfMetricsTest, EverythingEmittedIsDescribed) {
  SelfMetrics metrics(kTable);
  metrics.set("weir_incidents_open", {}, 3);
  std::vector<core::Sample> samples;
  metrics.append_samples(samples, {});
  for (const core::Sample& sample : samples) {
    EXPECT_TRUE(std::ranges::any_of(metrics.metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

}  // namespace
}  // namespace weir::runtime
