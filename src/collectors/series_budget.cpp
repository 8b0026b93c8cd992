#include "collectors/series_budget.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace weir::collectors {

SeriesBudget::SeriesBudget(std::size_t max_series, std::function<std::size_t(const core::Labels&)> count)
    : max_series_(max_series), count_(std::move(count)) {}

void SeriesBudget::begin_cycle() {
  ranges_.clear();
  not_built_ = 0;
}

bool SeriesBudget::leaves_out(std::int64_t lag, bool kept, std::size_t series) {
  // As in choose(): it would have to have a quarter more.
  const bool hopeless = lag <= least_kept_ || lag - least_kept_ <= least_kept_ / 4;
  if (kept || !hopeless) return false;
  not_built_ += series;
  return true;
}

void SeriesBudget::note(std::size_t first, const core::Batch& batch, std::int64_t lag, bool& kept) {
  if (batch.samples.size() == first) return;
  ranges_.push_back(
      {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(batch.samples.size() - first), lag, &kept, 0});
}

std::int64_t SeriesBudget::weight(const Range& range) {
  return range.lag + (*range.kept ? std::max<std::int64_t>(1, range.lag / 4) : 0);
}

void SeriesBudget::choose(std::size_t room) {
  std::vector<std::uint32_t> order(ranges_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
    if ((ranges_[a].lag < 0) != (ranges_[b].lag < 0)) return ranges_[b].lag < 0;
    return weight(ranges_[a]) > weight(ranges_[b]);
  });
  least_kept_ = std::numeric_limits<std::int64_t>::max();
  for (const std::uint32_t index : order) {
    const Range& range = ranges_[index];
    const bool fits = range.cost <= room;
    room = fits ? room - range.cost : 0;
    *range.kept = fits;
    if (fits) least_kept_ = std::min(least_kept_, range.lag);
  }
}

void SeriesBudget::remove(core::Batch& batch) const {
  auto& samples = batch.samples;
  std::size_t to = 0;
  std::size_t from = 0;
  const auto keep_until = [&](std::size_t end) {
    for (; from < end; ++from, ++to) {
      if (to != from) samples[to] = std::move(samples[from]);
    }
  };
  for (const Range& range : ranges_) {
    keep_until(range.first);
    if (*range.kept) {
      keep_until(range.first + range.count);
    } else {
      from += range.count;
    }
  }
  keep_until(samples.size());
  samples.resize(to);
}

std::size_t SeriesBudget::enforce(core::Batch& batch, std::size_t reserved) {
  std::size_t total = reserved;
  for (const core::Sample& sample : batch.samples) total += count_(sample.labels);
  if (total <= max_series_) {
    for (const Range& range : ranges_) *range.kept = true;
    // Where there is room again, all are built once, to choose anew.
    if (total < max_series_ - max_series_ / 10) least_kept_ = kNothing;
    return not_built_;
  }
  std::size_t removable = 0;
  for (Range& range : ranges_) {
    for (std::size_t i = range.first; i < range.first + range.count; ++i) range.cost += count_(batch.samples[i].labels);
    removable += range.cost;
  }
  const std::size_t fixed = total - removable;
  choose(max_series_ > fixed ? max_series_ - fixed : 0);
  std::size_t removed = 0;
  for (const Range& range : ranges_) removed += *range.kept ? 0 : range.cost;
  remove(batch);
  return removed + not_built_;
}

}  // namespace weir::collectors
