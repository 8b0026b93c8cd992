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

TEST_F(DeadLetter, TheOldestMessageHasAnAgeToo) {
  kafka::Topic topic = letters({{2, 5}}, at_second(96));
  topic.oldest_message = at_second(40);
  const core::Batch batch = run(topic, {3, 0.2});
  EXPECT_EQ(value(batch, "kafka_dead_letter_oldest_message_age_seconds" + kLetters), 60);
}

class DeadLetterReasons : public DeadLetter {
 protected:
  static kafka::DeadLetter letter(std::int64_t offset, const std::string& exception,
                                  const std::string& message = "Unknown magic byte!") {
    kafka::DeadLetter letter;
    letter.offset = offset;
    letter.time = at_second(static_cast<int>(offset));
    letter.reason.origin = "clicks";
    letter.reason.exception = exception;
    letter.reason.component = "connector sink-pg";
    letter.reason.message = message;
    return letter;
  }

  /// A cycle that looked at these letters.
  core::Batch cycle(std::vector<kafka::DeadLetter> looked_at, std::int64_t start = 0) {
    kafka::Topic topic = letters({{start, 100'000}}, at_second(96));
    topic.dead_letters = std::move(looked_at);
    return run(topic, {50, 0.2});
  }

  static std::string series(const std::string& exception, const std::string& origin = "clicks",
                            const std::string& component = "connector sink-pg") {
    return "kafka_dead_letter_sampled_messages{cluster=\"prod\",component=\"" + component + "\",exception=\"" +
           exception + "\",origin=\"" + origin + "\",topic=\"clicks.dlt\"}";
  }
};

TEST_F(DeadLetterReasons, LettersAreCountedByReasonAndANewReasonIsAnEvent) {
  std::vector<kafka::DeadLetter> looked_at;
  for (int i = 0; i < 37; ++i) looked_at.push_back(letter(i, "org.apache.kafka.common.errors.SerializationException"));
  for (int i = 37; i < 50; ++i) looked_at.push_back(letter(i, "java.io.IOException", ""));
  const core::Batch batch = cycle(looked_at);
  EXPECT_EQ(value(batch, series("org.apache.kafka.common.errors.SerializationException")), 37);
  EXPECT_EQ(value(batch, series("java.io.IOException")), 13);
  ASSERT_EQ(batch.events.size(), 2U);
  EXPECT_EQ(batch.events[0].message,
            "37 of the last 50 dead letters of clicks.dlt come from topic clicks: SerializationException in connector "
            "sink-pg: Unknown magic byte!");
  EXPECT_EQ(batch.events[0].labels.get("topic"), "clicks.dlt");
  EXPECT_EQ(batch.events[1].message,
            "13 of the last 50 dead letters of clicks.dlt come from topic clicks: IOException in connector sink-pg.");
}

TEST_F(DeadLetterReasons, TheSameReasonIsToldOnceAndCountedOnEveryCycle) {
  EXPECT_EQ(cycle({letter(1, "E")}).events.size(), 1U);
  EXPECT_THAT(cycle({}).events, IsEmpty());
  const core::Batch batch = cycle({letter(2, "E")});
  EXPECT_THAT(batch.events, IsEmpty());
  EXPECT_EQ(value(batch, series("E")), 2);
}

TEST_F(DeadLetterReasons, TheWindowHoldsTheNewestFifty) {
  std::vector<kafka::DeadLetter> many;
  for (int i = 0; i < 40; ++i) many.push_back(letter(i, "Old"));
  cycle(many);
  many.clear();
  for (int i = 40; i < 80; ++i) many.push_back(letter(i, "New"));
  const core::Batch batch = cycle(many);
  EXPECT_EQ(value(batch, series("Old")), 10);
  EXPECT_EQ(value(batch, series("New")), 40);
}

TEST_F(DeadLetterReasons, DeletedLettersCountNoMore) {
  cycle({letter(1, "E"), letter(2, "E"), letter(3, "E")});
  EXPECT_EQ(value(cycle({}, 3), series("E")), 1);
  EXPECT_EQ(value(cycle({}, 4), series("E")), std::nullopt);
}

TEST_F(DeadLetterReasons, TooManyReasonsAreSummedAsOther) {
  std::vector<kafka::DeadLetter> many;
  for (int i = 0; i < 50; ++i) many.push_back(letter(i, "Random" + std::to_string(i)));
  const core::Batch batch = cycle(many);
  EXPECT_EQ(batch.events.size(), 10U);
  EXPECT_EQ(value(batch, series("other", "other", "other")), 40);
}

TEST_F(DeadLetterReasons, ReasonsThatChangeAllTheTimeGetNoSeriesWithoutEnd) {
  std::size_t events = 0;
  core::Batch batch;
  for (int round = 0; round < 20; ++round) {
    std::vector<kafka::DeadLetter> many;
    for (int i = 0; i < 50; ++i) many.push_back(letter(round * 50 + i, "Random" + std::to_string(round * 50 + i)));
    batch = cycle(many);
    events += batch.events.size();
  }
  EXPECT_EQ(events, 30U);
  EXPECT_EQ(value(batch, series("other", "other", "other")), 50);
}

TEST_F(DeadLetterReasons, WhatIdentifiesAPersonIsMasked) {
  kafka::DeadLetter one = letter(1, "E", "no customer jane@example.com");
  one.preview = R"({"card":"4111 1111 1111 1111","ok":1})";
  const core::Batch batch = cycle({one});
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].message,
            "The last dead letter of clicks.dlt comes from topic clicks: E in connector sink-pg: no customer <email>. "
            R"(The newest begins {"card":"<card>","ok":1})");
  EXPECT_EQ(batch.events[0].labels.get("message"), "no customer <email>");
}

TEST_F(DeadLetterReasons, LettersThatDoNotSayWhyAreCountedAndNoEvent) {
  kafka::DeadLetter silent;
  silent.offset = 1;
  silent.time = at_second(1);
  const core::Batch batch = cycle({silent});
  EXPECT_THAT(batch.events, IsEmpty());
  EXPECT_EQ(
      value(batch, R"(kafka_dead_letter_sampled_messages{cluster="prod",exception="unknown",topic="clicks.dlt"})"), 1);
}

TEST_F(DeadLetter, EveryEmittedMetricIsDescribed) {
  kafka::Topic full = letters({{2, 5}}, at_second(96));
  full.oldest_message = at_second(90);
  full.dead_letters.resize(1);
  full.dead_letters[0].offset = 4;
  for (const core::Sample& sample : run(full, {3, 0.2}).samples) {
    EXPECT_TRUE(std::ranges::any_of(dead_letter_metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

}  // namespace
}  // namespace weir::collectors
