#include "collectors/deleted_topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string series(const std::string& group, const std::string& topic = "orders") {
  return R"(kafka_consumergroup_deleted_topic_seconds{cluster="prod",consumergroup=")" + group + R"(",topic=")" +
         topic + "\"}";
}

/// Cycles of 15 s over a cluster with the topics `orders` and `other`.
class DeletedTopics : public testing::Test {
 protected:
  struct Reader {
    std::string id;
    std::int64_t committed;
    kafka::GroupState state = kafka::GroupState::stable;
  };

  core::Batch run(bool exists, const std::vector<Reader>& readers, bool commits = true) {
    kafka::Snapshot snapshot;
    if (exists) snapshot.topics.push_back(make_topic("orders", {{0, 100}}));
    snapshot.topics.push_back(make_topic("other", {{0, 5}}));
    for (const Reader& reader : readers) {
      kafka::Group group;
      group.id = reader.id;
      group.state = reader.state;
      group.members = reader.state == kafka::GroupState::stable ? 1 : 0;
      const auto offset = commits ? kafka::Committed::at(reader.committed) : kafka::Committed::none();
      if (exists) group.partitions.push_back({0, 0, offset});
      snapshot.groups.push_back(std::move(group));
    }
    const KafkaCycle cycle{.cluster = "prod", .now = at_second(second_ += 15), .past = past_};
    core::Batch batch;
    deleted_topics(snapshot, cycle, groups_, memory_, batch);
    core::Batch of_groups;
    consumer_groups(snapshot, cycle, groups_, of_groups);
    return batch;
  }

  core::Batch run_times(int times, bool exists, const std::vector<Reader>& readers) {
    core::Batch last;
    for (int i = 0; i < times; ++i) last = run(exists, readers);
    return last;
  }

  const core::SeriesSource* past_ = nullptr;
  GroupMemory groups_;
  DeletedTopicMemory memory_;
  int second_ = 0;
};

TEST_F(DeletedTopics, OneThatAGroupReadsIsToldAfterThreeCyclesAndSoForADay) {
  run(true, {{"billing", 100}});
  EXPECT_THAT(run(false, {{"billing", 100}}).samples, IsEmpty());
  EXPECT_THAT(run(false, {{"billing", 100}}).samples, IsEmpty());
  const core::Batch told = run(false, {{"billing", 100}});
  EXPECT_EQ(value(told, series("billing")), 30);
  ASSERT_THAT(kinds(told), ElementsAre("topic_deleted"));
  EXPECT_EQ(told.events[0].message, "Topic orders was deleted while consumer group billing read it.");
  const core::Batch later = run(false, {{"billing", 100}});
  EXPECT_EQ(value(later, series("billing")), 45);
  EXPECT_THAT(kinds(later), IsEmpty()) << "once";
  second_ += 24 * 3600;
  EXPECT_THAT(run(false, {{"billing", 100}}).samples, IsEmpty());
}

TEST_F(DeletedTopics, WhatWasUnreadIsToldThoughNobodyReads) {
  run(true, {{"billing", 60, kafka::GroupState::empty}, {"audit", 50}});
  const core::Batch told = run_times(3, false, {{"billing", 60, kafka::GroupState::empty}, {"audit", 50}});
  ASSERT_THAT(kinds(told), ElementsAre("topic_deleted"));
  EXPECT_EQ(told.events[0].message,
            "Topic orders was deleted while consumer groups audit, billing read it, with 90 messages unread.");
  EXPECT_EQ(value(told, series("billing")), 30);
  EXPECT_EQ(value(told, series("audit")), 30);
}

TEST_F(DeletedTopics, OneThatIsTakenOutOfServiceWithItsReadersIsNothing) {
  run(true, {{"billing", 100, kafka::GroupState::empty}});
  const core::Batch batch = run_times(5, false, {{"billing", 100, kafka::GroupState::empty}});
  EXPECT_THAT(batch.samples, IsEmpty());
  EXPECT_THAT(memory_.missing, IsEmpty());
}

TEST_F(DeletedTopics, CommitsThatGoBeforeTheTopicAreRemembered) {
  run(true, {{"billing", 100}});
  run(true, {{"billing", 100}}, false);
  EXPECT_EQ(value(run_times(3, false, {{"billing", 100}}), series("billing")), 30);
}

TEST_F(DeletedTopics, AGroupThatReadItLongAgoDoesNotMissIt) {
  run(true, {{"billing", 100}});
  for (int i = 0; i < 4; ++i) run(true, {{"billing", 100}}, false);
  EXPECT_THAT(run_times(4, false, {{"billing", 100}}).samples, IsEmpty());
}

TEST_F(DeletedTopics, MetadataThatLacksItForAMomentIsNothing) {
  run(true, {{"billing", 100}});
  run_times(2, false, {{"billing", 100}});
  const core::Batch back = run(true, {{"billing", 100}});
  EXPECT_THAT(back.samples, IsEmpty());
  EXPECT_THAT(kinds(back), IsEmpty());
}

TEST_F(DeletedTopics, ItEndsWhenTheTopicIsBackWhichIsAnEvent) {
  run(true, {{"billing", 100}});
  run_times(4, false, {{"billing", 100}});
  const core::Batch back = run(true, {{"billing", 0}});
  EXPECT_THAT(back.samples, IsEmpty());
  ASSERT_THAT(kinds(back), ElementsAre("topic_recreated"));
  EXPECT_EQ(back.events[0].message, "Topic orders was created anew 1m after it was deleted.");
  EXPECT_THAT(memory_.missing, IsEmpty());
}

TEST_F(DeletedTopics, ItEndsWithTheGroup) {
  run(true, {{"billing", 100}, {"audit", 100}});
  run_times(3, false, {{"billing", 100}, {"audit", 100}});
  core::Batch batch = run_times(6, false, {{"audit", 100}});
  EXPECT_EQ(value(batch, series("billing")), std::nullopt);
  EXPECT_EQ(value(batch, series("audit")), 120);
  batch = run_times(6, false, {});
  EXPECT_THAT(memory_.missing, IsEmpty());
}

TEST_F(DeletedTopics, ItGoesOnAfterARestart) {
  Past past;
  past.add("kafka_consumergroup_deleted_topic_seconds", "orders", "", {{at_second(-60), 600}}, "billing");
  past.add("kafka_consumergroup_deleted_topic_seconds", "ended", "", {{at_second(-60), core::stale_marker()}},
           "billing");
  past_ = &past;
  const core::Batch batch = run(false, {{"billing", 100}});
  EXPECT_EQ(value(batch, series("billing")), 675);
  EXPECT_EQ(batch.samples.size(), 1U);
  EXPECT_THAT(kinds(batch), IsEmpty()) << "it has been told";
  EXPECT_EQ(value(run(false, {{"billing", 100}}), series("billing")), 690) << "and once only from before";
}

}  // namespace
}  // namespace weir::collectors
