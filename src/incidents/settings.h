#pragma once

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/time.h"

namespace weir::incidents {

struct IncidentSettings {
  core::Duration reopen_within = std::chrono::minutes(30);  // of its end; 0: never
};

/// The section `incidents:`.
IncidentSettings parse_incidents_section(const config::Node& node, config::Diagnostics& diagnostics);

}  // namespace weir::incidents
