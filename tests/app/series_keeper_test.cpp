#include "app/series_keeper.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <random>
#include <unistd.h>

namespace weir::app {
namespace {

using namespace std::chrono_literals;

const core::Time kNow = core::time_from_seconds(1'000'000);

class SeriesKeeperTest : public testing::Test {
 protected:
  SeriesKeeperTest() {
    folder_ = std::filesystem::temp_directory_path() / ("weir_keeper_" + std::to_string(std::random_device()()));
    std::filesystem::create_directory(folder_);
    database_ = (folder_ / "weir.db").string();
  }
  ~SeriesKeeperTest() override { std::filesystem::remove_all(folder_); }

  static core::Batch lag(double value) {
    return {.samples = {{core::Labels::metric("lag", {{"group", "a"}}), kNow, value}}, .events = {}, .faults = {}};
  }
  static std::map<std::string, double> shown(SeriesKeeper& keeper) {
    std::vector<core::Sample> samples;
    keeper.append_samples(samples, kNow);
    std::map<std::string, double> values;
    for (const core::Sample& sample : samples) values[sample.labels.to_string()] = sample.value;
    return values;
  }
  std::size_t files_like(const std::string& part) const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      count += entry.path().filename().string().find(part) != std::string::npos ? 1U : 0U;
    return count;
  }

  std::filesystem::path folder_;
  std::string database_;
};

constexpr const char* kLoadFailures = "weir_series_snapshot_failures_total{operation=\"load\"}";
constexpr const char* kSaveFailures = "weir_series_snapshot_failures_total{operation=\"save\"}";

TEST_F(SeriesKeeperTest, ASecondOneOfTheFolderIsToldWhoKeepsTheSeries) {
  series::Store store({});
  auto first = std::make_unique<SeriesKeeper>(store, database_);
  ASSERT_TRUE(first->hold());
  SeriesKeeper second(store, database_);
  const auto refused = second.hold();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().describe(), database_ + ".series: is in use by another Weir, process " +
                                            std::to_string(::getpid()) +
                                            ", which keeps its series there; give each a folder of its own");
  first.reset();
  EXPECT_TRUE(second.hold());
  EXPECT_TRUE(SeriesKeeper(store, (folder_ / "gone" / "weir.db").string()).hold())
      << "save() tells what is wrong there";
}

TEST_F(SeriesKeeperTest, SeriesSurviveARestart) {
  series::Store before({});
  SeriesKeeper(before, database_).load(kNow);
  before.ingest("kafka", lag(7), kNow);
  SeriesKeeper saver(before, database_);
  saver.save(kNow);
  EXPECT_EQ(shown(saver)["weir_series_snapshot_last_save_timestamp_seconds"], 1'000'000);
  series::Store after({});
  SeriesKeeper loader(after, database_);
  loader.load(kNow + 1min);
  EXPECT_EQ(after.stats().samples, 1U);
  EXPECT_EQ(shown(loader)[kLoadFailures], 0);
  EXPECT_EQ(after.ingest("kafka", {}, kNow + 1min).stale, 1U);
}

TEST_F(SeriesKeeperTest, ADamagedSnapshotIsSetAsideCountedAndReplaced) {
  std::ofstream(database_ + ".series") << "WEIRSER\n torn";
  series::Store store({});
  OwnErrors errors;
  SeriesKeeper keeper(store, database_, &errors);
  keeper.load(kNow);
  ASSERT_EQ(errors.faults().size(), 1U);
  EXPECT_EQ(errors.faults()[0].error.where, "series/load");
  EXPECT_NE(errors.faults()[0].error.message.find("It is kept as " + database_ + ".series.corrupt-"),
            std::string::npos);
  EXPECT_EQ(files_like("weir.db.series.corrupt-"), 1U);
  EXPECT_FALSE(std::filesystem::exists(database_ + ".series"));
  EXPECT_EQ(shown(keeper)[kLoadFailures], 0) << "a counter begins at 0, so that its first step is an increase";
  EXPECT_EQ(shown(keeper)[kLoadFailures], 1);
  keeper.save(kNow);
  EXPECT_TRUE(std::filesystem::exists(database_ + ".series"));
}

TEST_F(SeriesKeeperTest, ASaveThatFailsIsCounted) {
  series::Store store({});
  SeriesKeeper keeper(store, (folder_ / "gone" / "weir.db").string());
  shown(keeper);
  keeper.save(kNow);
  keeper.save(kNow);
  EXPECT_EQ(shown(keeper)[kSaveFailures], 2);
}

TEST_F(SeriesKeeperTest, ADatabaseInMemoryKeepsNoSeries) {
  series::Store store({});
  SeriesKeeper keeper(store, ":memory:");
  keeper.load(kNow);
  keeper.save(kNow);
  EXPECT_FALSE(std::filesystem::exists(":memory:.series"));
  EXPECT_FALSE(shown(keeper).contains(kSaveFailures));
}

TEST_F(SeriesKeeperTest, RefusedSeriesAreNamedByMetric) {
  series::Store store({.max_series = 0});
  SeriesKeeper keeper(store, database_);
  store.ingest("kafka", lag(1), kNow);
  EXPECT_EQ(shown(keeper)["weir_series_refused_total{metric=\"lag\"}"], 0);
  EXPECT_EQ(shown(keeper)["weir_series_refused_total{metric=\"lag\"}"], 1);
}

}  // namespace
}  // namespace weir::app
