#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"
#include "kafka/connection.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// The newest message of a partition.
struct MessageSample {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  core::Time timestamp;
};

/// Reads the newest message of each of these partitions of a topic, joining no group. Bounded in time (2 s)
/// and bytes (64 kB a partition, or one batch). A partition without one (transaction markers only, nothing
/// arrived in time) is left out. Errors: the topic may not be read (denied), stopped.
core::Result<std::vector<MessageSample>> sample_newest(Connection& connection, const Budget& budget,
                                                       const std::string& topic, std::span<const Partition> partitions);

/// Keeps the newest message's time of dead-letter topics, and reads only partitions that grew.
class NewestMessages {
 public:
  /// Sets `newest_message` of each dead-letter topic that holds something; returns a fault for each that
  /// could not be read. At most 256 partitions are read a cycle, the rest in the next ones.
  std::vector<core::Fault> update(Connection& connection, const Budget& budget, const std::string& cluster,
                                  std::vector<Topic>& topics);

 private:
  struct Known {
    std::int64_t end = kUnknownOffset;
    std::optional<core::Time> newest;
  };
  using Partitions = std::map<std::int32_t, Known>;
  std::map<std::string, Partitions> topics_;
};

}  // namespace weir::kafka
