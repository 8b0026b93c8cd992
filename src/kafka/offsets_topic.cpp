#include "kafka/offsets_topic.h"

#include <type_traits>

namespace weir::kafka {
namespace {

/// Reads Kafka's primitive types. After the first thing that does not fit, everything reads as empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return left_.size(); }

  template <class Number>
  Number number() {
    const std::string_view bytes = take(sizeof(Number));
    std::make_unsigned_t<Number> value = 0;
    for (const char byte : bytes) {
      value = static_cast<std::make_unsigned_t<Number>>((static_cast<std::uint64_t>(value) << 8U) |
                                                        static_cast<unsigned char>(byte));
    }
    return static_cast<Number>(value);
  }

  std::uint32_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= 28; shift += 7) {
      const std::string_view byte = take(1);
      if (!ok_) return 0;
      const auto bits = static_cast<unsigned char>(byte[0]);
      value |= static_cast<std::uint64_t>(bits & 0x7FU) << shift;
      if ((bits & 0x80U) != 0) continue;
      if (value > 0xFFFFFFFFU) break;
      return static_cast<std::uint32_t>(value);
    }
    fail();
    return 0;
  }

  /// A text of the older encoding, or of the flexible one; null reads as "" where it is allowed.
  std::string_view text(bool flexible, bool nullable = false) {
    const std::int64_t size = flexible ? static_cast<std::int64_t>(varint()) - 1 : number<std::int16_t>();
    return sized(size, nullable);
  }

  std::string_view bytes(bool flexible) {
    const std::int64_t size = flexible ? static_cast<std::int64_t>(varint()) - 1 : number<std::int32_t>();
    return sized(size, false);
  }

  /// The number of elements of an array, each of which takes at least `least` bytes.
  std::size_t count(bool flexible, std::size_t least) {
    const std::int64_t size = flexible ? static_cast<std::int64_t>(varint()) - 1 : number<std::int32_t>();
    if (!ok_) return 0;
    if (size < 0 || static_cast<std::uint64_t>(size) > left_.size() / least) {
      fail();
      return 0;
    }
    return static_cast<std::size_t>(size);
  }

  /// Tagged fields, which later releases add to.
  void skip_tags() {
    const std::uint32_t fields = varint();
    for (std::uint32_t i = 0; i < fields && ok_; ++i) {
      varint();  // tag
      take(varint());
    }
  }

 private:
  void fail() {
    ok_ = false;
    left_ = {};
  }

  std::string_view sized(std::int64_t size, bool nullable) {
    if (!ok_) return {};
    if (size < 0) {
      if (!nullable || size != -1) fail();
      return {};
    }
    return take(static_cast<std::size_t>(size));
  }

  std::string_view take(std::size_t size) {
    if (!ok_ || size > left_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
  bool ok_ = true;
};

enum class Outcome : std::uint8_t { read, unknown, malformed };

Outcome outcome_of(const Reader& reader) { return reader.ok() ? Outcome::read : Outcome::malformed; }

/// OffsetCommitValue, versions 0 to 4.
Outcome read_commit(std::string_view value, OffsetCommitRecord& commit) {
  Reader reader(value);
  const auto version = reader.number<std::int16_t>();
  if (reader.ok() && (version < 0 || version > 4)) return Outcome::unknown;
  const bool flexible = version >= 4;
  commit.offset = reader.number<std::int64_t>();
  if (version >= 3) commit.leader_epoch = reader.number<std::int32_t>();
  reader.text(flexible, true);  // metadata
  commit.committed_ms = reader.number<std::int64_t>();
  if (version == 1) reader.number<std::int64_t>();  // expires
  if (flexible) reader.skip_tags();
  return reader.ok() && commit.offset < 0 ? Outcome::malformed : outcome_of(reader);
}

/// GroupMetadataValue, versions 0 to 4.
Outcome read_group(std::string_view value, GroupMetadataRecord& group) {
  Reader reader(value);
  const auto version = reader.number<std::int16_t>();
  if (reader.ok() && (version < 0 || version > 4)) return Outcome::unknown;
  const bool flexible = version >= 4;
  group.protocol_type = reader.text(flexible);
  group.generation = reader.number<std::int32_t>();
  group.protocol = reader.text(flexible, true);
  group.leader = reader.text(flexible, true);
  if (version >= 2) group.state_since_ms = reader.number<std::int64_t>();
  const std::size_t members = reader.count(flexible, 8);
  for (std::size_t i = 0; i < members && reader.ok(); ++i) {
    ClassicMember& member = group.members.emplace_back();
    member.id = reader.text(flexible);
    if (version >= 3) reader.text(flexible, true);  // group instance
    member.client_id = reader.text(flexible);
    member.host = reader.text(flexible);
    if (version >= 1) reader.number<std::int32_t>();  // rebalance timeout
    reader.number<std::int32_t>();                    // session timeout
    reader.bytes(flexible);                           // subscription
    reader.bytes(flexible);                           // assignment
    if (flexible) reader.skip_tags();
  }
  if (flexible) reader.skip_tags();
  return outcome_of(reader);
}

/// ConsumerGroupMemberMetadataValue, version 0.
void read_member(Reader& reader, ConsumerGroupRecord& member) {
  reader.text(true, true);  // instance
  reader.text(true, true);  // rack
  member.client_id = reader.text(true);
  member.host = reader.text(true);
  const std::size_t topics = reader.count(true, 1);
  for (std::size_t i = 0; i < topics && reader.ok(); ++i) member.topics.push_back(reader.text(true));
  reader.text(true, true);        // regular expression
  reader.number<std::int32_t>();  // rebalance timeout
  reader.text(true, true);        // assignor
  reader.skip_tags();
}

/// A value of KIP-848's records, all of version 0 and flexible. Of those that are of no use only the version is read.
Outcome read_consumer(std::string_view value, ConsumerGroupRecord& record) {
  Reader reader(value);
  const auto version = reader.number<std::int16_t>();
  if (reader.ok() && version != 0) return Outcome::unknown;
  switch (record.type) {
    case 3:  // ConsumerGroupMetadataValue
    case 6:  // ConsumerGroupTargetAssignmentMetadataValue
      record.epoch = reader.number<std::int32_t>();
      reader.skip_tags();
      break;
    case 5: read_member(reader, record); break;
    case 8:  // ConsumerGroupCurrentMemberAssignmentValue: what is assigned is named by topic ids
      record.epoch = reader.number<std::int32_t>();
      break;
    default: break;
  }
  return outcome_of(reader);
}

OffsetsRecordKind kind_of(std::int16_t version) {
  if (version == 0 || version == 1) return OffsetsRecordKind::offset_commit;
  if (version == 2) return OffsetsRecordKind::group_metadata;
  if ((version >= 3 && version <= 8) || version == 16) return OffsetsRecordKind::consumer_group;
  if (version >= 9 && version <= 15) return OffsetsRecordKind::share_group;
  if (version >= 17 && version <= 24) return OffsetsRecordKind::streams_group;
  return OffsetsRecordKind::unknown;
}

Outcome read_value(std::string_view value, OffsetsRecord& record) {
  switch (record.kind) {
    case OffsetsRecordKind::offset_commit: return read_commit(value, record.commit);
    case OffsetsRecordKind::group_metadata: return read_group(value, record.metadata);
    case OffsetsRecordKind::consumer_group: return read_consumer(value, record.consumer);
    default: return Outcome::read;
  }
}

OffsetsRecord without_content(OffsetsRecordKind kind, std::int16_t version) {
  OffsetsRecord record;
  record.kind = kind;
  record.key_version = version;
  return record;
}

}  // namespace

std::string_view to_string(OffsetsRecordKind kind) {
  switch (kind) {
    case OffsetsRecordKind::offset_commit: return "offset_commit";
    case OffsetsRecordKind::group_metadata: return "group_metadata";
    case OffsetsRecordKind::consumer_group: return "consumer_group";
    case OffsetsRecordKind::share_group: return "share_group";
    case OffsetsRecordKind::streams_group: return "streams_group";
    case OffsetsRecordKind::unknown: return "unknown";
    case OffsetsRecordKind::malformed: return "malformed";
  }
  return "unknown";
}

OffsetsRecord decode_offsets_record(std::string_view key, std::optional<std::string_view> value) {
  Reader reader(key);
  const auto version = reader.number<std::int16_t>();
  if (!reader.ok()) return without_content(OffsetsRecordKind::malformed, -1);
  OffsetsRecord record = without_content(kind_of(version), version);
  if (record.kind == OffsetsRecordKind::unknown) return record;
  record.tombstone = !value.has_value();
  record.group = reader.text(false);  // of every key the first
  if (record.kind == OffsetsRecordKind::offset_commit) {
    record.commit.topic = reader.text(false);
    record.commit.partition = reader.number<std::int32_t>();
    if (record.commit.partition < 0 || record.commit.topic.empty()) {
      return without_content(OffsetsRecordKind::malformed, version);
    }
  }
  record.consumer.type = version;
  if (version == 5 || version == 7 || version == 8) record.consumer.member = reader.text(false);
  if (!reader.ok()) return without_content(OffsetsRecordKind::malformed, version);
  const Outcome outcome = value ? read_value(*value, record) : Outcome::read;
  if (outcome == Outcome::read) return record;
  return without_content(outcome == Outcome::unknown ? OffsetsRecordKind::unknown : OffsetsRecordKind::malformed,
                         version);
}

}  // namespace weir::kafka
