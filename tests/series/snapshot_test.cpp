#include "series/snapshot.h"

#include <bit>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <random>
#include <sstream>

namespace weir::series {
namespace {

using namespace std::chrono_literals;

const core::Time kStart = core::time_from_seconds(1'000'000);

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    folder_ = std::filesystem::temp_directory_path() / ("weir_snapshot_" + std::to_string(std::random_device()()));
    std::filesystem::create_directory(folder_);
    path_ = (folder_ / "weir.db.series").string();
  }
  ~SnapshotTest() override { std::filesystem::remove_all(folder_); }

  static void fill(Store& store, int cycles) {
    std::mt19937_64 random(1);
    for (int i = 0; i < cycles; ++i) {
      core::Batch batch;
      for (int series = 0; series < 5; ++series) {
        if (series == 4 && i > cycles / 2) continue;
        batch.samples.push_back(
            {core::Labels::metric("lag", {{"group", "g" + std::to_string(series)}, {"text", "a\"\n\xc3\xa4"}}),
             kStart + i * 15s,
             series == 3 ? 0.1 * static_cast<double>(random() % 100) : static_cast<double>(random() % 50)});
      }
      store.ingest("kafka/prod", batch, kStart + i * 15s);
    }
    store.ingest("self", {.samples = {{core::Labels::metric("up", {}), kStart, 1}}, .events = {}, .faults = {}},
                 kStart);
  }
  static std::string dump(const Store& store) {
    auto views = store.select({.matchers = {}, .from = core::Time::min(), .to = core::Time::max()}).value();
    std::ranges::sort(views, {}, &core::SeriesView::labels);
    std::ostringstream out;
    for (const core::SeriesView& view : views) {
      out << view.labels.to_string();
      for (const core::Point& point : view.points)
        out << ' ' << point.time.time_since_epoch().count() << '=' << std::bit_cast<std::uint64_t>(point.value);
      out << '\n';
    }
    return out.str();
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static core::Result<Snapshot> read(const std::string& bytes) {
    std::istringstream in(bytes);
    return read_snapshot(in, bytes.size());
  }
  static std::string error(const std::string& bytes) {
    const auto snapshot = read(bytes);
    return snapshot ? "" : snapshot.error().message;
  }
  /// A snapshot of one block of series, everything around it being right.
  static std::string with_block(const std::string& payload, std::uint64_t series) {
    std::string bytes = format::head();
    format::append_block(bytes, format::Block::series, payload);
    format::append_block(bytes, format::Block::sources, "");
    std::string end;
    format::append_varint(end, 3);
    format::append_varint(end, series);
    format::append_block(bytes, format::Block::end, end);
    return bytes;
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(SnapshotTest, GivesBackWhatWasSavedAndWhoWroteIt) {
  Store store({.retention = 24h});
  fill(store, 700);
  const auto saved = save_snapshot(store, path_);
  ASSERT_TRUE(saved) << saved.error().describe();
  EXPECT_EQ(saved->series, 6U);
  EXPECT_EQ(saved->bytes, std::filesystem::file_size(path_));
  Store loaded({.retention = 24h});
  const auto report = load_snapshot(loaded, path_, kStart + 3h);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->series, 6U);
  EXPECT_EQ(dump(loaded), dump(store));
  EXPECT_EQ(loaded.stats().samples, store.stats().samples);
  // What its source no longer gives in the first batch after the restart has ended; g4 had before.
  EXPECT_EQ(loaded.ingest("kafka/prod", {}, kStart + 3h).stale, 4U);
  EXPECT_EQ(loaded.ingest("self", {}, kStart + 3h).stale, 1U);
}

TEST_F(SnapshotTest, AFullChunkGoesOnAfterALoad) {
  for (const int cycles : {Chunk::kCapacity - 1, +Chunk::kCapacity, Chunk::kCapacity + 1}) {
    Store store({.retention = 24h});
    fill(store, cycles);
    ASSERT_TRUE(save_snapshot(store, path_));
    Store loaded({.retention = 24h});
    ASSERT_TRUE(load_snapshot(loaded, path_, kStart + 2h));
    const core::Labels labels = core::Labels::metric("lag", {{"group", "g0"}, {"text", "a\"\n\xc3\xa4"}});
    const core::Batch more{.samples = {{labels, kStart + 2h, 4}}, .events = {}, .faults = {}};
    store.ingest("kafka/prod", more, kStart + 2h);
    loaded.ingest("kafka/prod", more, kStart + 2h);
    EXPECT_EQ(dump(loaded), dump(store));
  }
}

TEST_F(SnapshotTest, AnEmptyStoreIsSavedAndLoaded) {
  Store store({});
  ASSERT_TRUE(save_snapshot(store, path_));
  EXPECT_EQ(load_snapshot(store, path_, kStart)->series, 0U);
}

TEST_F(SnapshotTest, AMissingFileIsNoDamage) {
  Store store({});
  EXPECT_EQ(load_snapshot(store, path_, kStart).error().kind, core::ErrorKind::not_found);
}

TEST_F(SnapshotTest, EveryTruncationIsRefused) {
  Store store({});
  fill(store, 20);
  ASSERT_TRUE(save_snapshot(store, path_));
  const std::string whole = bytes();
  ASSERT_TRUE(read(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read(whole.substr(0, size))) << size;
  EXPECT_FALSE(read(whole + "x"));
}

TEST_F(SnapshotTest, EveryFlippedBitIsRefused) {
  Store store({});
  fill(store, 20);
  ASSERT_TRUE(save_snapshot(store, path_));
  std::string whole = bytes();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    whole[bit / 8] = static_cast<char>(whole[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read(whole)) << "bit " << bit;
    whole[bit / 8] = static_cast<char>(whole[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST_F(SnapshotTest, SaysWhatIsWrong) {
  Store store({});
  fill(store, 20);
  ASSERT_TRUE(save_snapshot(store, path_));
  std::string whole = bytes();
  EXPECT_THAT(error("SQLite format 3"), testing::HasSubstr("no snapshot of series"));
  EXPECT_THAT(error(whole.substr(0, 100)), testing::HasSubstr("block 1 at byte 12 says"));
  EXPECT_THAT(error(whole.substr(0, whole.size() - 11)), testing::HasSubstr("cut off at byte"));
  whole[40] = static_cast<char>(whole[40] ^ 1);
  EXPECT_THAT(error(whole), testing::HasSubstr("block 1 at byte 12: the checksum does not match"));
  whole[8] = 9;
  EXPECT_THAT(error(whole), testing::HasSubstr("version 9"));
  std::ofstream(path_) << "garbage";
  EXPECT_EQ(load_snapshot(store, path_, kStart).error().where, path_);
}

/// With right checksums nothing but the reader itself stands against nonsense.
TEST_F(SnapshotTest, DamageUnderRightChecksumsIsRefusedOrReadWithinBounds) {
  Store store({});
  fill(store, 20);
  ASSERT_TRUE(save_snapshot(store, path_));
  const std::string whole = bytes();
  const std::size_t start = format::head().size() + 9;
  const auto size = static_cast<std::uint8_t>(whole[start - 8]) + 256U * static_cast<std::uint8_t>(whole[start - 7]);
  std::string payload = whole.substr(start, size);
  ASSERT_TRUE(read(with_block(payload, 6)).has_value() ||
              error(with_block(payload, 6)).find("source") != std::string::npos);
  std::mt19937_64 random(1);
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bent = payload;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) bent[random() % bent.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bent.resize(random() % bent.size());
    const auto snapshot = read(with_block(bent, 6));
    refused += snapshot ? 0U : 1U;
  }
  EXPECT_GT(refused, 10'000U);
}

TEST_F(SnapshotTest, LengthsThatCannotBeAreRefused) {
  const auto numbers = [](std::initializer_list<std::uint64_t> values) {
    std::string text;
    for (const std::uint64_t value : values) format::append_varint(text, value);
    return text;
  };
  const std::uint64_t huge = ~std::uint64_t{0};
  EXPECT_THAT(error(with_block(numbers({huge}), 1)), testing::HasSubstr("a series without its labels"));
  EXPECT_THAT(error(with_block(numbers({1, huge}), 1)), testing::HasSubstr("a series without its labels"));
  const std::string labels = numbers({1, 1}) + "a" + numbers({1}) + "b";
  EXPECT_THAT(error(with_block(labels + numbers({0, huge}), 1)),
              testing::HasSubstr("{a=\"b\"}: a chunk that is cut off"));
  EXPECT_THAT(error(with_block(labels + numbers({huge, 1}), 1)), testing::HasSubstr("a source of no possible number"));
  EXPECT_THAT(error(with_block(labels + numbers({0, 0}), 1)), testing::HasSubstr("a series without samples"));
  EXPECT_THAT(error(with_block(labels + numbers({0, 1, 0, 0, huge, 0}), 1)), testing::HasSubstr("no possible size"));
  EXPECT_THAT(error(with_block(labels + numbers({0, 1, 0, huge, 1, 0}), 1)), testing::HasSubstr("no possible span"));
  const std::string good = labels + numbers({0, 1, 0, 0, 1, 1}) + '\0';  // one sample, 0 at time 0
  EXPECT_EQ(error(with_block(good, 1)), "");
  EXPECT_THAT(error(with_block(good + good, 2)), testing::HasSubstr("is in it twice"));
  EXPECT_THAT(error(with_block(good, 2)), testing::HasSubstr("blocks are missing"));
  EXPECT_THAT(error(with_block(labels + numbers({7, 1, 0, 0, 1, 1}) + '\0', 1)),
              testing::HasSubstr("source has no name"));
}

TEST_F(SnapshotTest, ASaveThatFailsLeavesTheOldOne) {
  Store store({});
  fill(store, 20);
  ASSERT_TRUE(save_snapshot(store, path_));
  const std::string before = bytes();
  std::filesystem::create_directory(path_ + ".tmp");  // so that the temporary file cannot be made
  const auto failed = save_snapshot(store, path_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, core::ErrorKind::storage);
  EXPECT_EQ(failed.error().where, path_ + ".tmp");
  EXPECT_EQ(bytes(), before);
}

TEST_F(SnapshotTest, SamplesFromTheFutureAndSeriesPastTheLimitAreLeftOut) {
  Store store({});
  fill(store, 20);
  store.ingest("skewed", {.samples = {{core::Labels::metric("f", {}), kStart + 48h, 1}}, .events = {}, .faults = {}},
               kStart);
  ASSERT_TRUE(save_snapshot(store, path_));
  Store loaded({.max_series = 4});
  const auto report = load_snapshot(loaded, path_, kStart + 5min);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->series, 4U);
  EXPECT_EQ(report->from_future, 1U);
  EXPECT_EQ(report->over_limit, 2U);
}

}  // namespace
}  // namespace weir::series
