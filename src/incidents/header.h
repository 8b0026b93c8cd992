#pragma once

#include <string>
#include <vector>

#include "core/alert.h"
#include "core/incident.h"

namespace weir::incidents {

/// "KafkaConsumerLagHigh: … is 12,000 messages behind"
std::string summary_of(const core::Alert& alert);
/// "TableCheckError of check \"row_count > 0\", table fct_orders in warehouse"
std::string name_of(const core::Alert& alert);

/// Title, labels and severity of an incident whose origin is known, by the alerts that fire now; of one without any, by
/// all it had. `own` are its alerts at the origin, none where a cause named that.
void write_header(core::Incident& incident, const std::vector<core::Alert>& own);

}  // namespace weir::incidents
