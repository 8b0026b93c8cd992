#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lineage/graph.h"

namespace weir::lineage {

/// A cycle of each set of nodes that all reach each other (Tarjan's strongly connected components), as indexes in the
/// order of the edges; at most `limit`.
std::vector<std::vector<std::size_t>> cycles(const View& view, std::size_t limit);
/// "topic a in prod → job b → topic a in prod"
std::string cycle_text(const View& view, const std::vector<std::size_t>& cycle);

}  // namespace weir::lineage
