#pragma once

#include <vector>

#include "core/batch.h"
#include "kafka/connection.h"
#include "kafka/settings.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

struct Metadata {
  std::vector<std::int32_t> brokers;  // ids, ascending
  std::vector<Topic> topics;          // that the filter admits, ascending by name; offsets unknown
  std::vector<core::Fault> faults;
};

/// Asks for the brokers and topics: the named ones, or all and then filtered. Errors: no broker can be
/// reached, or none answers in time. A topic that cannot be read is a fault of its own.
core::Result<Metadata> read_metadata(Connection& connection, const Budget& budget, const ClusterSettings& settings);

}  // namespace weir::kafka
