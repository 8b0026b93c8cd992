#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kafka/connection.h"
#include "kafka/sampler.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

/// Looks at the newest messages of dead-letter topics that grew: why they are there. In a cycle at most 50 of a topic,
/// 500 and 4 MB and 1 s of all; topics that had no turn are first in the next one. What is missed is not made up for:
/// it is a sample of the newest.
class DeadLetterSamples {
 public:
  explicit DeadLetterSamples(DeadLetterSettings settings) : settings_(std::move(settings)) {}

  /// Fills `dead_letters` of dead-letter topics whose newest message could be read. What cannot be read is tried again
  /// in the next cycle, and no fault: the reading of the newest message says why.
  void update(Connection& connection, const Budget& budget, std::vector<Topic>& topics);

 private:
  using Ends = std::map<std::int32_t, std::int64_t>;  // up to where each partition was looked at
  struct Left {
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };

  bool sample(Connection& connection, const Budget& budget, Topic& topic, Left& left);

  DeadLetterSettings settings_;
  std::map<std::string, Ends> topics_;
  std::string next_;  // whose turn is first
};

/// Which messages to look at: the newest of each partition that grew since `seen`, `most` of all of them together.
std::vector<OffsetRange> newest_ranges(const Topic& topic, const std::map<std::int32_t, std::int64_t>& seen,
                                       std::size_t most);

}  // namespace weir::kafka
