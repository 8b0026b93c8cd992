#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "core/series_source.h"

namespace weir::rules {

/// A small series source in memory, for unit tests of rules and for queries over a file of samples. One thread.
class SampleSource : public core::SeriesSource {
 public:
  /// As Prometheus's head takes samples: in order of time within a series; the same one again is no error. Errors
  /// (invalid), after which nothing has changed: an older sample, or another value for the time of the newest.
  core::Result<void> append(const core::Labels& labels, core::Time time, double value);
  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override;

 private:
  std::vector<core::SeriesView> series_;
  std::unordered_map<core::Labels, std::size_t> known_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
  std::vector<std::size_t> all_;
};

}  // namespace weir::rules
