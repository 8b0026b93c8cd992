#include "runtime/self_metrics.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "runtime/clock.h"

namespace weir::runtime {
namespace {

constexpr std::array<core::MetricInfo, 3> kTable{{
    {"weir_notifications_total", core::MetricType::counter, "Notifications."},
    {"weir_incidents_open", core::MetricType::gauge, "Open incidents."},
    {"weir_took_seconds", core::MetricType::histogram, "How long it took."},
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

TEST(SelfMetricsTest, HistogramsBeginAtNothingAndCountUpToEachBound) {
  SelfMetrics metrics(kTable);
  metrics.observe("weir_took_seconds", {{"severity", "info"}}, std::nullopt);
  EXPECT_EQ(values(metrics).at(R"(weir_took_seconds_count{severity="info"})"), 0);
  EXPECT_EQ(values(metrics).at(R"(weir_took_seconds_bucket{le="+Inf",severity="info"})"), 0);
  for (const double seconds : {3.0, 40.0, 1e6}) metrics.observe("weir_took_seconds", {{"severity", "info"}}, seconds);
  const auto found = values(metrics);
  EXPECT_EQ(found.at(R"(weir_took_seconds_bucket{le="5",severity="info"})"), 1);
  EXPECT_EQ(found.at(R"(weir_took_seconds_bucket{le="30",severity="info"})"), 1);
  EXPECT_EQ(found.at(R"(weir_took_seconds_bucket{le="60",severity="info"})"), 2);
  EXPECT_EQ(found.at(R"(weir_took_seconds_bucket{le="+Inf",severity="info"})"), 3);
  EXPECT_EQ(found.at(R"(weir_took_seconds_sum{severity="info"})"), 1'000'043);
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
