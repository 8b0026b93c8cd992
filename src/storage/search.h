#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/deed.h"
#include "core/incident.h"

namespace weir::storage {

/// Whether an alert of it has the label, or all have it. An empty name is had by all.
bool has_label(const core::Incident& incident, const std::string& name, const std::string& value);

/// Those of `incidents`, which are in memory, that the store would find by this search, in its order: newest first.
std::vector<core::Incident> search(std::vector<core::Incident> incidents, const core::IncidentSearch& wanted,
                                   std::size_t limit);

}  // namespace weir::storage
