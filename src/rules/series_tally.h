#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/labels.h"

namespace weir::rules {

enum class SeriesCondition {
  fresh,    // new enough for an expression to use it
  lapsed,   // its last point is too old, and no marker says that it ended
  deleted,  // it ends with a staleness marker
};

struct FoundSeries {
  core::Labels labels;
  SeriesCondition condition = SeriesCondition::lapsed;
};

/// Counts, for any alert, the series it may come from: those that contradict none of its labels. A label that a series
/// lacks contradicts nothing. A thousand alerts over fifty thousand series are a thousand lookups.
class SeriesTally {
 public:
  struct Counts {
    std::size_t fresh = 0;
    std::size_t lapsed = 0;
    std::size_t deleted = 0;
  };

  /// `names` are the labels compared; the metric's name is never among them.
  SeriesTally(const std::vector<FoundSeries>& series, const std::vector<std::string>& names);
  Counts matching(const core::Labels& alert_labels) const;

 private:
  // Series by which of the names they have, then by the values of those.
  std::map<std::vector<std::string>, std::unordered_map<core::Labels, Counts>> tables_;
};

}  // namespace weir::rules
