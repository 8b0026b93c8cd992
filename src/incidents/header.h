#pragma once

#include <vector>

#include "core/alert.h"
#include "core/incident.h"

namespace weir::incidents {

/// Title, labels and severity of an incident whose origin is known, by the alerts that fire now; of one without any, by
/// all it had. `own` are its alerts at the origin, none where a cause named that.
void write_header(core::Incident& incident, const std::vector<core::Alert>& own);

}  // namespace weir::incidents
