#pragma once

#include <memory>
#include <vector>

#include "core/error.h"
#include "core/series_source.h"

namespace weir::rules {

/// Label matchers with their patterns compiled; copies share them.
class MatcherSet {
 public:
  /// Errors: invalid, for a pattern that is none.
  static core::Result<MatcherSet> compile(const std::vector<core::Matcher>& matchers);
  bool holds(const core::Labels& labels) const;

 private:
  struct Compiled;
  std::shared_ptr<const std::vector<Compiled>> matchers_;
};

}  // namespace weir::rules
