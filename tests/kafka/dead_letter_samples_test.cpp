#include "kafka/dead_letter_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

namespace weir::kafka {
namespace {

using testing::IsEmpty;

Topic letters(std::vector<std::pair<std::int64_t, std::int64_t>> offsets) {
  Topic topic;
  topic.name = "orders.dlt";
  topic.dead_letter = true;
  for (const auto& [start, end] : offsets) {
    Partition partition;
    partition.id = static_cast<std::int32_t>(topic.partitions.size());
    partition.leader = 1;
    partition.start = start;
    partition.end = end;
    topic.partitions.push_back(partition);
  }
  return topic;
}

std::int64_t total(const std::vector<OffsetRange>& ranges) {
  return std::accumulate(ranges.begin(), ranges.end(), std::int64_t{0},
                         [](std::int64_t sum, const OffsetRange& range) { return sum + range.to - range.from; });
}

TEST(NewestRangesTest, ThePartitionThatIsFullestGetsWhatTheOthersLeave) {
  const auto ranges = newest_ranges(letters({{0, 1000}, {0, 5}, {7, 7}}), {}, 50);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0].partition, 1);
  EXPECT_EQ(ranges[0].from, 0);
  EXPECT_EQ(ranges[1].from, 955);
  EXPECT_EQ(total(ranges), 50);
}

TEST(NewestRangesTest, OnlyWhatArrivedSinceIsLookedAt) {
  const Topic topic = letters({{0, 100}, {0, 100}});
  EXPECT_THAT(newest_ranges(topic, {{0, 100}, {1, 100}}, 50), IsEmpty());
  const auto ranges = newest_ranges(topic, {{0, 100}, {1, 98}}, 50);
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges[0].from, 98);
}

TEST(NewestRangesTest, ATopicCreatedAnewIsLookedAtFromItsStart) {
  const auto ranges = newest_ranges(letters({{0, 3}}), {{0, 100}}, 50);
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges[0].from, 0);
}

TEST(NewestRangesTest, WithoutLeaderOrOffsetsThereIsNothingToRead) {
  Topic topic = letters({{0, 10}, {0, 10}});
  topic.partitions[0].leader = -1;
  topic.partitions[1].end = kUnknownOffset;
  EXPECT_THAT(newest_ranges(topic, {}, 50), IsEmpty());
}

TEST(NewestRangesTest, AThousandPartitionsAreNoThousandReads) {
  const auto ranges = newest_ranges(letters(std::vector<std::pair<std::int64_t, std::int64_t>>(1000, {0, 9})), {}, 50);
  EXPECT_EQ(ranges.size(), 64U);
  EXPECT_EQ(total(ranges), 64);
}

}  // namespace
}  // namespace weir::kafka
