#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"
#include "kafka/connection.h"
#include "kafka/dead_letter_headers.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// The messages of one partition from one offset to before another.
struct OffsetRange {
  std::int32_t partition = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

struct ReadLimits {
  std::chrono::milliseconds span{2000};
  std::size_t messages = 100'000;
  std::size_t bytes = 64U << 20U;  // of values and headers
  bool headers = false;
  std::size_t value_bytes = 0;  // of each message are kept
  std::size_t key_bytes = 0;    // likewise
};

struct SampledMessage {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<core::Time> time;
  Headers headers;
  std::string value;
  std::string key;
};

/// Reads these ranges of a topic, joining no group, until all are read or a limit is reached: what was read counts.
/// Ascending by offset within a partition; offsets without a message (transaction markers, compacted away) are left
/// out. Errors: the topic may not be read (denied), stopped.
core::Result<std::vector<SampledMessage>> read_ranges(Connection& connection, const Budget& budget,
                                                      const std::string& topic, std::span<const OffsetRange> ranges,
                                                      const ReadLimits& limits);

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

/// Keeps the times of the newest and oldest message of dead-letter topics, and reads only partitions that grew or whose
/// start moved.
class NewestMessages {
 public:
  /// Sets `newest_message` and `oldest_message` of each dead-letter topic that holds something; returns a fault for
  /// each that could not be read. At most 256 partitions are read a cycle, the rest in the next ones.
  std::vector<core::Fault> update(Connection& connection, const Budget& budget, const std::string& cluster,
                                  std::vector<Topic>& topics);

 private:
  struct Known {
    std::int64_t end = kUnknownOffset;
    std::optional<core::Time> newest;
    std::int64_t start = kUnknownOffset;
    std::optional<core::Time> oldest;
  };
  using Partitions = std::map<std::int32_t, Known>;

  core::Result<void> read_newest(Connection& connection, const Budget& budget, const Topic& topic, Partitions& known);
  core::Result<void> read_oldest(Connection& connection, const Budget& budget, const Topic& topic, Partitions& known);

  std::map<std::string, Partitions> topics_;
  std::size_t reads_ = 0;  // in this cycle
};

}  // namespace weir::kafka
