#include "kafka/offsets_topic.h"

#include <cstdint>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "support/source_dir.h"

namespace weir::kafka {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = OffsetsRecordKind;

/// Writes Kafka's primitive types.
class Bytes {
 public:
  template <class Number>
  Bytes& number(Number value) {
    for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8) {
      text_ += static_cast<char>((static_cast<std::uint64_t>(value) >> static_cast<unsigned>(shift)) & 0xFFU);
    }
    return *this;
  }
  Bytes& i8(int value) { return number(static_cast<std::int8_t>(value)); }
  Bytes& i16(int value) { return number(static_cast<std::int16_t>(value)); }
  Bytes& i32(std::int64_t value) { return number(static_cast<std::int32_t>(value)); }
  Bytes& i64(std::int64_t value) { return number(value); }
  Bytes& varint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7U) text_ += static_cast<char>((value & 0x7FU) | 0x80U);
    text_ += static_cast<char>(value);
    return *this;
  }
  Bytes& text(std::string_view value, bool flexible = false) {
    flexible ? varint(static_cast<std::uint32_t>(value.size()) + 1) : i16(static_cast<int>(value.size()));
    text_ += value;
    return *this;
  }
  Bytes& bytes(std::string_view value, bool flexible) {
    flexible ? varint(static_cast<std::uint32_t>(value.size()) + 1) : i32(static_cast<std::int64_t>(value.size()));
    text_ += value;
    return *this;
  }
  operator std::string() const { return text_; }

 private:
  std::string text_;
};

std::string commit_key(int version = 1) { return Bytes().i16(version).text("billing").text("orders").i32(3); }

std::string commit_value(int version) {
  Bytes bytes;
  bytes.i16(version).i64(4711);
  if (version >= 3) bytes.i32(9);
  bytes.text("note", version >= 4).i64(1'700'000'000'123);
  if (version == 1) bytes.i64(-1);
  if (version >= 4) bytes.varint(1).varint(7).varint(2).i16(0);  // a tagged field of a later release
  return bytes;
}

std::string group_value(int version) {
  const bool flexible = version >= 4;
  Bytes bytes;
  bytes.i16(version).text("consumer", flexible).i32(5).text("range", flexible).text("m-1", flexible);
  if (version >= 2) bytes.i64(1'700'000'000'000);
  flexible ? bytes.varint(2) : bytes.i32(1);
  bytes.text("m-1", flexible);
  if (version >= 3) bytes.text("static-1", flexible);
  bytes.text("client", flexible).text("/10.0.0.1", flexible);
  if (version >= 1) bytes.i32(60'000);
  bytes.i32(45'000).bytes("subscription", flexible).bytes("assignment", flexible);
  if (flexible) bytes.varint(0).varint(0);
  return bytes;
}

TEST(OffsetsTopicTest, EveryVersionOfACommitIsRead) {
  for (int key_version : {0, 1}) {
    for (int version = 0; version <= 4; ++version) {
      const std::string key = commit_key(key_version);
      const std::string value = commit_value(version);
      const OffsetsRecord record = decode_offsets_record(key, value);
      ASSERT_EQ(record.kind, Kind::offset_commit) << version;
      EXPECT_FALSE(record.tombstone);
      EXPECT_EQ(record.group, "billing");
      EXPECT_EQ(record.commit.topic, "orders");
      EXPECT_EQ(record.commit.partition, 3);
      EXPECT_EQ(record.commit.offset, 4711);
      EXPECT_EQ(record.commit.committed_ms, 1'700'000'000'123);
      EXPECT_EQ(record.commit.leader_epoch, version >= 3 ? 9 : -1);
    }
  }
}

TEST(OffsetsTopicTest, EveryVersionOfAClassicGroupIsRead) {
  const std::string key = Bytes().i16(2).text("billing");
  for (int version = 0; version <= 4; ++version) {
    const std::string value = group_value(version);
    const OffsetsRecord record = decode_offsets_record(key, value);
    ASSERT_EQ(record.kind, Kind::group_metadata) << version;
    EXPECT_EQ(record.metadata.protocol_type, "consumer");
    EXPECT_EQ(record.metadata.generation, 5);
    EXPECT_EQ(record.metadata.leader, "m-1");
    EXPECT_EQ(record.metadata.state_since_ms, version >= 2 ? 1'700'000'000'000 : -1);
    ASSERT_THAT(record.metadata.members, SizeIs(1));
    EXPECT_EQ(record.metadata.members[0].id, "m-1");
    EXPECT_EQ(record.metadata.members[0].client_id, "client");
    EXPECT_EQ(record.metadata.members[0].host, "/10.0.0.1");
  }
}

TEST(OffsetsTopicTest, AnEmptyGroupHasNeitherProtocolNorLeader) {
  const std::string key = Bytes().i16(2).text("billing");
  const std::string value = Bytes().i16(3).text("consumer").i32(6).i16(-1).i16(-1).i64(7).i32(0);
  const OffsetsRecord record = decode_offsets_record(key, value);
  ASSERT_EQ(record.kind, Kind::group_metadata);
  EXPECT_EQ(record.metadata.protocol, "");
  EXPECT_THAT(record.metadata.members, IsEmpty());
}

TEST(OffsetsTopicTest, WithoutAValueItWasDeleted) {
  const std::string key = commit_key();
  const OffsetsRecord record = decode_offsets_record(key, std::nullopt);
  EXPECT_EQ(record.kind, Kind::offset_commit);
  EXPECT_TRUE(record.tombstone);
  EXPECT_EQ(record.commit.topic, "orders");
  for (int version : {2, 3, 4, 6}) {
    const std::string group = Bytes().i16(version).text("billing");
    EXPECT_TRUE(decode_offsets_record(group, std::nullopt).tombstone);
    EXPECT_EQ(decode_offsets_record(group, std::nullopt).group, "billing");
  }
}

TEST(OffsetsTopicTest, RecordsOfTheNewerProtocolAreRead) {
  const std::string group_key = Bytes().i16(3).text("billing");
  const std::string group = Bytes().i16(0).i32(12).varint(1).varint(0).varint(8).i64(99);
  EXPECT_EQ(decode_offsets_record(group_key, group).consumer.epoch, 12);

  const std::string member_key = Bytes().i16(5).text("billing").text("m-1");
  const std::string member = Bytes()
                                 .i16(0)
                                 .varint(0)
                                 .varint(0)
                                 .text("app", true)
                                 .text("/10.0.0.1", true)
                                 .varint(3)
                                 .text("orders", true)
                                 .text("clicks", true)
                                 .varint(0)
                                 .i32(-1)
                                 .varint(0)
                                 .varint(0);
  const OffsetsRecord record = decode_offsets_record(member_key, member);
  ASSERT_EQ(record.kind, Kind::consumer_group);
  EXPECT_EQ(record.consumer.member, "m-1");
  EXPECT_EQ(record.consumer.client_id, "app");
  EXPECT_THAT(record.consumer.topics, ElementsAre("orders", "clicks"));

  const std::string current_key = Bytes().i16(8).text("billing").text("m-1");
  const std::string current = Bytes().i16(0).i32(12).i32(11).i8(0).varint(1).varint(1).varint(0);
  EXPECT_EQ(decode_offsets_record(current_key, current).consumer.epoch, 12);
}

TEST(OffsetsTopicTest, ShareAndStreamsGroupsAreToldApartAndSkipped) {
  for (int version = 9; version <= 15; ++version) {
    const std::string key = Bytes().i16(version).text("g");
    EXPECT_EQ(decode_offsets_record(key, "anything").kind, Kind::share_group);
  }
  const std::string regex = Bytes().i16(16).text("g").text("^orders");
  EXPECT_EQ(decode_offsets_record(regex, std::string("\0\0", 2)).kind, Kind::consumer_group);
  const std::string streams = Bytes().i16(17).text("g");
  EXPECT_EQ(decode_offsets_record(streams, "anything").kind, Kind::streams_group);
}

TEST(OffsetsTopicTest, LaterVersionsAreUnknownAndNotGuessed) {
  const std::string key = commit_key();
  EXPECT_EQ(decode_offsets_record(std::string(Bytes().i16(99).text("g")), "x").kind, Kind::unknown);
  EXPECT_EQ(decode_offsets_record(std::string(Bytes().i16(-1).text("g")), "x").kind, Kind::unknown);
  EXPECT_EQ(decode_offsets_record(key, std::string(Bytes().i16(5).i64(1))).kind, Kind::unknown);
  EXPECT_EQ(decode_offsets_record(std::string(Bytes().i16(3).text("g")), std::string(Bytes().i16(1).i32(1))).kind,
            Kind::unknown);
}

TEST(OffsetsTopicTest, WhatIsCutAnywhereIsMalformedAndNeverHalfRead) {
  for (int version = 0; version <= 4; ++version) {
    const std::string key = commit_key();
    const std::string value = commit_value(version);
    for (std::size_t size = 0; size < value.size(); ++size) {
      EXPECT_EQ(decode_offsets_record(key, value.substr(0, size)).kind, Kind::malformed) << version << ' ' << size;
    }
    for (std::size_t size = 0; size < key.size(); ++size) {
      EXPECT_EQ(decode_offsets_record(key.substr(0, size), value).kind, Kind::malformed) << size;
    }
    const std::string group = group_value(version);
    const std::string group_key = Bytes().i16(2).text("g");
    for (std::size_t size = 0; size < group.size(); ++size) {
      EXPECT_EQ(decode_offsets_record(group_key, group.substr(0, size)).kind, Kind::malformed)
          << version << ' ' << size;
    }
  }
}

TEST(OffsetsTopicTest, SizesThatAreLiesAllocateNothing) {
  const std::string key = Bytes().i16(2).text("g");
  for (std::int64_t members : {std::int64_t{-2}, std::int64_t{1} << 30, std::int64_t{0x7FFFFFFF}}) {
    const std::string value = Bytes().i16(0).text("consumer").i32(1).text("p").text("l").i32(members);
    EXPECT_EQ(decode_offsets_record(key, value).kind, Kind::malformed);
  }
  const std::string negative = Bytes().i16(1).text("g").i16(-5).i32(0);
  EXPECT_EQ(decode_offsets_record(negative, std::nullopt).kind, Kind::malformed);
  const std::string flexible = Bytes().i16(4).i64(1).i32(0).varint(0xFFFFFFFFU).i64(0);
  EXPECT_EQ(decode_offsets_record(commit_key(), flexible).kind, Kind::malformed);
  const std::string endless = std::string(Bytes().i16(4).i64(1).i32(0)) + std::string(10, '\xff');
  EXPECT_EQ(decode_offsets_record(commit_key(), endless).kind, Kind::malformed);
}

TEST(OffsetsTopicTest, ANegativePartitionOrOffsetIsMalformed) {
  const std::string key = Bytes().i16(1).text("g").text("t").i32(-1);
  EXPECT_EQ(decode_offsets_record(key, commit_value(3)).kind, Kind::malformed);
  const std::string value = Bytes().i16(0).i64(-1).text("").i64(1);
  EXPECT_EQ(decode_offsets_record(commit_key(), value).kind, Kind::malformed);
}

/// What a real broker wrote, and what its admin API said of it afterwards.
class RealRecordsTest : public testing::TestWithParam<const char*> {};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

TEST_P(RealRecordsTest, LeadToWhatTheAdminApiSays) {
  std::ifstream file(test::source_dir() + "/tests/kafka/data/consumer_offsets_" + GetParam() + ".txt");
  ASSERT_TRUE(file);
  std::map<std::string, std::int64_t> committed;
  std::map<std::string, std::int64_t> wanted;
  std::size_t members = 0;
  std::string what, key, value;
  while (file >> what >> key >> value) {
    if (what == "committed") {
      std::string partition, offset;
      file >> partition >> offset;
      wanted[key + "/" + value + "/" + partition] = std::stoll(offset);
      continue;
    }
    const std::string key_bytes = from_hex(key);
    const std::string value_bytes = from_hex(value);
    const bool deleted = value == "-";
    const OffsetsRecord record =
        decode_offsets_record(key_bytes, deleted ? std::nullopt : std::optional<std::string_view>(value_bytes));
    ASSERT_NE(record.kind, Kind::unknown) << key << ' ' << value;
    ASSERT_NE(record.kind, Kind::malformed) << key << ' ' << value;
    members += record.metadata.members.size() + (record.consumer.client_id.empty() ? 0 : 1);
    if (record.kind != Kind::offset_commit) continue;
    const std::string place = std::string(record.group) + "/" + std::string(record.commit.topic) + "/" +
                              std::to_string(record.commit.partition);
    committed.erase(place);
    if (!deleted) committed[place] = record.commit.offset;
  }
  EXPECT_EQ(committed, wanted);
  EXPECT_GT(wanted.size(), 5U);
  EXPECT_GT(members, 0U);
}

INSTANTIATE_TEST_SUITE_P(Kafka, RealRecordsTest, testing::Values("4.1.0", "3.9.1"), [](const auto& version) {
  return version.param[0] == '4' ? std::string("Four") : std::string("Three");
});

}  // namespace
}  // namespace weir::kafka
