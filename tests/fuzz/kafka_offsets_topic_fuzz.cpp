#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kafka/offsets_topic.h"

namespace {

/// Whether `part` lies in `whole`, or is empty.
bool within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

// The first byte says how long the key is. Whatever it reads lies in what was given; members are no more than bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view key = all.substr(0, std::min<std::size_t>(data[0], all.size()));
  const std::string_view value = all.substr(key.size());
  const auto record = weir::kafka::decode_offsets_record(key, value);
  if (!within(record.group, key) || !within(record.commit.topic, key) || !within(record.consumer.member, key))
    std::abort();
  if (record.metadata.members.size() > value.size() || record.consumer.topics.size() > value.size()) std::abort();
  for (const auto& member : record.metadata.members) {
    if (!within(member.id, value) || !within(member.host, value)) std::abort();
  }
  if (record.kind == weir::kafka::OffsetsRecordKind::offset_commit && record.commit.partition < 0) std::abort();
  (void)weir::kafka::decode_offsets_record(key, std::nullopt);
  return 0;
}
