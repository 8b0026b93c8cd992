#include "series/store.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace weir::series {
namespace {

constexpr SeriesId kNone = 0xffffffffU;
constexpr std::size_t kFirstSlots = 1024;

}  // namespace

Store::Store(Limits limits) : limits_(limits), table_(kFirstSlots, kNone) {}

std::size_t Store::slot_of(const core::Labels& labels) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = labels.hash() & mask;
  while (table_[slot] != kNone && !(series_[table_[slot]].labels == labels)) slot = (slot + 1) & mask;
  return slot;
}

void Store::rehash(std::size_t slots) {
  table_.assign(slots, kNone);
  for (SeriesId id = 0; id < series_.size(); ++id) {
    if (!series_[id].labels.empty()) table_[slot_of(series_[id].labels)] = id;
  }
}

SeriesId Store::find_or_add(const core::Labels& labels, IngestReport& report) {
  std::size_t slot = slot_of(labels);
  if (table_[slot] != kNone) return table_[slot];
  if (live_ >= limits_.max_series || labels.empty()) {
    ++report.over_limit;
    return kNone;
  }
  SeriesId id = static_cast<SeriesId>(series_.size());
  if (free_.empty()) {
    series_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  series_[id].labels = labels;
  index_.add(id, labels);
  ++live_;
  if (live_ * 2 > table_.size()) {
    rehash(table_.size() * 2);
  } else {
    table_[slot] = id;
  }
  return id;
}

bool Store::append(Series& series, core::Point point) {
  if (!series.chunks.empty() && point.time <= series.chunks.back().last().time) return false;
  if (series.chunks.empty() || series.chunks.back().full()) {
    if (!series.chunks.empty()) series.chunks.back().seal();
    series.chunks.emplace_back();
  }
  series.chunks.back().append(point);
  return true;
}

IngestReport Store::ingest(std::string_view source, const core::Batch& batch, core::Time now) {
  IngestReport report;
  const std::unique_lock lock(mutex_);
  ++batches_;
  auto found = sources_.find(source);
  if (found == sources_.end()) found = sources_.emplace(std::string(source), std::vector<SeriesId>()).first;
  std::vector<SeriesId> written;
  written.reserve(batch.samples.size());
  for (const core::Sample& sample : batch.samples) {
    const SeriesId id = find_or_add(sample.labels, report);
    if (id == kNone) continue;
    Series& series = series_[id];
    series.batch = batches_;
    append(series, {sample.time, sample.value}) ? ++report.appended : ++report.out_of_order;
    written.push_back(id);
  }
  end_missing(written, found->second, batch, now, report);
  found->second = std::move(written);
  return report;
}

void Store::end_missing(std::vector<SeriesId>& written, const std::vector<SeriesId>& previous, const core::Batch& batch,
                        core::Time now, IngestReport& report) {
  for (const SeriesId id : previous) {
    Series& series = series_[id];
    if (series.batch == batches_) continue;
    const bool unknown = std::ranges::any_of(
        batch.faults, [&](const core::Fault& fault) { return series.labels.includes(fault.scope); });
    if (unknown) {
      written.push_back(id);
      continue;
    }
    if (append(series, {now, core::stale_marker()})) ++report.stale;
  }
}

void Store::drop_before(core::Time oldest) {
  std::vector<bool> gone(series_.size(), false);
  bool any = false;
  for (SeriesId id = 0; id < series_.size(); ++id) {
    Series& series = series_[id];
    if (series.labels.empty()) continue;
    std::erase_if(series.chunks, [&](const Chunk& chunk) { return chunk.last().time < oldest; });
    if (!series.chunks.empty()) continue;
    gone[id] = true;
    any = true;
  }
  if (!any) return;
  index_.remove_if([&](SeriesId id) { return gone[id]; });
  for (auto& [source, ids] : sources_) std::erase_if(ids, [&](SeriesId id) { return gone[id]; });
  for (SeriesId id = 0; id < series_.size(); ++id) {
    if (!gone[id]) continue;
    series_[id] = Series();
    free_.push_back(id);
    --live_;
  }
  rehash(table_.size());
}

std::size_t Store::chunk_bytes() const {
  std::size_t bytes = 0;
  for (const Series& series : series_) {
    for (const Chunk& chunk : series.chunks) bytes += chunk.bytes() + sizeof(Chunk);
  }
  return bytes;
}

void Store::prune(core::Time now) {
  const std::unique_lock lock(mutex_);
  core::Duration kept = limits_.retention;
  drop_before(now - kept);
  while (chunk_bytes() > limits_.max_bytes && kept > std::chrono::minutes(5)) {
    kept = kept * 9 / 10;
    drop_before(now - kept);
  }
}

void Store::read(const Series& series, const core::Selection& selection, std::vector<core::Point>& out) {
  if (selection.newest_only) {
    for (auto chunk = series.chunks.rbegin(); chunk != series.chunks.rend(); ++chunk) {
      if (chunk->first_time() > selection.to) continue;
      if (chunk->last().time < selection.from) return;
      if (chunk->last().time <= selection.to) {
        out.push_back(chunk->last());
        return;
      }
      std::vector<core::Point> points;
      chunk->read(selection.from, selection.to, points);
      if (!points.empty()) out.push_back(points.back());
      if (!points.empty()) return;
    }
    return;
  }
  for (const Chunk& chunk : series.chunks) chunk.read(selection.from, selection.to, out);
}

core::Result<std::vector<core::SeriesView>> Store::select(const core::Selection& selection) const {
  const auto matchers = CompiledMatchers::compile(selection.matchers);
  if (!matchers) return std::unexpected(matchers.error());
  std::vector<core::SeriesView> views;
  const auto take = [&](const Series& series) {
    if (series.labels.empty() || !matchers->match(series.labels)) return;
    core::SeriesView view{series.labels, {}};
    read(series, selection, view.points);
    if (!view.points.empty()) views.push_back(std::move(view));
  };
  const std::shared_lock lock(mutex_);
  if (const auto ids = index_.candidates(selection.matchers)) {
    for (const SeriesId id : *ids) take(series_[id]);
  } else {
    for (const Series& series : series_) take(series);
  }
  return views;
}

std::vector<std::string> Store::label_names() const {
  const std::shared_lock lock(mutex_);
  return index_.label_names();
}

std::vector<std::string> Store::label_values(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  return index_.label_values(name);
}

StoreStats Store::stats() const {
  const std::shared_lock lock(mutex_);
  StoreStats stats{.series = live_, .samples = 0, .chunk_bytes = chunk_bytes()};
  for (const Series& series : series_) {
    for (const Chunk& chunk : series.chunks) stats.samples += chunk.size();
  }
  return stats;
}

}  // namespace weir::series
