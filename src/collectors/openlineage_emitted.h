#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/check_outcomes.h"
#include "collectors/openlineage.h"
#include "core/batch.h"

namespace weir::collectors {

/// Makes events of OpenLineage of Weir's own outcomes: a RunEvent that is complete, with the dataset as its input and
/// the outcomes in the facet dataQualityAssertions. Used by one thread.
class OpenLineageOutcomes {
 public:
  explicit OpenLineageOutcomes(const OpenLineageSettings& settings);

  /// The events of a batch of checks: one for each dataset of which an outcome is another than when it was last told,
  /// or that was not told for `every`. What could not be evaluated is left out: it neither passed nor failed.
  std::vector<std::string> take(std::string_view collector, const core::Batch& batch, core::Time now);
  /// An incident about a topic or table began or ended; "" about anything else.
  std::string incident(const core::Node& node, const std::string& id, const std::string& title, bool over,
                       core::Time now) const;

 private:
  std::string name_space(const std::string& place) const;

  std::map<std::string, std::string> namespaces_;  // by place
  std::string job_namespace_;
  bool incidents_;
  CheckOutcomes told_;
};

}  // namespace weir::collectors
