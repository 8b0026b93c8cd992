#pragma once

#include <chrono>
#include <optional>
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

/// The metadata of one cycle after the other. librdkafka chooses the broker that is asked; when that one lets
/// `patience` pass, what was read before serves, for a minute at most: that the cluster cannot be reached shows in what
/// is asked next.
class MetadataReader {
 public:
  core::Result<Metadata> read(Connection& connection, const Budget& budget, const ClusterSettings& settings,
                              std::chrono::milliseconds patience);

 private:
  std::optional<Metadata> last_;
  std::chrono::steady_clock::time_point read_at_;
};

}  // namespace weir::kafka
