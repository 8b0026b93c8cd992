#include "series/chunk.h"

#include <bit>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace weir::series {
namespace {

template <class Run>
std::vector<core::Point> all(const Run& chunk) {
  std::vector<core::Point> points;
  chunk.read(core::Time::min(), core::Time::max(), points);
  return points;
}

core::Time at(std::int64_t milliseconds) { return core::Time(core::Duration(milliseconds)); }

void expect_same(const std::vector<core::Point>& read, const std::vector<core::Point>& written) {
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    ASSERT_EQ(read[i].time, written[i].time) << "point " << i;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(read[i].value), std::bit_cast<std::uint64_t>(written[i].value))
        << "point " << i;
  }
}

double next_value(std::mt19937_64& random, double value) {
  switch (random() % 10) {
    case 0: return std::bit_cast<double>(random());  // any bits: NaN payloads, infinities, denormals
    case 1: return -value;
    case 2: return core::stale_marker();
    case 3: return -0.0;
    case 4: return value + 0.1;
    case 5: return value + static_cast<double>(random() % 1'000'000'000'000ULL);
    case 6: return value + static_cast<double>(random() % 2'000'000) - 1'000'000;
    case 7: return 0;
    default: return static_cast<double>(random() % (1ULL << (random() % 54)));
  }
}

TEST(Chunk, GivesBackExactlyWhatWasAppended) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    ChunkBuilder builder;
    std::vector<core::Point> written;
    core::Time time = at(static_cast<std::int64_t>(random() % 2'000'000'000'000ULL) - 1'000'000);
    const unsigned scale = random() % 24;
    double value = 0;
    while (builder.accepts(time)) {
      if (random() % 3 != 0) value = next_value(random, value);
      builder.append({time, value});
      written.push_back({time, value});
      time += core::Duration(1 + static_cast<std::int64_t>(random() % (1ULL << scale)));
    }
    ASSERT_GE(written.size(), 1U);
    expect_same(all(builder), written);
    const Chunk chunk = builder.seal();
    expect_same(all(chunk), written);
    EXPECT_EQ(chunk.size(), written.size());
    EXPECT_EQ(chunk.last_time(), written.back().time);
    const auto again = Chunk::from_bits(chunk.first_time(), chunk.last_time(), chunk.size(), chunk.bits());
    ASSERT_TRUE(again) << again.error().message;
    expect_same(all(*again), written);
  }
}

TEST(Chunk, ReadsBothEndsOfASpanInclusive) {
  ChunkBuilder chunk;
  for (int i = 1; i <= 10; ++i) chunk.append({at(i * 1000), static_cast<double>(i)});
  const auto read = [&](std::int64_t from, std::int64_t to) {
    std::vector<core::Point> points;
    chunk.seal().read(at(from), at(to), points);
    return points;
  };
  ASSERT_EQ(read(3000, 5000).size(), 3U);
  EXPECT_EQ(read(3000, 5000).front().value, 3);
  EXPECT_EQ(read(3000, 5000).back().value, 5);
  EXPECT_EQ(read(3001, 3999).size(), 0U);
  EXPECT_EQ(read(10'000, 20'000).size(), 1U);
  EXPECT_EQ(read(0, 1000).size(), 1U);
  EXPECT_EQ(read(0, 999).size(), 0U);
}

TEST(Chunk, TakesNoMoreThanItsCapacityItsSpanAndLaterSamples) {
  ChunkBuilder chunk;
  chunk.append({at(0), 1});
  EXPECT_FALSE(chunk.accepts(at(0)));
  EXPECT_FALSE(chunk.accepts(at(-1)));
  EXPECT_TRUE(chunk.accepts(at(Chunk::kSpan.count())));
  EXPECT_FALSE(chunk.accepts(at(Chunk::kSpan.count() + 1)));
  for (int i = 1; i < Chunk::kCapacity; ++i) chunk.append({at(i), 1});
  EXPECT_FALSE(chunk.accepts(at(Chunk::kCapacity)));
}

TEST(Chunk, RefusesBitsThatAreNotItsSamples) {
  ChunkBuilder builder;
  for (int i = 0; i < 50; ++i) builder.append({at(i * 1000), i * 1.5});
  const Chunk chunk = builder.seal();
  const auto bits = chunk.bits();
  const auto refused = [&](std::int64_t first, std::int64_t last, std::size_t count, std::span<const std::uint8_t> of) {
    return !Chunk::from_bits(at(first), at(last), count, of).has_value();
  };
  EXPECT_FALSE(refused(0, 49'000, 50, bits));
  EXPECT_TRUE(refused(0, 49'000, 49, bits));
  EXPECT_TRUE(refused(0, 49'000, 51, bits));
  EXPECT_TRUE(refused(0, 49'000, 0, bits));
  EXPECT_TRUE(refused(0, 49'000, 60'000, bits));
  EXPECT_TRUE(refused(0, 49'001, 50, bits));
  EXPECT_TRUE(refused(0, -1, 50, bits));
  EXPECT_TRUE(refused(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 50, bits));
  EXPECT_TRUE(refused(0, 49'000, 50, bits.first(bits.size() - 1)));
  EXPECT_TRUE(refused(0, 49'000, 50, {}));
}

TEST(Chunk, AnyBitsAreReadWithinBounds) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> bits(random() % 40);
    for (std::uint8_t& byte : bits) byte = static_cast<std::uint8_t>(random());
    const auto chunk = Chunk::from_bits(at(0), at(static_cast<std::int64_t>(random() % 100)), 1 + random() % 8, bits);
    if (chunk) {
      EXPECT_EQ(all(*chunk).size(), chunk->size());
    }
  }
}

TEST(Chunk, LagAtAFixedIntervalTakesFewBytes) {
  ChunkBuilder builder;
  std::mt19937 random(7);
  double lag = 1000;
  for (int i = 0; i < Chunk::kCapacity; ++i) {
    if (random() % 4 == 0) lag = static_cast<double>(random() % 2000);
    builder.append({at(15'000LL * i + static_cast<std::int64_t>(random() % 5)), lag});
  }
  EXPECT_LE(builder.seal().bytes(), 2U * Chunk::kCapacity);
}

}  // namespace
}  // namespace weir::series
