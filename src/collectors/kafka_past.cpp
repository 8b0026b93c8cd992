#include "collectors/kafka_past.h"

#include <cmath>
#include <span>
#include <string>

namespace weir::collectors {

void visit_newest(const KafkaCycle& cycle, std::string_view metric, core::Duration span,
                  const std::function<void(const core::Labels&, const core::Point&)>& use) {
  const core::Selection selection{
      .matchers = {{std::string(core::kMetricName), core::MatchOp::equal, std::string(metric)},
                   {"cluster", core::MatchOp::equal, std::string(cycle.cluster)}},
      .from = cycle.now - span,
      .to = cycle.now - core::Duration(1),
      .newest_only = true};
  (void)cycle.past->visit(selection, [&](const core::Labels& labels, std::span<const core::Point> points) {
    // One that ended ends with a stale marker.
    if (!points.empty() && !std::isnan(points.back().value)) use(labels, points.back());
    return core::Result<void>();
  });
}

}  // namespace weir::collectors
