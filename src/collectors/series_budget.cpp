#include "collectors/series_budget.h"

#include <algorithm>
#include <numeric>

namespace weir::collectors {
namespace {

std::int64_t weight(const SeriesRange& range) {
  return range.lag + (*range.kept ? std::max<std::int64_t>(1, range.lag / 4) : 0);
}

/// Marks the heaviest ranges that find room as kept.
void choose(const std::vector<SeriesRange>& ranges, const std::vector<std::size_t>& costs, std::size_t room) {
  std::vector<std::uint32_t> order(ranges.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
    if ((ranges[a].lag < 0) != (ranges[b].lag < 0)) return ranges[b].lag < 0;
    return weight(ranges[a]) > weight(ranges[b]);
  });
  for (const std::uint32_t index : order) {
    const bool fits = costs[index] <= room;
    room = fits ? room - costs[index] : 0;
    *ranges[index].kept = fits;
  }
}

}  // namespace

std::size_t keep_within_budget(const std::vector<SeriesRange>& ranges, std::size_t max_series,
                               const std::function<std::size_t(const core::Labels&)>& count, core::Batch& batch) {
  auto& samples = batch.samples;
  const std::size_t before = samples.size();
  std::size_t total = 0;
  for (const core::Sample& sample : samples) total += count(sample.labels);
  if (total <= max_series) {
    for (const SeriesRange& range : ranges) *range.kept = true;
    return 0;
  }
  std::vector<std::size_t> costs;
  std::size_t removable = 0;
  for (const SeriesRange& range : ranges) {
    std::size_t cost = 0;
    for (std::size_t i = range.first; i < range.first + range.count; ++i) cost += count(samples[i].labels);
    costs.push_back(cost);
    removable += cost;
  }
  const std::size_t fixed = total - removable;
  choose(ranges, costs, max_series > fixed ? max_series - fixed : 0);
  std::size_t removed = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) removed += *ranges[i].kept ? 0 : costs[i];
  std::size_t to = 0;
  std::size_t from = 0;
  const auto keep_until = [&](std::size_t end) {
    for (; from < end; ++from, ++to) {
      if (to != from) samples[to] = std::move(samples[from]);
    }
  };
  for (const SeriesRange& range : ranges) {
    keep_until(range.first);
    if (*range.kept) {
      keep_until(range.first + range.count);
    } else {
      from += range.count;
    }
  }
  keep_until(before);
  samples.resize(to);
  return removed;
}

}  // namespace weir::collectors
