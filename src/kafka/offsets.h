#pragma once

#include <vector>

#include "core/error.h"
#include "kafka/connection.h"
#include "kafka/snapshot.h"

namespace weir::kafka {

struct OffsetsRead {
  /// librdkafka's code of each topic (as in `topics`) that has partitions with a leader which could not be read,
  /// 0 for the others.
  std::vector<int> codes;
  BrokerIds silent;               // leaders that did not answer
  std::vector<int> stable_codes;  // likewise, of last stable offsets; empty where they are not asked for
};

/// Start, then end offsets of every partition that has a leader, a few requests a leader. Between them, where
/// `committed` is given (a connection that is Isolation::read_committed), last stable offsets, so that these are
/// never beyond the end. What cannot be read stays kUnknownOffset and spoils nothing else. Leaders in `silent` are
/// not asked. A call that no broker has answered wholly within `patience` (kLongestCall at most) is made anew for each
/// leader by itself. Errors: stopped.
core::Result<OffsetsRead> read_offsets(Connection& connection, Connection* committed, const Budget& budget,
                                       std::chrono::milliseconds patience, std::vector<Topic>& topics,
                                       const BrokerIds& silent = {});

/// A call cannot be interrupted; shutdown waits for it.
inline constexpr std::chrono::milliseconds kLongestCall{2000};

}  // namespace weir::kafka
