#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/batch.h"
#include "core/lineage.h"

namespace weir::collectors {

/// What became of one check, as its samples tell.
struct CheckOutcome {
  int outcome = 0;  // 0 passed, 1 warned, 2 failed, 3 could not be evaluated
  std::optional<double> value = {};
  std::map<std::string, std::string> attributes = {};  // owner, severity, dimension
  bool due = true;                                     // it is another than when it was last told, or all are due
  bool fresh = false;                                  // it was never told before
};

/// The checks of one dataset, by name.
struct DatasetOutcomes {
  core::Node node;   // of kind "table"; its name is the label `dataset`, with what a check's filter adds to it
  bool all = false;  // all checks are due: it is the first time, or they were not all told for `every`
  std::map<std::string, CheckOutcome> checks;
};

/// Remembers what was told of checks, so that the same is told again only each `every`. Bounded; used by one thread.
class CheckOutcomes {
 public:
  /// `whole`: all checks of a dataset are due whenever one is.
  explicit CheckOutcomes(core::Duration every, bool whole = false) : every_(every), whole_(whole) {}

  /// The datasets of a batch of which something is due, with all their checks.
  std::vector<DatasetOutcomes> take(std::string_view collector, const core::Batch& batch, core::Time now);

 private:
  struct Told {
    std::map<std::string, int> outcomes;  // by check
    core::Time all_at;
  };

  core::Duration every_;
  bool whole_;
  std::map<std::pair<std::string, core::Node>, Told> told_;  // by collector and dataset
};

}  // namespace weir::collectors
