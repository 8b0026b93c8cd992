#include "collectors/offsets_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using testing::IsEmpty;

const std::string kBilling = R"({cluster="prod",consumergroup="billing"})";

class OffsetsStream : public testing::Test {
 protected:
  core::Batch run(int second, std::optional<std::uint64_t> records, std::optional<core::Time> last = std::nullopt) {
    kafka::Snapshot snapshot;
    kafka::Group& group = snapshot.groups.emplace_back();
    group.id = "billing";
    group.commit_records = records;
    group.last_commit = last;
    snapshot.offsets_stream = kafka::OffsetsStreamStatus{records.has_value(), 3, {}};
    snapshot.offsets_stream->records[0] = 7;
    core::Batch batch;
    offsets_stream(snapshot, {"prod", at_second(second)}, memory_, batch);
    return batch;
  }

  OffsetsStreamMemory memory_;
};

TEST_F(OffsetsStream, TheRateIsTheGrowthSinceThePreviousCycle) {
  EXPECT_EQ(value(run(0, 100), "kafka_consumergroup_commits_per_second" + kBilling), std::nullopt);
  const core::Batch batch = run(10, 150, at_second(9));
  EXPECT_EQ(value(batch, "kafka_consumergroup_commits_per_second" + kBilling), 5);
  EXPECT_EQ(value(batch, "kafka_consumergroup_last_commit_timestamp_seconds" + kBilling), 1'700'000'009);
  EXPECT_EQ(value(batch, R"(kafka_offsets_stream_live{cluster="prod"})"), 1);
  EXPECT_EQ(value(batch, R"(kafka_offsets_stream_groups{cluster="prod"})"), 3);
  EXPECT_EQ(value(batch, R"(kafka_offsets_stream_records_total{cluster="prod",kind="offset_commit"})"), 7);
}

TEST_F(OffsetsStream, AGroupThatIsCountedAnewHasNoNegativeRate) {
  run(0, 100);
  EXPECT_EQ(value(run(10, 3), "kafka_consumergroup_commits_per_second" + kBilling), std::nullopt);
  EXPECT_EQ(value(run(20, 13), "kafka_consumergroup_commits_per_second" + kBilling), 1);
}

TEST_F(OffsetsStream, WithoutAStreamNothingIsSaidOfGroups) {
  run(0, 100);
  const core::Batch batch = run(10, std::nullopt);
  EXPECT_EQ(value(batch, R"(kafka_offsets_stream_live{cluster="prod"})"), 0);
  EXPECT_TRUE(memory_.groups.empty());
  core::Batch none;
  offsets_stream(kafka::Snapshot(), {"prod", at_second(20)}, memory_, none);
  EXPECT_THAT(none.samples, IsEmpty());
}

TEST_F(OffsetsStream, EveryEmittedMetricIsDescribed) {
  run(0, 1);
  for (const core::Sample& sample : run(10, 2, at_second(9)).samples) {
    EXPECT_TRUE(std::ranges::any_of(offsets_stream_metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

}  // namespace
}  // namespace weir::collectors
