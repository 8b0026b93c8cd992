#include "series/refusals.h"

#include <algorithm>

namespace weir::series {
namespace {

constexpr std::size_t kMostMetrics = 200;
constexpr std::size_t kMostNamed = 10;

}  // namespace

void Refusals::count(std::string_view metric) {
  if (metric.empty()) metric = "(no name)";
  auto found = counts_.find(metric);
  if (found == counts_.end()) {
    const std::string_view name = counts_.size() < kMostMetrics ? metric : "(others)";
    found = counts_.emplace(name, 0).first;
  }
  ++found->second;
}

std::vector<Refused> Refusals::most() const {
  std::vector<Refused> all;
  for (const auto& [metric, samples] : counts_) all.push_back({metric, samples});
  std::ranges::stable_sort(all, std::greater(), &Refused::samples);
  if (all.size() > kMostNamed) all.resize(kMostNamed);
  return all;
}

}  // namespace weir::series
