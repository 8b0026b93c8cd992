#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/topics.h"
#include "core/batch.h"
#include "core/labels.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

/// Labels, and what was last counted, kept from cycle to cycle.
struct OffsetsStreamMemory {
  struct Group {
    core::Labels rate;
    core::Labels last_commit;
    std::optional<std::uint64_t> records;
    core::Time time;
    bool seen = false;
  };
  std::map<std::string, Group, std::less<>> groups;
  core::Labels live;
  core::Labels served;
  std::vector<core::Labels> records;  // by kind
};

/// Appends commit rate and time of the last commit of each group whose commits are streamed, and how the stream fares;
/// nothing where none is configured. The rate is absent in a group's first cycle, the time until it commits. Pure apart
/// from `memory`.
void offsets_stream(const kafka::Snapshot& snapshot, const KafkaCycle& cycle, OffsetsStreamMemory& memory,
                    core::Batch& batch);

std::span<const core::MetricInfo> offsets_stream_metrics();

}  // namespace weir::collectors
