#include "kafka/assemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::kafka {
namespace {

using testing::HasSubstr;

Topic topic(const std::string& name, int partitions) {
  Topic made;
  made.name = name;
  for (int i = 0; i < partitions; ++i) made.partitions.push_back({.id = i, .leader = 1, .replicas = 1, .in_sync = 1});
  return made;
}

ReadGroup group(const std::string& id, std::vector<RawCommit> commits) {
  ReadGroup made;
  made.id = id;
  made.answer.commits = std::move(commits);
  return made;
}

class JoinGroups : public testing::Test {
 protected:
  void join(std::vector<ReadGroup> groups) { join_groups(std::move(groups), names_, "prod", snapshot_); }
  TopicNames names_;
  Snapshot snapshot_;
};

TEST_F(JoinGroups, PartitionsWithoutACommitAreNoneAndNotUnknown) {
  snapshot_.topics = {topic("orders", 3)};
  join({group("billing", {{names_.intern("orders"), 1, Committed::at(7)}})});
  ASSERT_EQ(snapshot_.groups.size(), 1U);
  const auto& partitions = snapshot_.groups[0].partitions;
  ASSERT_EQ(partitions.size(), 3U);
  EXPECT_TRUE(partitions[0].committed.is_none());
  EXPECT_EQ(partitions[1].committed, Committed::at(7));
  EXPECT_TRUE(partitions[2].committed.is_none());
}

TEST_F(JoinGroups, CommitsOfDeletedTopicsAndPartitionsAreDropped) {
  snapshot_.topics = {topic("orders", 1)};
  const auto gone = names_.intern("gone");
  const auto orders = names_.intern("orders");
  join({group("billing", {{gone, 0, Committed::at(1)}, {orders, 0, Committed::at(2)}, {orders, 5, Committed::at(9)}})});
  ASSERT_EQ(snapshot_.groups[0].partitions.size(), 1U);
  EXPECT_EQ(snapshot_.groups[0].partitions[0].committed, Committed::at(2));
  EXPECT_TRUE(snapshot_.faults.empty());
}

TEST_F(JoinGroups, TopicsAskedForButNeverCommittedBelongOnlyToGroupsThatNameThem) {
  snapshot_.topics = {topic("clicks", 2), topic("orders", 1)};
  ReadGroup names_it = group("a", {{names_.intern("clicks"), 0, Committed::none()}});
  names_it.topics = {"clicks"};
  join({std::move(names_it), group("b", {{names_.intern("clicks"), 0, Committed::none()}})});
  EXPECT_EQ(snapshot_.groups[0].partitions.size(), 2U);
  EXPECT_TRUE(snapshot_.groups[1].partitions.empty());
}

TEST_F(JoinGroups, AGroupWhoseCommitsFailedIsAFaultOfItsOwn) {
  snapshot_.topics = {topic("orders", 1)};
  ReadGroup failed = group("a", {});
  failed.answer.offsets_error = core::Error{core::ErrorKind::denied, "not allowed"};
  join({std::move(failed), group("b", {{names_.intern("orders"), 0, Committed::at(1)}})});
  ASSERT_EQ(snapshot_.groups.size(), 1U);
  EXPECT_EQ(snapshot_.groups[0].id, "b");
  ASSERT_EQ(snapshot_.faults.size(), 1U);
  EXPECT_EQ(snapshot_.faults[0].scope, (core::Labels{{"cluster", "prod"}, {"consumergroup", "a"}}));
}

TEST_F(JoinGroups, CommitsOfATopicThatCouldNotBeReadStay) {
  Topic failed = topic("orders", 0);
  failed.failed = true;
  snapshot_.topics = {failed};
  join({group("a", {{names_.intern("orders"), 4, Committed::at(1)}})});
  ASSERT_EQ(snapshot_.groups[0].partitions.size(), 1U);
  EXPECT_EQ(snapshot_.groups[0].partitions[0].partition, 4);
}

TEST_F(JoinGroups, GroupsAndPartitionsComeInOrder) {
  snapshot_.topics = {topic("a", 2), topic("b", 1)};
  const auto b = names_.intern("b");
  const auto a = names_.intern("a");
  join({group("z", {}), group("m", {{b, 0, Committed::at(3)}, {a, 1, Committed::at(2)}, {a, 0, Committed::at(1)}})});
  EXPECT_EQ(snapshot_.groups[0].id, "m");
  std::vector<std::int64_t> offsets;
  for (const auto& partition : snapshot_.groups[0].partitions) offsets.push_back(partition.committed.offset());
  EXPECT_THAT(offsets, testing::ElementsAre(1, 2, 3));
}

TEST_F(JoinGroups, DroppingATopicRenumbersTheOthers) {
  snapshot_.topics = {topic("a", 1), topic("b", 1), topic("c", 1)};
  join({group("g", {{names_.intern("a"), 0, Committed::at(1)},
                    {names_.intern("b"), 0, Committed::at(2)},
                    {names_.intern("c"), 0, Committed::at(3)}})});
  drop_topics(snapshot_, {false, true, false});
  ASSERT_EQ(snapshot_.topics.size(), 2U);
  ASSERT_EQ(snapshot_.groups[0].partitions.size(), 2U);
  EXPECT_EQ(snapshot_.topics[snapshot_.groups[0].partitions[1].topic].name, "c");
  EXPECT_EQ(snapshot_.groups[0].partitions[1].committed, Committed::at(3));
}

TEST(OffsetFaults, NameTheOfflinePartitionsOfATopicOnce) {
  Snapshot snapshot;
  snapshot.topics = {topic("fine", 1), topic("orders", 12)};
  snapshot.topics[0].partitions[0].start = snapshot.topics[0].partitions[0].end = 0;
  for (auto& partition : snapshot.topics[1].partitions) partition.leader = -1;
  add_offset_faults("prod", {0, 0}, snapshot);
  ASSERT_EQ(snapshot.faults.size(), 1U);
  EXPECT_THAT(snapshot.faults[0].error.message, HasSubstr("0, 1, 2, 3, 4, 5, 6, 7 and 4 more"));
  EXPECT_THAT(snapshot.faults[0].error.message, HasSubstr("offline"));
  EXPECT_EQ(snapshot.faults[0].scope, (core::Labels{{"cluster", "prod"}, {"topic", "orders"}}));
}

TEST(OffsetFaults, APartitionThatItsLeaderDoesNotKnowYetNamesNoSetting) {
  Snapshot snapshot;
  snapshot.topics = {topic("orders", 2)};
  snapshot.topics[0].partitions[0].start = snapshot.topics[0].partitions[0].end = 0;
  add_offset_faults("prod", {3}, snapshot);
  ASSERT_EQ(snapshot.faults.size(), 1U);
  EXPECT_EQ(snapshot.faults[0].error.message,
            "topic \"orders\", partition 1: added or deleted a moment ago; it is asked for again next cycle");
  EXPECT_TRUE(snapshot.faults[0].error.retryable);
}

TEST(StableFaults, APartitionThatWasJustAddedHasNoneYetAndNothingIsAmiss) {
  Snapshot snapshot;
  snapshot.topics = {topic("fine", 1), topic("orders", 3), topic("refused", 1)};
  for (Topic& each : snapshot.topics) {
    for (Partition& partition : each.partitions) partition.start = partition.end = partition.stable = 7;
  }
  snapshot.topics[1].partitions[2].stable = kUnknownOffset;
  snapshot.topics[2].partitions[0].stable = kUnknownOffset;
  add_stable_faults("prod", {3, 3, 29}, snapshot);
  ASSERT_EQ(snapshot.faults.size(), 2U);
  EXPECT_TRUE(snapshot.faults[0].no_value);
  EXPECT_THAT(snapshot.faults[0].error.message, HasSubstr("topic \"orders\", partition 2, last stable offset"));
  EXPECT_EQ(snapshot.faults[0].scope, (core::Labels{{"cluster", "prod"}, {"topic", "orders"}}));
  EXPECT_FALSE(snapshot.faults[1].no_value);
  EXPECT_EQ(snapshot.faults[1].error.kind, core::ErrorKind::denied);
}

TEST(StableFaults, AConnectionThatFailsIsOneFaultOfTheCluster) {
  Snapshot snapshot;
  snapshot.topics = {topic("a", 1), topic("b", 1)};
  for (Topic& each : snapshot.topics) each.partitions[0].start = each.partitions[0].end = 7;
  add_stable_faults("prod", {-185, -185}, snapshot);
  ASSERT_EQ(snapshot.faults.size(), 1U);
  EXPECT_EQ(snapshot.faults[0].scope, (core::Labels{{"cluster", "prod"}}));
}

TEST(LimitFaults, AFewStayAsTheyAre) {
  std::vector<core::Fault> faults(50, {{core::ErrorKind::timeout, "late"}, core::Labels{{"topic", "a"}}});
  limit_faults("prod", faults);
  EXPECT_EQ(faults.size(), 50U);
}

TEST(LimitFaults, VeryManyBecomeOneOfEachKindForTheCluster) {
  std::vector<core::Fault> faults;
  for (int i = 0; i < 600; ++i) {
    faults.push_back({{core::ErrorKind::timeout, "group " + std::to_string(i) + ": late", true},
                      core::Labels{{"consumergroup", std::to_string(i)}}});
  }
  faults.push_back({{core::ErrorKind::denied, "no"}, core::Labels{{"topic", "a"}}});
  limit_faults("prod", faults);
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].error.message, "no");
  EXPECT_EQ(faults[1].error.message, "600 groups or topics could not be read; the first: group 0: late");
  EXPECT_TRUE(faults[1].error.retryable);
  EXPECT_EQ(faults[1].scope, (core::Labels{{"cluster", "prod"}}));
}

TEST(TopicFind, WorksWhereIdsAreNotIndexes) {
  Topic sparse;
  for (const int id : {2, 5, 9}) sparse.partitions.push_back({.id = id});
  EXPECT_EQ(sparse.find(5)->id, 5);
  EXPECT_EQ(sparse.find(0), nullptr);
  EXPECT_EQ(sparse.find(-1), nullptr);
  EXPECT_EQ(sparse.find(99), nullptr);
}

}  // namespace
}  // namespace weir::kafka
