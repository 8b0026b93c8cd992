#include "series/chunk.h"

#include <bit>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace weir::series {
namespace {

std::vector<core::Point> all(const Chunk& chunk) {
  std::vector<core::Point> points;
  chunk.read(core::Time::min(), core::Time::max(), points);
  return points;
}

TEST(Chunk, GivesBackExactlyWhatWasAppended) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    Chunk chunk;
    std::vector<core::Point> written;
    core::Time time(core::Duration(static_cast<std::int64_t>(random() % 2'000'000'000'000ULL)));
    const int scale = static_cast<int>(random() % 40);
    double value = static_cast<double>(random() % 1000);
    while (!chunk.full()) {
      time += core::Duration(1 + static_cast<std::int64_t>(random() % (1ULL << scale)));
      switch (random() % 5) {
        case 0: value = std::bit_cast<double>(random()); break;  // any bits: NaN payloads, infinities, denormals
        case 1: value = -value; break;
        case 2: value = core::stale_marker(); break;
        default: value = static_cast<double>(random() % 100'000);
      }
      chunk.append({time, value});
      written.push_back({time, value});
    }
    const std::vector<core::Point> read = all(chunk);
    ASSERT_EQ(read.size(), written.size());
    for (std::size_t i = 0; i < read.size(); ++i) {
      ASSERT_EQ(read[i].time, written[i].time) << "round " << round << " point " << i;
      ASSERT_EQ(std::bit_cast<std::uint64_t>(read[i].value), std::bit_cast<std::uint64_t>(written[i].value));
    }
  }
}

TEST(Chunk, ReadsBothEndsOfASpanInclusive) {
  Chunk chunk;
  for (int i = 1; i <= 10; ++i) chunk.append({core::Time(core::Duration(i * 1000)), static_cast<double>(i)});
  std::vector<core::Point> points;
  chunk.read(core::Time(core::Duration(3000)), core::Time(core::Duration(5000)), points);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points.front().value, 3);
  EXPECT_EQ(points.back().value, 5);
}

TEST(Chunk, LagAtAFixedIntervalTakesFewBytes) {
  Chunk chunk;
  std::mt19937 random(7);
  double lag = 1000;
  for (int i = 0; i < Chunk::kCapacity; ++i) {
    if (random() % 4 == 0) lag = static_cast<double>(random() % 2000);
    chunk.append({core::Time(core::Duration(15'000LL * i)), lag});
  }
  chunk.seal();
  EXPECT_LE(chunk.bytes(), 2U * Chunk::kCapacity);
}

}  // namespace
}  // namespace weir::series
