#pragma once

#include <vector>

#include "core/batch.h"
#include "kafka/connection.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// Start, then end offsets of every partition that has a leader, a few requests a leader. What cannot be
/// read stays kUnknownOffset and spoils nothing else.
/// Returns librdkafka's code of each topic (as in `topics`) that has partitions with a leader which could
/// not be read, 0 for the others. Errors: stopped, or out of time before anything was read.
core::Result<std::vector<int>> read_offsets(Connection& connection, const Budget& budget, std::vector<Topic>& topics);

}  // namespace weir::kafka
