#pragma once

#include <cstddef>
#include <vector>

#include "core/deed.h"
#include "core/incident.h"

namespace weir::storage {

/// Those of `incidents`, which are in memory, that the store would find by this search, in its order: newest first.
std::vector<core::Incident> search(std::vector<core::Incident> incidents, const core::IncidentSearch& wanted,
                                   std::size_t limit);

}  // namespace weir::storage
