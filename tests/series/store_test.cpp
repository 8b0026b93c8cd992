#include "series/store.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

namespace weir::series {
namespace {

using namespace std::chrono_literals;

const core::Time kStart = core::time_from_seconds(1'000'000);

core::Labels lag(std::string_view group) { return core::Labels::metric("lag", {{"cluster", "c"}, {"group", group}}); }

core::Batch batch(core::Time now, std::initializer_list<std::pair<std::string_view, double>> groups) {
  core::Batch made;
  for (const auto& [group, value] : groups) made.samples.push_back({lag(group), now, value});
  return made;
}

class StoreTest : public testing::Test {
 protected:
  std::vector<core::SeriesView> select(std::vector<core::Matcher> matchers, bool newest_only = false) {
    return store_
        .select({.matchers = std::move(matchers), .from = kStart - 24h, .to = kStart + 24h, .newest_only = newest_only})
        .value();
  }
  std::vector<core::SeriesView> group(std::string value) {
    return select({{"group", core::MatchOp::equal, std::move(value)}});
  }

  Store store_{{.retention = 1h, .max_series = 100}};
};

TEST_F(StoreTest, ASeriesTheSourceNoLongerGivesEnds) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}, {"b", 2}}), kStart);
  const IngestReport report = store_.ingest("kafka", batch(kStart + 15s, {{"a", 3}}), kStart + 15s);
  EXPECT_EQ(report.stale, 1U);
  EXPECT_TRUE(core::is_stale_marker(group("b")[0].points.back().value));
  EXPECT_EQ(group("a")[0].points.back().value, 3);
}

TEST_F(StoreTest, AnotherSourcesBatchEndsNothing) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}}), kStart);
  EXPECT_EQ(store_.ingest("checks", batch(kStart, {{"z", 1}}), kStart).stale, 0U);
  EXPECT_EQ(group("a")[0].points.size(), 1U);
}

TEST_F(StoreTest, WhatAFaultCoversKeepsItsStateUntilItIsSeenToBeGone) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}, {"b", 2}}), kStart);
  core::Batch partial = batch(kStart + 15s, {});
  partial.faults.push_back({{}, core::Labels{{"cluster", "c"}, {"group", "b"}}});
  EXPECT_EQ(store_.ingest("kafka", partial, kStart + 15s).stale, 1U);
  EXPECT_FALSE(core::is_stale_marker(group("b")[0].points.back().value));
  EXPECT_EQ(store_.ingest("kafka", batch(kStart + 30s, {}), kStart + 30s).stale, 1U);
  EXPECT_TRUE(core::is_stale_marker(group("b")[0].points.back().value));
}

TEST_F(StoreTest, AFaultWithoutScopeCoversEverything) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}}), kStart);
  core::Batch nothing;
  nothing.faults.push_back({});
  EXPECT_EQ(store_.ingest("kafka", nothing, kStart + 15s).stale, 0U);
}

TEST_F(StoreTest, SamplesThatAreNotLaterAreCountedAndDropped) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}}), kStart);
  EXPECT_EQ(store_.ingest("kafka", batch(kStart, {{"a", 2}}), kStart).out_of_order, 1U);
  EXPECT_EQ(group("a")[0].points.size(), 1U);
}

TEST_F(StoreTest, NewSeriesPastTheLimitAreRefusedAndOldOnesGoOn) {
  core::Batch many;
  for (int i = 0; i < 150; ++i) many.samples.push_back({lag("g" + std::to_string(i)), kStart, 1});
  const IngestReport report = store_.ingest("kafka", many, kStart);
  EXPECT_EQ(report.appended, 100U);
  EXPECT_EQ(report.over_limit, 50U);
  EXPECT_EQ(store_.stats().series, 100U);
}

TEST_F(StoreTest, SelectsWithEveryKindOfMatcher) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}, {"ab", 2}, {"b", 3}}), kStart);
  using enum core::MatchOp;
  EXPECT_EQ(select({{"group", equal, "a"}}).size(), 1U);
  EXPECT_EQ(select({{"group", not_equal, "a"}}).size(), 2U);
  EXPECT_EQ(select({{"group", regex, "a.?"}}).size(), 2U);
  EXPECT_EQ(select({{"group", not_regex, "a.?"}}).size(), 1U);
  EXPECT_EQ(select({{"group", equal, "a"}, {"cluster", equal, "other"}}).size(), 0U);
  EXPECT_EQ(select({{"missing", equal, ""}}).size(), 3U);
  EXPECT_EQ(store_.select({.matchers = {{"group", regex, "("}}, .from = kStart, .to = kStart}).error().kind,
            core::ErrorKind::invalid);
}

TEST_F(StoreTest, TheNewestPointLiesWithinTheSpan) {
  for (int i = 0; i < 300; ++i)
    store_.ingest("kafka", batch(kStart + i * 1s, {{"a", static_cast<double>(i)}}), kStart + i * 1s);
  const auto newest = [&](core::Duration to) {
    return store_
        .select({.matchers = {{"group", core::MatchOp::equal, "a"}},
                 .from = kStart,
                 .to = kStart + to,
                 .newest_only = true})
        .value()
        .at(0)
        .points;
  };
  EXPECT_EQ(newest(1h).at(0).value, 299);
  EXPECT_EQ(newest(150s).at(0).value, 150);
  EXPECT_EQ(newest(150500ms).at(0).value, 150);
  EXPECT_EQ(newest(0s).size(), 1U);
}

TEST_F(StoreTest, PruningDropsWhatIsPastTheRetentionAndMakesRoom) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}}), kStart);
  store_.ingest("kafka", batch(kStart + 50min, {{"b", 1}}), kStart + 50min);
  store_.prune(kStart + 2h);
  EXPECT_EQ(store_.stats().series, 0U);
  EXPECT_TRUE(store_.label_names().empty());
  store_.ingest("kafka", batch(kStart + 2h, {{"a", 5}, {"n", 6}}), kStart + 2h);
  EXPECT_EQ(group("a").at(0).points.size(), 1U);
  EXPECT_EQ(store_.label_values("group"), (std::vector<std::string>{"a", "n"}));
}

TEST_F(StoreTest, ReadersSeeWholeBatchesWhileOneWriterWrites) {
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (int i = 0; i < 2000; ++i)
      store_.ingest("kafka", batch(kStart + i * 1s, {{"a", static_cast<double>(i)}, {"b", static_cast<double>(i)}}),
                    kStart + i * 1s);
    done = true;
  });
  while (!done) {
    const auto views = select({{"cluster", core::MatchOp::equal, "c"}}, true);
    if (views.size() == 2) {
      ASSERT_EQ(views[0].points.back().value, views[1].points.back().value);
    }
  }
}

}  // namespace
}  // namespace weir::series
