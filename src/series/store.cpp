#include "series/store.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <mutex>
#include <utility>

namespace weir::series {
namespace {

constexpr SeriesId kNone = 0xffffffffU;
constexpr std::size_t kFirstSlots = 1024;
constexpr core::Duration kTick{1};

constexpr core::Duration kAhead = std::chrono::minutes(10);  // of our clock, for what a snapshot holds

std::uint32_t tag_of(const core::Labels& labels) { return static_cast<std::uint32_t>(labels.hash() >> 32U); }

}  // namespace

Store::Store(Limits limits) : limits_(std::move(limits)), table_(kFirstSlots, Slot{0, kNone}) {}

std::size_t Store::slot_of(const core::Labels& labels) const {
  const std::size_t mask = table_.size() - 1;
  const std::uint32_t tag = tag_of(labels);
  std::size_t slot = labels.hash() & mask;
  while (table_[slot].id != kNone && !(table_[slot].tag == tag && series_[table_[slot].id].labels == labels))
    slot = (slot + 1) & mask;
  return slot;
}

void Store::rehash(std::size_t slots) {
  table_.assign(slots, Slot{0, kNone});
  for (SeriesId id = 0; id < series_.size(); ++id) {
    const core::Labels& labels = series_[id].labels;
    if (!labels.empty()) table_[slot_of(labels)] = {tag_of(labels), id};
  }
}

std::uint32_t Store::source_of(std::string_view name) {
  const auto found = source_numbers_.find(name);
  if (found != source_numbers_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(sources_.size());
  const bool reserved =
      std::ranges::any_of(limits_.reserved, [&](const std::string& prefix) { return name.starts_with(prefix); });
  sources_.push_back({.name = std::string(name), .reserved = reserved, .newest = core::Time::min(), .ids = {}});
  source_numbers_.emplace(name, number);
  return number;
}

SeriesId Store::find_or_add(const core::Labels& labels, const Source& source, IngestReport& report) {
  const std::size_t slot = slot_of(labels);
  if (table_[slot].id != kNone) return table_[slot].id;
  if (labels.empty() || live_ >= limits_.max_series + (source.reserved ? limits_.reserve : 0)) {
    ++report.over_limit;
    refused_now_.count(labels.name());
    refused_.count(labels.name());
    return kNone;
  }
  return add(labels, slot);
}

SeriesId Store::add(const core::Labels& labels, std::size_t slot) {
  auto id = static_cast<SeriesId>(series_.size());
  if (free_.empty()) {
    // By a 32nd rather than doubled: what is not used here is as much as all labels.
    if (series_.size() == series_.capacity())
      series_.reserve(series_.size() + std::max(kFirstSlots, series_.size() / 32));
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
    table_[slot] = {tag_of(labels), id};
  }
  return id;
}

void Store::append_in_order(Series& series, core::Point point) {
  bytes_ -= series.open.bytes();
  if (!series.open.accepts(point.time)) {
    series.chunks.push_back(series.open.seal());
    bytes_ += series.chunks.back().bytes();
    series.open = ChunkBuilder();
  }
  series.open.append(point);
  bytes_ += series.open.bytes();
  ++samples_;
}

Store::Appended Store::append(Series& series, core::Point point) {
  if (series.open.empty() || point.time > series.open.last().time) {
    append_in_order(series, point);
    return Appended::in_order;
  }
  if (series.open.last().time - point.time > kLateness) return Appended::too_old;
  return append_late(series, point);
}

Store::Appended Store::append_late(Series& series, core::Point point) {
  // Only the chunks that reach past the point are written anew.
  std::size_t kept = series.chunks.size();
  while (kept > 0 && series.chunks[kept - 1].last_time() >= point.time) --kept;
  std::vector<core::Point> points;
  for (std::size_t i = kept; i < series.chunks.size(); ++i)
    series.chunks[i].read(core::Time::min(), core::Time::max(), points);
  series.open.read(core::Time::min(), core::Time::max(), points);
  const auto place = std::ranges::lower_bound(points, point.time, {}, &core::Point::time);
  if (place != points.end() && place->time == point.time) {
    const bool same = std::bit_cast<std::uint64_t>(place->value) == std::bit_cast<std::uint64_t>(point.value);
    return same ? Appended::same : Appended::duplicate;
  }
  points.insert(place, point);
  add_size(series, -1);
  series.chunks.erase(series.chunks.begin() + static_cast<std::ptrdiff_t>(kept), series.chunks.end());
  series.open = ChunkBuilder();
  add_size(series, 1);
  for (const core::Point& each : points) append_in_order(series, each);
  return Appended::late;
}

IngestReport Store::ingest(std::string_view source, const core::Batch& batch, core::Time now) {
  IngestReport report;
  const std::unique_lock lock(mutex_);
  ++batches_;
  refused_now_.clear();
  const std::uint32_t number = source_of(source);
  const bool late = now < sources_[number].newest;
  std::vector<SeriesId> written = write(number, batch, late, report);
  if (late) {
    // The newest batch did not have these, so they ended no later than with it.
    for (const SeriesId id : written) {
      if (series_[id].source == kNoSource && end(series_[id], sources_[number].newest)) ++report.stale;
    }
  } else {
    Source& from = sources_[number];
    report.same_series = !from.kept_unseen && report.over_limit == 0 && written == from.ids;
    const std::size_t seen = written.size();
    end_missing(number, written, batch, now, report);
    from.kept_unseen = written.size() > seen;
    from.newest = now;
    from.ids = std::move(written);
  }
  report.refused = refused_now_.most();
  totals_.over_limit += report.over_limit;
  totals_.out_of_order += report.out_of_order;
  totals_.duplicate += report.duplicate;
  return report;
}

/// Returns the series written; of a late batch those that the newest batch did not have.
std::vector<SeriesId> Store::write(std::uint32_t source, const core::Batch& batch, bool late, IngestReport& report) {
  const Source& from = sources_[source];
  std::vector<SeriesId> written;
  written.reserve(batch.samples.size());
  std::size_t expected = 0;  // where in the last batch this sample's series probably was
  for (const core::Sample& sample : batch.samples) {
    const bool known = expected < from.ids.size() && series_[from.ids[expected]].labels == sample.labels;
    const SeriesId id = known ? from.ids[expected] : find_or_add(sample.labels, from, report);
    if (id == kNone) continue;
    Series& series = series_[id];
    if (series.source == source) expected = series.position + 1;
    switch (append(series, {sample.time, sample.value})) {
      case Appended::late: ++report.late; [[fallthrough]];
      case Appended::in_order: ++report.appended; break;
      case Appended::same: break;
      case Appended::duplicate: ++report.duplicate; break;
      case Appended::too_old: ++report.out_of_order; break;
    }
    if (late) {
      if (series.source != source) written.push_back(id);
      continue;
    }
    series.batch = batches_;
    series.source = source;
    series.position = static_cast<std::uint32_t>(written.size());
    written.push_back(id);
  }
  return written;
}

void Store::end_missing(std::uint32_t source, std::vector<SeriesId>& written, const core::Batch& batch, core::Time now,
                        IngestReport& report) {
  for (const SeriesId id : sources_[source].ids) {
    Series& series = series_[id];
    if (series.source != source || series.batch == batches_) continue;
    const bool unknown = std::ranges::any_of(
        batch.faults, [&](const core::Fault& fault) { return series.labels.includes(fault.scope); });
    if (unknown) {
      series.batch = batches_;
      series.position = static_cast<std::uint32_t>(written.size());
      written.push_back(id);
    } else if (end(series, now)) {
      ++report.stale;
    }
  }
}

/// Whether it had not ended already.
bool Store::end(Series& series, core::Time now) {
  series.source = kNoSource;
  if (core::is_stale_marker(series.open.last().value)) return false;
  append_in_order(series, {std::max(now, series.open.last().time + kTick), core::stale_marker()});
  return true;
}

void Store::add_size(const Series& series, int sign) {
  std::size_t samples = series.open.size();
  std::size_t bytes = series.open.bytes();
  for (const Chunk& chunk : series.chunks) {
    samples += chunk.size();
    bytes += chunk.bytes();
  }
  samples_ = sign > 0 ? samples_ + samples : samples_ - samples;
  bytes_ = sign > 0 ? bytes_ + bytes : bytes_ - bytes;
}

void Store::forget(const std::vector<bool>& gone) {
  index_.remove_if([&](SeriesId id) { return gone[id]; });
  for (Source& source : sources_) {
    if (std::erase_if(source.ids, [&](SeriesId id) { return gone[id]; }) == 0) continue;
    for (std::size_t i = 0; i < source.ids.size(); ++i) series_[source.ids[i]].position = static_cast<std::uint32_t>(i);
  }
  for (SeriesId id = 0; id < series_.size(); ++id) {
    if (!gone[id]) continue;
    series_[id] = Series();
    free_.push_back(id);
    --live_;
  }
  rehash(table_.size());
}

void Store::drop_before(core::Time oldest) {
  std::vector<bool> gone(series_.size(), false);
  bool any = false;
  for (SeriesId id = 0; id < series_.size(); ++id) {
    Series& series = series_[id];
    if (series.labels.empty()) continue;
    const bool ended = series.open.last().time < oldest;
    if (!ended && (series.chunks.empty() || series.chunks.front().last_time() >= oldest)) continue;
    add_size(series, -1);
    gone[id] = ended;
    any = any || ended;
    if (ended) continue;
    std::erase_if(series.chunks, [&](const Chunk& chunk) { return chunk.last_time() < oldest; });
    add_size(series, 1);
  }
  if (any) forget(gone);
}

/// The time before which everything must go for `bytes` to suffice. What live series are appending to stays.
core::Time Store::oldest_within(std::size_t bytes) const {
  std::map<std::chrono::sys_time<std::chrono::minutes>, std::size_t> ends;  // bytes of chunks that end in the minute
  for (const Series& series : series_) {
    for (const Chunk& chunk : series.chunks)
      ends[std::chrono::floor<std::chrono::minutes>(chunk.last_time())] += chunk.bytes();
    if (series.source == kNoSource && !series.open.empty())
      ends[std::chrono::floor<std::chrono::minutes>(series.open.last().time)] += series.open.bytes();
  }
  std::size_t left = bytes_;
  for (const auto& [minute, size] : ends) {
    if (left <= bytes) return minute;
    left -= size;
  }
  return ends.empty() ? core::Time::min() : core::Time(std::prev(ends.end())->first + std::chrono::minutes(1));
}

void Store::prune(core::Time now) {
  const std::unique_lock lock(mutex_);
  drop_before(now - limits_.retention);
  // A little more than needed goes, so that it is not done each time.
  if (bytes_ > limits_.max_bytes) drop_before(oldest_within(limits_.max_bytes / 20 * 19));
}

std::vector<SeriesId> Store::find(std::span<const Matcher> matchers) const {
  return index_.find(matchers, [this](SeriesId id) -> const core::Labels& { return series_[id].labels; });
}

/// What must be decoded goes to `chunks`; but what few samples give goes to `points` at once.
void Store::range_in(const Series& series, const core::Selection& selection, std::vector<Chunk>& chunks,
                     std::vector<core::Point>& points) {
  const std::size_t before = chunks.size();
  for (const Chunk& chunk : series.chunks) {
    if (chunk.first_time() <= selection.to && chunk.last_time() >= selection.from) chunks.push_back(chunk);
  }
  if (series.open.first_time() > selection.to || series.open.last().time < selection.from) return;
  if (chunks.size() == before && series.open.reads_fast(selection.from)) {
    series.open.read(selection.from, selection.to, points);
  } else {
    chunks.push_back(series.open.seal());
  }
}

/// The newest point of the span goes to `points`; where it must be decoded, its chunk goes to `chunks`.
void Store::newest_in(const Series& series, const core::Selection& selection, std::vector<Chunk>& chunks,
                      std::vector<core::Point>& points) {
  const core::Point last = series.open.last();
  if (last.time <= selection.to) {
    if (last.time >= selection.from) points.push_back(last);
  } else if (series.open.first_time() <= selection.to) {
    chunks.push_back(series.open.seal());
  } else {
    const auto later = std::ranges::upper_bound(series.chunks, selection.to, {}, &Chunk::first_time);
    if (later != series.chunks.begin() && std::prev(later)->last_time() >= selection.from)
      chunks.push_back(*std::prev(later));
  }
}

core::Result<void> Store::visit(const core::Selection& selection, const Visitor& visitor) const {
  const auto matchers = compile(selection.matchers);
  if (!matchers) return std::unexpected(matchers.error());
  struct Found {
    core::Labels labels;
    std::size_t chunks_end;
    std::size_t points_end;
  };
  std::vector<Found> found;
  std::vector<Chunk> chunks;         // what must be decoded, once the writer may go on
  std::vector<core::Point> decoded;  // what needed no decoding
  {
    const std::shared_lock lock(mutex_);
    const std::vector<SeriesId> ids = find(*matchers);
    found.reserve(ids.size());
    if (selection.newest_only) decoded.reserve(ids.size());
    for (const SeriesId id : ids) {
      const std::size_t before = chunks.size() + decoded.size();
      selection.newest_only ? newest_in(series_[id], selection, chunks, decoded)
                            : range_in(series_[id], selection, chunks, decoded);
      if (chunks.size() + decoded.size() > before) found.push_back({series_[id].labels, chunks.size(), decoded.size()});
    }
  }
  std::size_t next_chunk = 0;
  std::size_t next_point = 0;
  std::vector<core::Point> points;
  for (const Found& one : found) {
    std::span<const core::Point> given(decoded.data() + next_point, one.points_end - next_point);
    if (next_chunk < one.chunks_end) {
      points.clear();
      while (next_chunk < one.chunks_end) chunks[next_chunk++].read(selection.from, selection.to, points);
      given = points;
      if (selection.newest_only && !given.empty()) given = given.last(1);
    }
    next_point = one.points_end;
    if (given.empty()) continue;
    if (auto visited = visitor(one.labels, given); !visited) return visited;
  }
  return {};
}

core::Result<std::vector<core::SeriesView>> Store::select(const core::Selection& selection) const {
  std::vector<core::SeriesView> views;
  std::size_t total = 0;
  auto done = visit(selection, [&](const core::Labels& labels, std::span<const core::Point> points) {
    total += points.size();
    if (total <= limits_.max_selected) {
      views.push_back({labels, {points.begin(), points.end()}});
      return core::Result<void>();
    }
    return core::Result<void>(core::fail(
        core::ErrorKind::limit,
        "more than " + std::to_string(limits_.max_selected) + " samples: narrow the selector or shorten the range"));
  });
  if (!done) return std::unexpected(done.error());
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
  StoreStats stats = totals_;
  stats.series = live_;
  stats.max_series = limits_.max_series;
  stats.samples = samples_;
  stats.chunk_bytes = bytes_;
  stats.refused = refused_.most();
  return stats;
}

std::vector<std::string> Store::sources() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const Source& source : sources_) names.push_back(source.name);
  return names;
}

std::size_t Store::copy(std::size_t slot, std::size_t most, std::vector<SeriesRecord>& records) const {
  const std::shared_lock lock(mutex_);
  const std::size_t end = std::min(series_.size(), slot + most);
  for (; slot < end; ++slot) {
    const Series& series = series_[slot];
    if (series.labels.empty()) continue;
    SeriesRecord& record = records.emplace_back(series.labels, series.chunks, series.source);
    record.chunks.push_back(series.open.seal());
  }
  return slot < series_.size() ? slot : 0;
}

RestoreReport Store::restore(const std::vector<std::string>& sources, std::vector<SeriesRecord> records,
                             core::Time now) {
  RestoreReport report;
  const std::unique_lock lock(mutex_);
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : sources) numbers.push_back(source_of(name));
  std::vector<core::Point> points;
  for (SeriesRecord& record : records) {
    report.from_future +=
        std::erase_if(record.chunks, [&](const Chunk& chunk) { return chunk.last_time() > now + kAhead; });
    if (record.chunks.empty()) continue;
    const std::uint32_t source = record.source < numbers.size() ? numbers[record.source] : kNoSource;
    const bool reserved = source != kNoSource && sources_[source].reserved;
    if (live_ >= limits_.max_series + (reserved ? limits_.reserve : 0)) {
      ++report.over_limit;
      continue;
    }
    Series& series = series_[add(record.labels, slot_of(record.labels))];
    points.clear();
    record.chunks.back().read(core::Time::min(), core::Time::max(), points);
    record.chunks.pop_back();
    series.chunks = std::move(record.chunks);
    add_size(series, 1);
    for (const core::Point& point : points) append_in_order(series, point);
    if (source == kNoSource) continue;
    series.source = source;
    series.position = static_cast<std::uint32_t>(sources_[source].ids.size());
    sources_[source].ids.push_back(static_cast<SeriesId>(&series - series_.data()));
  }
  report.series = live_;
  report.samples = samples_;
  return report;
}

}  // namespace weir::series
