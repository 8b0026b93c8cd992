#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/topics.h"
#include "core/batch.h"
#include "kafka/snapshot.h"

namespace weir::collectors {

inline core::Time at_second(int second) { return core::Time(std::chrono::seconds(1'700'000'000 + second)); }

/// A topic whose partitions have these start and end offsets, led and in sync.
inline kafka::Topic make_topic(const std::string& name, std::vector<std::pair<std::int64_t, std::int64_t>> offsets) {
  kafka::Topic topic;
  topic.name = name;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    topic.partitions.push_back({.id = static_cast<std::int32_t>(i),
                                .leader = 1,
                                .replicas = 3,
                                .in_sync = 3,
                                .start = offsets[i].first,
                                .end = offsets[i].second});
  }
  return topic;
}

/// The value of the series `text`, as Labels::to_string() writes it.
inline std::optional<double> value(const core::Batch& batch, const std::string& text) {
  const auto found = std::ranges::find_if(
      batch.samples, [&](const core::Sample& sample) { return sample.labels.to_string() == text; });
  return found == batch.samples.end() ? std::nullopt : std::optional(found->value);
}

inline std::vector<std::string> kinds(const core::Batch& batch) {
  std::vector<std::string> all;
  for (const core::Event& event : batch.events) all.push_back(event.kind);
  return all;
}

}  // namespace weir::collectors
