#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "app/own_errors.h"
#include "core/batch.h"
#include "core/error.h"
#include "core/time.h"
#include "series/store.h"
#include "storage/file_lock.h"

namespace weir::app {

/// Keeps the series over a restart, in a snapshot file, and says how the store fares. Owned by App. load() and save()
/// are called by one thread at a time; append_samples() by any.
class SeriesKeeper {
 public:
  /// `path` is that of the database, beside which the snapshot lies; nothing is kept where it is ":memory:".
  /// `errors` is told why a snapshot fails, where it is given.
  SeriesKeeper(series::Store& store, const std::string& path, OwnErrors* errors = nullptr);

  /// Keeps other Weirs away from the snapshot as long as this lives. Errors (storage): another one has it. A folder
  /// that takes no lock takes no snapshot either, which save() tells.
  core::Result<void> hold();
  /// Takes up the last snapshot. One that cannot be used is set aside and logged, and the series begin anew.
  void load(core::Time now);
  /// Blocks for about a second a hundred megabytes. Logs when it begins to fail and when it works again.
  void save(core::Time now);

  static std::span<const core::MetricInfo> metrics();
  void append_samples(std::vector<core::Sample>& samples, core::Time now);

 private:
  struct Saved {
    core::Time at;
    double seconds = 0;
    std::size_t bytes = 0;
  };
  void append_counter(std::vector<core::Sample>& samples, core::Labels labels, core::Time now, double value);

  void note_error(const char* operation, const std::string& error);

  series::Store& store_;
  OwnErrors* errors_;
  std::unique_ptr<storage::FileLock> lock_;
  std::string path_;   // empty: not kept
  std::string error_;  // of the last save
  std::mutex mutex_;   // of what follows
  std::optional<Saved> saved_;
  double load_failures_ = 0;
  double save_failures_ = 0;
  std::set<core::Labels> counters_;  // that have been shown; a bounded number
};

}  // namespace weir::app
