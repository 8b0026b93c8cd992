#pragma once

#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/error.h"
#include "core/series_source.h"
#include "core/time.h"
#include "series/chunk.h"
#include "series/index.h"
#include "series/refusals.h"

namespace weir::series {

/// Samples that come late are put in their place when no older than this, seen from the series' newest.
inline constexpr core::Duration kLateness = std::chrono::minutes(1);

struct Limits {
  core::Duration retention = std::chrono::hours(6);
  std::size_t max_series = 500'000;
  std::size_t max_bytes = 256U << 20U;     // of samples; past it the oldest go first
  std::size_t max_selected = 50'000'000;   // points of one select
  std::size_t reserve = 0;                 // series past max_series that only the sources below may add
  std::vector<std::string> reserved = {};  // prefixes of sources; what tells of a full store must find room
};

/// What became of one batch.
struct IngestReport {
  std::size_t appended = 0;
  std::size_t late = 0;          // of the appended: older than the series' newest, put in their place
  std::size_t out_of_order = 0;  // more than kLateness older than the series' newest: dropped
  std::size_t duplicate = 0;     // another value for a time that has one: dropped
  std::size_t over_limit = 0;    // samples of new series past max_series: refused
  std::size_t stale = 0;         // series that ended
  bool same_series = false;      // exactly those of the source's batch before
  std::vector<Refused> refused;  // the metrics of over_limit, at most 10, most first
};

struct StoreStats {
  std::size_t series = 0;
  std::size_t max_series = 0;
  std::size_t samples = 0;
  std::size_t chunk_bytes = 0;  // of samples, their chunks included
  // Since the start:
  std::uint64_t out_of_order = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t over_limit = 0;
  std::vector<Refused> refused;  // at most 10 metrics, most first
};

/// One series as a snapshot holds it.
struct SeriesRecord {
  static constexpr std::uint32_t kEnded = 0xffffffffU;
  core::Labels labels;
  std::vector<Chunk> chunks;      // ascending in time, at least one
  std::uint32_t source = kEnded;  // whose last batch it was in
};

struct RestoreReport {
  std::size_t series = 0;
  std::size_t samples = 0;
  std::size_t over_limit = 0;   // series past max_series: left out
  std::size_t from_future = 0;  // chunks later than the clock: left out, as they would make all that follows late
};

/// Time series in memory. One writer at a time, any number of readers; a reader holds up a batch only while it
/// looks up its series, not while it decodes them.
class Store : public core::SeriesSource {
 public:
  explicit Store(Limits limits);

  /// Appends a batch. A series that `source` wrote in its previous batch and that is neither in this one
  /// nor in the scope of one of its faults has ended: it gets a staleness marker at `now`, or right after its
  /// newest sample where that is later. A batch with a `now` before the previous one's ends nothing.
  IngestReport ingest(std::string_view source, const core::Batch& batch, core::Time now);
  /// Drops what is older than the retention, and the oldest beyond max_bytes.
  void prune(core::Time now);

  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override;
  core::Result<void> visit(const core::Selection& selection, const Visitor& visitor) const override;
  std::vector<std::string> label_names() const;
  std::vector<std::string> label_values(std::string_view name) const;
  StoreStats stats() const;

  /// Names of sources, by the number that a SeriesRecord gives. Only ever grows.
  std::vector<std::string> sources() const;
  /// Appends the series in up to `most` slots from `slot` on to `records`, each as it stands; the writer waits
  /// meanwhile. Returns the slot to go on with, 0 at the end.
  std::size_t copy(std::size_t slot, std::size_t most, std::vector<SeriesRecord>& records) const;
  /// Fills an empty store. `records` name each series once; their sources are numbers of `sources`.
  RestoreReport restore(const std::vector<std::string>& sources, std::vector<SeriesRecord> records, core::Time now);

 private:
  static constexpr std::uint32_t kNoSource = SeriesRecord::kEnded;
  struct Series {
    core::Labels labels;  // empty: a free slot
    ChunkBuilder open;    // has a sample, once the slot is taken
    std::vector<Chunk> chunks;
    std::uint64_t batch = 0;           // number of the batch that wrote it last
    std::uint32_t source = kNoSource;  // in whose last batch it is; none once it has ended
    std::uint32_t position = 0;        // in that source's ids
  };
  struct Source {
    std::string name;
    bool reserved = false;
    core::Time newest = core::Time::min();  // `now` of the newest batch
    std::vector<SeriesId> ids;              // in the order of that batch, which the next one probably has
    bool kept_unseen = false;               // some are not in that batch, but in the scope of its faults
  };
  struct Slot {
    std::uint32_t tag;  // high half of the hash, so that a miss costs no look at the labels
    SeriesId id;
  };
  enum class Appended { in_order, late, same, duplicate, too_old };

  std::uint32_t source_of(std::string_view name);
  std::size_t slot_of(const core::Labels& labels) const;
  void rehash(std::size_t slots);
  SeriesId find_or_add(const core::Labels& labels, const Source& source, IngestReport& report);
  SeriesId add(const core::Labels& labels, std::size_t slot);
  Appended append(Series& series, core::Point point);
  void append_in_order(Series& series, core::Point point);
  Appended append_late(Series& series, core::Point point);
  std::vector<SeriesId> write(std::uint32_t source, const core::Batch& batch, bool late, IngestReport& report);
  void end_missing(std::uint32_t source, std::vector<SeriesId>& written, const core::Batch& batch, core::Time now,
                   IngestReport& report);
  bool end(Series& series, core::Time now);
  void drop_before(core::Time oldest);
  void forget(const std::vector<bool>& gone);
  core::Time oldest_within(std::size_t bytes) const;
  void add_size(const Series& series, int sign);
  std::vector<SeriesId> find(std::span<const Matcher> matchers) const;
  static void range_in(const Series& series, const core::Selection& selection, std::vector<Chunk>& chunks,
                       std::vector<core::Point>& points);
  static void newest_in(const Series& series, const core::Selection& selection, std::vector<Chunk>& chunks,
                        std::vector<core::Point>& points);

  Limits limits_;
  mutable std::shared_mutex mutex_;
  std::vector<Series> series_;
  std::vector<SeriesId> free_;
  std::vector<Slot> table_;  // open addressing by hash of labels; the id kNone marks a free slot
  std::size_t live_ = 0;
  std::size_t samples_ = 0;
  std::size_t bytes_ = 0;
  LabelIndex index_;
  std::vector<Source> sources_;
  std::map<std::string, std::uint32_t, std::less<>> source_numbers_;
  Refusals refused_;      // since the start
  Refusals refused_now_;  // of the batch in hand
  StoreStats totals_;     // what was dropped since the start
  std::uint64_t batches_ = 0;
};

}  // namespace weir::series
