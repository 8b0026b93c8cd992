#include "kafka/commit_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::kafka {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CommitTableTest : public testing::Test {
 protected:
  void commit(std::string_view group, std::string_view topic, std::int32_t partition, std::int64_t offset,
              std::int64_t at_ms = 1000) {
    OffsetsRecord record;
    record.kind = OffsetsRecordKind::offset_commit;
    record.group = group;
    record.commit = {topic, partition, offset, -1, at_ms};
    table_.apply(record);
  }
  void remove(std::string_view group, std::string_view topic, std::int32_t partition) {
    OffsetsRecord record;
    record.kind = OffsetsRecordKind::offset_commit;
    record.tombstone = true;
    record.group = group;
    record.commit.topic = topic;
    record.commit.partition = partition;
    table_.apply(record);
  }
  void put(const std::string& group, std::vector<RawCommit> commits) {
    TopicNames names;
    for (const char* name : {"orders", "clicks"}) names.intern(name);
    table_.put(group, commits, names);
  }
  /// "topic/partition=offset"
  std::vector<std::string> shown(std::string_view group) const {
    TopicNames names;
    names.intern("another");
    std::vector<std::string> all;
    for (const RawCommit& commit : table_.commits(*table_.find(group), names)) {
      all.push_back(names.names()[commit.topic] + "/" + std::to_string(commit.partition) + "=" +
                    std::to_string(commit.committed.offset()));
    }
    return all;
  }

  CommitTable table_;
};

TEST_F(CommitTableTest, RecordsAreAppliedOverWhatOffsetFetchSaid) {
  put("billing", {{1, 0, Committed::at(5)}, {0, 1, Committed::at(7)}, {0, 0, Committed::none()}});
  EXPECT_TRUE(table_.find("billing")->complete);
  commit("billing", "orders", 1, 9);
  commit("billing", "orders", 0, 2);
  commit("billing", "payments", 4, 1);
  EXPECT_THAT(shown("billing"),
              testing::UnorderedElementsAre("orders/0=2", "orders/1=9", "clicks/0=5", "payments/4=1"));
  remove("billing", "clicks", 0);
  remove("billing", "clicks", 9);
  EXPECT_THAT(shown("billing"), testing::UnorderedElementsAre("orders/0=2", "orders/1=9", "payments/4=1"));
}

TEST_F(CommitTableTest, AGroupThatWasNeverReadIsNotComplete) {
  commit("billing", "orders", 1, 9);
  ASSERT_NE(table_.find("billing"), nullptr);
  EXPECT_FALSE(table_.find("billing")->complete);
  EXPECT_EQ(table_.find("stats"), nullptr);
}

TEST_F(CommitTableTest, AnAnswerReplacesWhatTheRecordsSaid) {
  commit("billing", "orders", 1, 9);
  commit("billing", "orders", 2, 3);
  put("billing", {{0, 1, Committed::at(8)}});
  EXPECT_THAT(shown("billing"), ElementsAre("orders/1=8"));
}

TEST_F(CommitTableTest, AnAnswerWithAnUnknownPartitionIsNotComplete) {
  put("billing", {{0, 0, Committed::unknown()}, {0, 1, Committed::at(8)}});
  EXPECT_FALSE(table_.find("billing")->complete);
}

TEST_F(CommitTableTest, CommitsAreCountedWithTheTimeOfTheLast) {
  commit("billing", "orders", 0, 1, 2000);
  commit("billing", "orders", 1, 1, 1000);
  commit("billing", "orders", 1, 2, -1);
  EXPECT_EQ(table_.find("billing")->records, 3U);
  EXPECT_EQ(table_.find("billing")->last_commit, core::Time(std::chrono::milliseconds(2000)));
  EXPECT_EQ(table_.records()[static_cast<std::size_t>(OffsetsRecordKind::offset_commit)], 3U);
}

TEST_F(CommitTableTest, OtherRecordsAreCountedOnly) {
  OffsetsRecord record;
  record.kind = OffsetsRecordKind::share_group;
  record.group = "billing";
  table_.apply(record);
  record.kind = OffsetsRecordKind::unknown;
  table_.apply(record);
  EXPECT_EQ(table_.groups(), 0U);
  EXPECT_EQ(table_.records()[static_cast<std::size_t>(OffsetsRecordKind::unknown)], 1U);
}

TEST_F(CommitTableTest, ADeletedGroupIsAskedForAgain) {
  put("billing", {{0, 1, Committed::at(8)}});
  OffsetsRecord record;
  record.kind = OffsetsRecordKind::group_metadata;
  record.tombstone = true;
  record.group = "billing";
  table_.apply(record);
  EXPECT_FALSE(table_.find("billing")->complete);
}

TEST_F(CommitTableTest, GroupsThatAreGoneAndRestartsAreForgotten) {
  put("billing", {{0, 1, Committed::at(8)}});
  put("stats", {{0, 1, Committed::at(8)}});
  table_.forget_others({"stats", "new"});
  EXPECT_EQ(table_.find("billing"), nullptr);
  EXPECT_EQ(table_.groups(), 1U);
  table_.restart();
  EXPECT_FALSE(table_.find("stats")->complete);
}

TEST_F(CommitTableTest, RandomGroupNamesTakeNoMemoryWithoutEnd) {
  for (int i = 0; i < 25'000; ++i) commit("random-" + std::to_string(i), "orders", 0, 1);
  EXPECT_EQ(table_.groups(), 20'000U);
}

TEST(PartitionOfGroupTest, IsJavasHash) {
  EXPECT_EQ(partition_of_group("", 50), 0);
  EXPECT_EQ(partition_of_group("a", 50), 97 % 50);
  EXPECT_EQ(partition_of_group("billing", 50), 109829509 % 50);  // "billing".hashCode() is -109829509
  EXPECT_EQ(partition_of_group("polygenelubricants", 50), 0);    // Integer.MIN_VALUE
  EXPECT_EQ(partition_of_group("müller", 50), std::nullopt);
  EXPECT_EQ(partition_of_group("a", 0), std::nullopt);
}

}  // namespace
}  // namespace weir::kafka
