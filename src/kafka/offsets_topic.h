#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::kafka {

/// What a record of __consumer_offsets is about. Kafka's message definitions (group-coordinator,
/// resources/common/message) are the source of every layout.
enum class OffsetsRecordKind : std::uint8_t {
  offset_commit,   // key version 0, 1; value 0 to 4
  group_metadata,  // key version 2; value 0 to 4: a classic group
  consumer_group,  // key version 3 to 8, 16: a group of KIP-848
  share_group,     // key version 9 to 15
  streams_group,   // key version 17 to 24
  unknown,         // of a later version: skipped
  malformed,       // not what its version says: skipped
};
inline constexpr std::size_t kOffsetsRecordKinds = 7;
/// "offset_commit" …, as the label of a metric.
std::string_view to_string(OffsetsRecordKind kind);

struct OffsetCommitRecord {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::int64_t committed_ms = -1;  // since 1970
};

struct ClassicMember {
  std::string_view id;
  std::string_view client_id;
  std::string_view host;
};

struct GroupMetadataRecord {
  std::string_view protocol_type;  // "consumer", "connect" …
  std::int32_t generation = 0;
  std::string_view protocol;  // "" for none
  std::string_view leader;
  std::int64_t state_since_ms = -1;
  std::vector<ClassicMember> members;
};

/// A KIP-848 group's record, as far as it is of use.
struct ConsumerGroupRecord {
  std::int16_t type = 0;              // its key's version
  std::string_view member;            // of types 5, 7 and 8
  std::optional<std::int32_t> epoch;  // group's (3), assignment's (6) or member's (8)
  std::string_view client_id;         // of type 5
  std::string_view host;
  std::vector<std::string_view> topics;  // subscribed to, of type 5
};

/// A record, decoded. Texts are parts of the key and value that were given.
struct OffsetsRecord {
  OffsetsRecordKind kind = OffsetsRecordKind::unknown;
  std::int16_t key_version = -1;
  bool tombstone = false;     // what it names was deleted
  std::string_view group;     // "" where kind is unknown or malformed
  OffsetCommitRecord commit;  // of offset_commit; of a tombstone topic and partition only
  GroupMetadataRecord metadata;
  ConsumerGroupRecord consumer;
};

/// Decodes a record; `value` is absent for a tombstone. Never reads beyond what is given, allocates no more than what
/// is given justifies, never fails: what cannot be decoded is `unknown` or `malformed`.
OffsetsRecord decode_offsets_record(std::string_view key, std::optional<std::string_view> value);

}  // namespace weir::kafka
