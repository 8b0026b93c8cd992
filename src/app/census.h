#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/labels.h"

namespace weir::app {

/// Whether the configured sources have been looked at since the start, so that what none of them has does not exist.
/// Pure; used by the judge's worker only.
class Census {
 public:
  /// Without sources nothing is ever covered: nobody has said yet what is configured.
  void expect(const std::vector<std::string>& sources);
  /// A cycle that saw its source, wholly or in part. Other sources than the expected ones do not count.
  void take(std::string_view source, const core::Batch& batch);
  /// A cycle that saw nothing.
  void miss(std::string_view source);

  /// Every source has ended a cycle, seen or not.
  bool all_tried() const;
  /// Every source was seen in its last two cycles, since rates need two, and no fault of those may hide what has these
  /// labels: one whose scope contradicts none of them.
  bool covers(const core::Labels& labels) const;

 private:
  struct Source {
    bool tried = false;
    std::size_t seen = 0;  // cycles in a row
    std::array<std::vector<core::Labels>, 2> hidden = {};
  };
  std::map<std::string, Source, std::less<>> sources_;
  bool expected_ = false;
};

/// Of the sources that are known from the last run those that can bring nothing any more: neither configured, nor
/// Weir's own on what is configured.
std::vector<std::string> gone_sources(const std::vector<std::string>& known, const std::vector<std::string>& configured,
                                      const std::vector<std::string>& rule_groups);

}  // namespace weir::app
