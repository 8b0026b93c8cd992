#include "incidents/settings.h"

#include "config/reader.h"

namespace weir::incidents {

IncidentSettings parse_incidents_section(const config::Node& node, config::Diagnostics& diagnostics) {
  IncidentSettings settings;
  config::MapReader reader(node, diagnostics, "incidents");
  settings.reopen_within = reader.duration("reopen_within", settings.reopen_within);
  if (settings.reopen_within < core::Duration(0) || settings.reopen_within > std::chrono::days(7))
    reader.error("reopen_within", "must be from 0 to 7d");
  reader.finish();
  return settings;
}

}  // namespace weir::incidents
