#include "api/metrics_page.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include "core/series_source.h"

namespace weir::api {
namespace {

using namespace std::chrono_literals;
using core::Labels;

core::Time at(int seconds) { return core::Time(std::chrono::seconds(seconds)); }

constexpr std::array<core::MetricInfo, 2> kTable{{{"lag", core::MetricType::gauge, "Messages behind.\nNot \\ bytes."},
                                                  {"checks_total", core::MetricType::counter, "Checks."}}};

std::string line(const Labels& labels, double value) {
  std::string out;
  append_sample_line(out, labels, value);
  return out;
}

std::shared_ptr<const core::Batch> shared(core::Batch batch) {
  return std::make_shared<const core::Batch>(std::move(batch));
}

core::Batch batch(std::vector<std::pair<Labels, double>> samples, core::Time time = at(1000)) {
  core::Batch made;
  for (auto& [labels, value] : samples) made.samples.push_back({std::move(labels), time, value});
  return made;
}

Labels lag(std::string_view cluster, std::string_view topic) {
  return Labels::metric("lag", {{"cluster", cluster}, {"topic", topic}});
}

TEST(SampleLineTest, IsTheExpositionFormat) {
  EXPECT_EQ(line(Labels::metric("up", {}), 1), "up 1\n");
  EXPECT_EQ(line(lag("prod", "orders"), 120), "lag{cluster=\"prod\",topic=\"orders\"} 120\n");
}

TEST(SampleLineTest, ValuesReadBackAsTheyAre) {
  const Labels up = Labels::metric("up", {});
  EXPECT_EQ(line(up, 0.1), "up 0.1\n");
  EXPECT_EQ(line(up, -5), "up -5\n");
  EXPECT_EQ(line(up, 9007199254740993.0), "up 9007199254740992\n");
  EXPECT_EQ(line(up, std::numeric_limits<double>::quiet_NaN()), "up NaN\n");
  EXPECT_EQ(line(up, std::numeric_limits<double>::infinity()), "up +Inf\n");
  EXPECT_EQ(line(up, -std::numeric_limits<double>::infinity()), "up -Inf\n");
  for (const double value : {1e300, 5e-324, 1.0 / 3, 123456789.125, 1e15, -1e21}) {
    const std::string text = line(up, value);
    EXPECT_EQ(std::strtod(text.c_str() + 3, nullptr), value) << text;
  }
}

TEST(SampleLineTest, LabelValuesAreEscaped) {
  EXPECT_EQ(line(Labels::metric("up", {{"g", "a\"b\\c\nd"}}), 1), "up{g=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(SampleLineTest, BytesThatAreNotUtf8CannotSpoilThePage) {
  EXPECT_EQ(line(Labels::metric("up", {{"g", "a\xff\"é"}}), 1), "up{g=\"a\uFFFD\\\"é\"} 1\n");
}

TEST(SampleLineTest, LabelsThatSortBeforeTheNameAreNotLost) {
  EXPECT_EQ(line(Labels::metric("up", {{"Zone", "a"}, {"b", "c"}}), 1), "up{Zone=\"a\",b=\"c\"} 1\n");
}

TEST(MetricsPageTest, GroupsFamiliesUnderOneHeader) {
  MetricsPage page;
  page.describe(kTable);
  page.update("a",
              shared(batch({{lag("prod", "x"), 1}, {Labels::metric("checks_total", {}), 5}, {lag("prod", "y"), 2}})),
              at(1000));
  EXPECT_EQ(page.render(),
            "# HELP checks_total Checks.\n# TYPE checks_total counter\nchecks_total 5\n"
            "# HELP lag Messages behind.\\nNot \\\\ bytes.\n# TYPE lag gauge\n"
            "lag{cluster=\"prod\",topic=\"x\"} 1\nlag{cluster=\"prod\",topic=\"y\"} 2\n");
}

TEST(MetricsPageTest, TwoSourcesOfOneFamilyShareItsHeader) {
  MetricsPage page;
  page.describe(kTable);
  page.update("kafka/prod", shared(batch({{lag("prod", "x"), 1}})), at(1000));
  page.update("kafka/test", shared(batch({{lag("test", "x"), 2}})), at(1000));
  EXPECT_EQ(page.render(),
            "# HELP lag Messages behind.\\nNot \\\\ bytes.\n# TYPE lag gauge\n"
            "lag{cluster=\"prod\",topic=\"x\"} 1\nlag{cluster=\"test\",topic=\"x\"} 2\n");
}

TEST(MetricsPageTest, ACycleReplacesOnlyItsOwnSource) {
  MetricsPage page;
  page.update("a", shared(batch({{lag("prod", "x"), 1}, {lag("prod", "gone"), 1}})), at(1000));
  page.update("b", shared(batch({{lag("test", "x"), 2}})), at(1000));
  page.update("a", shared(batch({{lag("prod", "x"), 7}})), at(1015));
  EXPECT_EQ(page.render(), "lag{cluster=\"prod\",topic=\"x\"} 7\nlag{cluster=\"test\",topic=\"x\"} 2\n");
}

TEST(MetricsPageTest, WhatCouldNotBeSeenStaysAWhile) {
  MetricsPage page;
  page.update("a", shared(batch({{lag("prod", "x"), 1}, {lag("prod", "y"), 2}}, at(1000))), at(1000));
  core::Batch partial = batch({{lag("prod", "x"), 3}}, at(1015));
  partial.faults.push_back({{}, Labels{{"topic", "y"}}});
  page.update("a", shared(partial), at(1015));
  EXPECT_EQ(page.render(), "lag{cluster=\"prod\",topic=\"y\"} 2\nlag{cluster=\"prod\",topic=\"x\"} 3\n");
  partial.samples[0].time = at(1301);
  page.update("a", shared(partial), at(1301));
  EXPECT_EQ(page.render(), "lag{cluster=\"prod\",topic=\"x\"} 3\n") << "what is old must not look fresh";
}

TEST(MetricsPageTest, AFaultDoesNotKeepWhatIsOutsideItsScope) {
  MetricsPage page;
  page.update("a", shared(batch({{lag("prod", "x"), 1}, {lag("prod", "y"), 2}})), at(1000));
  core::Batch partial = batch({}, at(1015));
  partial.faults.push_back({{}, Labels{{"topic", "y"}}});
  page.update("a", shared(partial), at(1015));
  EXPECT_EQ(page.render(), "lag{cluster=\"prod\",topic=\"y\"} 2\n");
}

TEST(MetricsPageTest, AFaultWithoutAScopeKeepsEverythingButShowsNothingTwice) {
  MetricsPage page;
  page.update("a", shared(batch({{lag("prod", "x"), 1}, {lag("prod", "y"), 2}})), at(1000));
  core::Batch partial = batch({{lag("prod", "y"), 9}}, at(1015));
  partial.faults.emplace_back();
  page.update("a", shared(partial), at(1015));
  EXPECT_EQ(page.render(), "lag{cluster=\"prod\",topic=\"x\"} 1\nlag{cluster=\"prod\",topic=\"y\"} 9\n");
}

TEST(MetricsPageTest, ASourceThatStopsComingIsDropped) {
  MetricsPage page;
  page.update("a", shared(batch({{lag("prod", "x"), 1}})), at(1000));
  page.update("b", shared(batch({{lag("test", "x"), 2}})), at(1200));
  page.drop_older_than(at(1300), 5min);
  EXPECT_NE(page.render().find("prod"), std::string::npos);
  page.drop_older_than(at(1301), 5min);
  EXPECT_EQ(page.render(), "lag{cluster=\"test\",topic=\"x\"} 2\n");
}

TEST(MetricsPageTest, StalenessMarkersAndNamelessSamplesAreLeftOut) {
  MetricsPage page;
  page.update("a", shared(batch({{lag("prod", "x"), core::stale_marker()}, {Labels{{"a", "b"}}, 1}})), at(1000));
  EXPECT_EQ(page.render(), "");
}

TEST(MetricsPageTest, ARequestUnderWayKeepsThePageItBegan) {
  MetricsPage page;
  page.update("a", shared(batch({{lag("prod", "x"), 1}})), at(1000));
  const auto held = page.pieces();
  page.update("a", shared(batch({{lag("prod", "x"), 2}})), at(1015));
  std::string text;
  for (const auto& piece : held) text += *piece;
  EXPECT_EQ(text, "lag{cluster=\"prod\",topic=\"x\"} 1\n");
}

TEST(MetricsPageTest, ReadersAndWritersMayWorkAtOnce) {
  MetricsPage page;
  page.describe(kTable);
  std::jthread writer([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i)
      page.update(i % 2 == 0 ? "a" : "b", shared(batch({{lag("prod", i % 2 == 0 ? "x" : "y"), 1}})), at(1000 + i));
  });
  for (int i = 0; i < 1000; ++i) {
    const std::string text = page.render();
    EXPECT_TRUE(text.empty() || text.starts_with("# HELP lag ")) << text;
  }
}

TEST(MetricsPageTest, AHistogramsSeriesStandTogetherUnderItsName) {
  constexpr std::array<core::MetricInfo, 2> kHistogram{
      {{"took_seconds", core::MetricType::histogram, "How long."}, {"row_count", core::MetricType::gauge, "Rows."}}};
  MetricsPage page;
  page.describe(kHistogram);
  page.update("a",
              shared(batch({{Labels::metric("took_seconds_bucket", {{"le", "1"}}), 2},
                            {Labels::metric("took_seconds_bucket", {{"le", "+Inf"}}), 3},
                            {Labels::metric("took_seconds_sum", {}), 4.5},
                            {Labels::metric("took_seconds_count", {}), 3},
                            {Labels::metric("row_count", {}), 7}})),
              at(1000));
  EXPECT_EQ(page.render(),
            "# HELP row_count Rows.\n# TYPE row_count gauge\nrow_count 7\n"
            "# HELP took_seconds How long.\n# TYPE took_seconds histogram\n"
            "took_seconds_bucket{le=\"1\"} 2\ntook_seconds_bucket{le=\"+Inf\"} 3\ntook_seconds_sum 4.5\n"
            "took_seconds_count 3\n");
}

}  // namespace
}  // namespace weir::api
