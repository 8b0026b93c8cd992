#include "series/store.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <random>
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
        .select({.matchers = std::move(matchers),
                 .from = kStart - 24h,
                 .to = kStart + 24h * 365,
                 .newest_only = newest_only})
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

TEST_F(StoreTest, SaysWhetherABatchHasTheSeriesOfTheOneBefore) {
  core::Time now = kStart;
  const auto same = [&](std::initializer_list<std::pair<std::string_view, double>> groups,
                        std::vector<core::Fault> faults = {}) {
    core::Batch made = batch(now += 15s, groups);
    made.faults = std::move(faults);
    return store_.ingest("kafka", made, now).same_series;
  };
  const core::Fault unseen{{}, core::Labels{{"cluster", "c"}}};
  EXPECT_FALSE(same({{"a", 1}, {"b", 1}})) << "the first";
  EXPECT_TRUE(same({{"a", 2}, {"b", 1}}));
  EXPECT_FALSE(same({{"a", 2}})) << "one has ended";
  EXPECT_TRUE(same({{"a", 2}}));
  EXPECT_FALSE(same({{"a", 2}, {"b", 1}})) << "one is back";
  EXPECT_FALSE(same({{"a", 2}}, {unseen})) << "one could not be seen";
  EXPECT_FALSE(same({{"a", 2}, {"b", 1}})) << "and is there again";
  EXPECT_TRUE(same({{"a", 2}, {"b", 1}}));
  EXPECT_TRUE(same({{"a", 3}, {"b", 1}}, {unseen})) << "all was seen, whatever else was not";
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

TEST_F(StoreTest, AnotherValueForATimeThatHasOneIsCountedAndDropped) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}}), kStart);
  EXPECT_EQ(store_.ingest("kafka", batch(kStart, {{"a", 2}}), kStart).duplicate, 1U);
  const IngestReport same = store_.ingest("kafka", batch(kStart, {{"a", 1}}), kStart);
  EXPECT_EQ(same.duplicate + same.appended + same.out_of_order, 0U);
  ASSERT_EQ(group("a")[0].points.size(), 1U);
  EXPECT_EQ(group("a")[0].points[0].value, 1);
  EXPECT_EQ(store_.stats().duplicate, 1U);
}

TEST_F(StoreTest, SamplesUpToAMinuteLateArePutInTheirPlace) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}}), kStart);
  store_.ingest("kafka", batch(kStart + 2min, {{"a", 3}}), kStart + 2min);
  const auto late = [&](core::Duration at, double value) {
    core::Batch made;
    made.samples.push_back({lag("a"), kStart + at, value});
    return store_.ingest("kafka", made, kStart + 2min);
  };
  EXPECT_EQ(late(1min, 2).late, 1U);
  EXPECT_EQ(late(1min, 7).duplicate, 1U);
  EXPECT_EQ(late(59999ms, 9).out_of_order, 1U);
  EXPECT_EQ(store_.stats().out_of_order, 1U);
  ASSERT_EQ(group("a")[0].points.size(), 3U);
  EXPECT_EQ(group("a")[0].points[1].value, 2);
  EXPECT_EQ(group("a")[0].points[2].value, 3);
  EXPECT_EQ(store_.stats().samples, 3U);
}

TEST_F(StoreTest, ALateSampleDoesNotReviveASeriesThatEnded) {
  store_.ingest("kafka", batch(kStart, {{"a", 1}, {"b", 1}}), kStart);
  store_.ingest("kafka", batch(kStart + 30s, {{"a", 2}}), kStart + 30s);
  core::Batch made = batch(kStart + 45s, {{"a", 3}});
  made.samples.push_back({lag("b"), kStart + 20s, 7});
  store_.ingest("kafka", made, kStart + 45s);
  EXPECT_EQ(store_.ingest("kafka", batch(kStart + 60s, {{"a", 4}}), kStart + 60s).stale, 0U);
  const auto points = group("b")[0].points;
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[1].value, 7);
  EXPECT_TRUE(core::is_stale_marker(points[2].value));
}

TEST_F(StoreTest, ALateBatchEndsNothingAndWhatOnlyItHasHasEnded) {
  store_.ingest("kafka", batch(kStart + 30s, {{"a", 2}}), kStart + 30s);
  const IngestReport late = store_.ingest("kafka", batch(kStart + 15s, {{"b", 1}}), kStart + 15s);
  EXPECT_EQ(late.stale, 1U);
  EXPECT_FALSE(core::is_stale_marker(group("a")[0].points.back().value));
  EXPECT_EQ(group("b")[0].points.back().time, kStart + 30s);
  EXPECT_TRUE(core::is_stale_marker(group("b")[0].points.back().value));
  EXPECT_EQ(store_.ingest("kafka", batch(kStart + 45s, {}), kStart + 45s).stale, 1U);
}

TEST_F(StoreTest, ASeriesEndsAfterItsNewestSampleEvenWhereTheClockIsBehindIt) {
  store_.ingest("kafka", batch(kStart + 10s, {{"a", 1}}), kStart);
  EXPECT_EQ(store_.ingest("kafka", batch(kStart, {}), kStart).stale, 1U);
  EXPECT_TRUE(core::is_stale_marker(group("a")[0].points.back().value));
  EXPECT_EQ(group("a")[0].points.back().time, kStart + 10s + 1ms);
}

TEST_F(StoreTest, ASeriesThatTwoSourcesGiveEndsWithTheLastOfThem) {
  store_.ingest("one", batch(kStart, {{"a", 1}}), kStart);
  store_.ingest("two", batch(kStart + 1s, {{"a", 1}}), kStart + 1s);
  EXPECT_EQ(store_.ingest("one", batch(kStart + 15s, {}), kStart + 15s).stale, 0U);
  EXPECT_EQ(store_.ingest("two", batch(kStart + 16s, {}), kStart + 16s).stale, 1U);
}

TEST_F(StoreTest, RefusedSeriesAreNamedByMetricMostFirst) {
  core::Batch many;
  for (int i = 0; i < 100; ++i) many.samples.push_back({lag(std::to_string(i)), kStart, 1});
  for (int metric = 0; metric < 300; ++metric) {
    for (int i = 0; i <= (metric < 12 ? metric : 0); ++i) {
      many.samples.push_back(
          {core::Labels::metric("m" + std::to_string(metric), {{"i", std::to_string(i)}}), kStart, 1});
    }
  }
  const IngestReport report = store_.ingest("kafka", many, kStart);
  EXPECT_EQ(report.over_limit, 78U + 288U);
  ASSERT_EQ(report.refused.size(), 10U);
  EXPECT_EQ(report.refused[0].metric, "(others)");  // beyond the 200 names that are kept
  EXPECT_EQ(report.refused[1].metric, "m11");
  EXPECT_EQ(report.refused[1].samples, 12U);
  EXPECT_EQ(store_.ingest("kafka", batch(kStart + 1s, {{"0", 1}}), kStart + 1s).refused.size(), 0U);
  EXPECT_EQ(store_.stats().refused[1].metric, "m11");
  EXPECT_EQ(store_.stats().over_limit, 366U);
}

TEST(StoreLimits, WhatTellsOfAFullStoreFindsRoomInTheReserve) {
  Store store({.max_series = 2, .reserve = 1, .reserved = {"self"}});
  store.ingest("kafka", batch(kStart, {{"a", 1}, {"b", 1}, {"c", 1}}), kStart);
  EXPECT_EQ(store.stats().series, 2U);
  EXPECT_EQ(store.ingest("self", batch(kStart, {{"x", 1}, {"y", 1}}), kStart).over_limit, 1U);
  EXPECT_EQ(store.stats().series, 3U);
}

TEST(StoreLimits, PastTheByteBudgetTheOldestGoFirst) {
  Store store({.retention = 24h, .max_bytes = 40'000});
  std::mt19937_64 random(1);
  for (int i = 0; i < 3000; ++i) {
    core::Batch made;
    for (const std::string_view name : {"a", "b", "c"})
      made.samples.push_back({lag(name), kStart + i * 15s, static_cast<double>(random())});
    store.ingest("kafka", made, kStart + i * 15s);
    if (i % 4 == 0) store.prune(kStart + i * 15s);
  }
  const StoreStats stats = store.stats();
  EXPECT_LE(stats.chunk_bytes, 42'000U);
  EXPECT_GE(stats.chunk_bytes, 25'000U);
  const auto views =
      store.select({.matchers = {{"cluster", core::MatchOp::equal, "c"}}, .from = kStart, .to = kStart + 24h});
  ASSERT_EQ(views->size(), 3U);
  EXPECT_EQ((*views)[0].points.back().time, kStart + 2999 * 15s);
  EXPECT_EQ((*views)[0].points.size() + (*views)[1].points.size() + (*views)[2].points.size(), stats.samples);
}

TEST(StoreLimits, ASelectThatWouldTakeTooManySamplesIsRefused) {
  Store store({.max_selected = 500});
  for (int i = 0; i < 300; ++i) store.ingest("kafka", batch(kStart + i * 1s, {{"a", 1}, {"b", 1}}), kStart + i * 1s);
  const auto all = store.select({.matchers = {}, .from = kStart, .to = kStart + 1h});
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().kind, core::ErrorKind::limit);
  EXPECT_TRUE(store.select({.matchers = {}, .from = kStart, .to = kStart + 249s}));
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
  std::atomic<int> newest_read = 0;
  std::atomic<int> ranges_read = 0;
  const auto read = [&](bool newest_only, std::atomic<int>& reads) {
    while (!done) {
      const auto views = select({{"cluster", core::MatchOp::equal, "c"}}, newest_only);
      if (views.size() != 2) continue;
      ASSERT_EQ(views[0].points.size(), views[1].points.size());
      ASSERT_EQ(views[0].points.back().value, views[1].points.back().value);
      std::vector<SeriesRecord> records;
      store_.copy(0, 10, records);
      ASSERT_EQ(records.size(), 2U);
      ASSERT_LE(store_.stats().samples, 4000U);
      ++reads;
    }
  };
  std::jthread newest([&] { read(true, newest_read); });
  std::jthread range([&] { read(false, ranges_read); });
  int written = 0;
  for (; written < 10'000'000 && (newest_read < 300 || ranges_read < 300 || written < 2000); ++written) {
    const auto value = static_cast<double>(written);
    const core::Time now = kStart + written * 5s;
    store_.ingest("kafka", batch(now, {{"a", value}, {"b", value}}), now);
    if (written % 100 == 0) store_.prune(now);
  }
  done = true;
  EXPECT_GE(newest_read, 300) << written;
  EXPECT_GE(ranges_read, 300) << written;
}

}  // namespace
}  // namespace weir::series
