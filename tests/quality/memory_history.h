#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/measurement.h"

namespace weir::quality {

/// Keeps measurements in memory; fails on demand.
class MemoryHistory final : public core::MeasurementHistory {
 public:
  core::Result<void> append(const std::vector<core::Measurement>& measurements) override {
    if (failure) return std::unexpected(*failure);
    for (const core::Measurement& each : measurements) kept[each.check].push_back(each);
    return {};
  }

  core::Result<std::vector<core::Measurement>> newest(const std::string& check, std::size_t limit) override {
    if (failure) return std::unexpected(*failure);
    std::vector<core::Measurement> all = kept[check];
    std::ranges::stable_sort(all, {}, &core::Measurement::time);
    if (all.size() > limit) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(limit));
    return all;
  }

  std::map<std::string, std::vector<core::Measurement>> kept;
  std::optional<core::Error> failure;
};

}  // namespace weir::quality
