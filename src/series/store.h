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

namespace weir::series {

struct Limits {
  core::Duration retention = std::chrono::hours(6);
  std::size_t max_series = 500'000;
  std::size_t max_bytes = 256U << 20U;  // of samples; past it the oldest go first
};

/// What became of one batch.
struct IngestReport {
  std::size_t appended = 0;
  std::size_t out_of_order = 0;  // not later than the series' last sample: dropped
  std::size_t over_limit = 0;    // samples of new series past max_series: refused
  std::size_t stale = 0;         // series that ended
};

struct StoreStats {
  std::size_t series = 0;
  std::size_t samples = 0;
  std::size_t chunk_bytes = 0;
};

/// Time series in memory. One writer at a time, any number of readers; a reader waits at most for the
/// batch being written.
class Store : public core::SeriesSource {
 public:
  explicit Store(Limits limits);

  /// Appends a batch. A series that `source` wrote in its previous batch and that is neither in this one
  /// nor in the scope of one of its faults has ended: it gets a staleness marker at `now`.
  IngestReport ingest(std::string_view source, const core::Batch& batch, core::Time now);
  /// Drops what is older than the retention, and the oldest beyond max_bytes.
  void prune(core::Time now);

  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override;
  std::vector<std::string> label_names() const;
  std::vector<std::string> label_values(std::string_view name) const;
  StoreStats stats() const;

 private:
  struct Series {
    core::Labels labels;  // empty: a free slot
    std::vector<Chunk> chunks;
    std::uint64_t batch = 0;  // number of the batch that wrote it last
  };

  bool append(Series& series, core::Point point);
  SeriesId find_or_add(const core::Labels& labels, IngestReport& report);
  std::size_t slot_of(const core::Labels& labels) const;
  void rehash(std::size_t slots);
  void end_missing(std::vector<SeriesId>& written, const std::vector<SeriesId>& previous, const core::Batch& batch,
                   core::Time now, IngestReport& report);
  void drop_before(core::Time oldest);
  std::size_t chunk_bytes() const;
  static void read(const Series& series, const core::Selection& selection, std::vector<core::Point>& out);

  Limits limits_;
  mutable std::shared_mutex mutex_;
  std::vector<Series> series_;
  std::vector<SeriesId> free_;
  std::vector<SeriesId> table_;  // open addressing by hash of labels; kNone marks a free slot
  std::size_t live_ = 0;
  LabelIndex index_;
  std::map<std::string, std::vector<SeriesId>, std::less<>> sources_;  // what each wrote last
  std::uint64_t batches_ = 0;
};

}  // namespace weir::series
