#include "collectors/dead_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using testing::IsEmpty;

const std::string kLetters = R"({cluster="prod",topic="clicks.dlt"})";

class DeadLetter : public testing::Test {
 protected:
  static kafka::Topic letters(std::vector<std::pair<std::int64_t, std::int64_t>> offsets,
                              std::optional<core::Time> newest) {
    kafka::Topic topic = make_topic("clicks.dlt", std::move(offsets));
    topic.dead_letter = true;
    topic.newest_message = newest;
    return topic;
  }

  core::Batch run(kafka::Topic topic, TopicTotals totals) {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", {{0, 9}}), std::move(topic)};
    core::Batch batch;
    const std::vector<TopicTotals> all = {{9, 1.0}, totals};
    dead_letter(snapshot, all, {"prod", at_second(100)}, memory_, batch);
    return batch;
  }

  DeadLetterMemory memory_;
};

TEST_F(DeadLetter, DepthRateAndAgeOfDeadLetterTopicsOnly) {
  const core::Batch batch = run(letters({{2, 5}}, at_second(96)), {3, 0.2});
  EXPECT_EQ(batch.samples.size(), 3U);
  EXPECT_EQ(value(batch, "kafka_dead_letter_messages" + kLetters), 3);
  EXPECT_EQ(value(batch, "kafka_dead_letter_messages_per_second" + kLetters), 0.2);
  EXPECT_EQ(value(batch, "kafka_dead_letter_newest_message_age_seconds" + kLetters), 4);
}

TEST_F(DeadLetter, AnEmptyTopicHasDepthZeroAndNoAge) {
  const core::Batch batch = run(letters({{5, 5}}, std::nullopt), {0, std::nullopt});
  EXPECT_EQ(value(batch, "kafka_dead_letter_messages" + kLetters), 0);
  EXPECT_EQ(batch.samples.size(), 1U);
}

TEST_F(DeadLetter, AMessageFromTheFutureIsNoNegativeAge) {
  const core::Batch batch = run(letters({{0, 1}}, at_second(5000)), {1, 0.0});
  EXPECT_EQ(value(batch, "kafka_dead_letter_newest_message_age_seconds" + kLetters), 0);
}

TEST_F(DeadLetter, ATopicThatFailedGivesNothing) {
  kafka::Topic failed = letters({}, std::nullopt);
  failed.failed = true;
  EXPECT_THAT(run(failed, {}).samples, IsEmpty());
}

TEST_F(DeadLetter, ATopicThatIsNoLongerOneIsForgotten) {
  run(letters({{2, 5}}, at_second(96)), {3, 0.2});
  EXPECT_EQ(memory_.topics.size(), 1U);
  EXPECT_THAT(run(make_topic("clicks.dlt", {{2, 5}}), {3, 0.2}).samples, IsEmpty());
  EXPECT_TRUE(memory_.topics.empty());
}

TEST_F(DeadLetter, EveryEmittedMetricIsDescribed) {
  for (const core::Sample& sample : run(letters({{2, 5}}, at_second(96)), {3, 0.2}).samples) {
    EXPECT_TRUE(std::ranges::any_of(dead_letter_metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

}  // namespace
}  // namespace weir::collectors
