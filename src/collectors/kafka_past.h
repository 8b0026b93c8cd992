#pragma once

#include <functional>
#include <string_view>

#include "collectors/topics.h"
#include "core/labels.h"
#include "core/series_source.h"
#include "core/time.h"

namespace weir::collectors {

/// Calls `use` with the newest point of each series of this metric of the cycle's cluster that `cycle.past` holds
/// from the `span` before the cycle, but for those that ended. What cannot be read is as if nothing had been before.
void visit_newest(const KafkaCycle& cycle, std::string_view metric, core::Duration span,
                  const std::function<void(const core::Labels&, const core::Point&)>& use);

}  // namespace weir::collectors
