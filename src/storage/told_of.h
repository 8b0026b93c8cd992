#pragma once

#include <cstdint>
#include <set>

#include "core/incident.h"
#include "core/time.h"

namespace weir::storage {

/// Finds the messages that tell of an incident among those that tell of several: by its alerts, which began within it.
class ToldOf {
 public:
  explicit ToldOf(const core::Incident& incident);

  /// Such messages are of this span; of one that is open the end is far ahead.
  core::Time from() const { return from_; }
  core::Time to() const;
  bool tells(const core::Notification& notification) const;

 private:
  std::set<std::uint64_t> alerts_;  // fingerprints
  core::Time from_;
  core::Time ended_;
};

}  // namespace weir::storage
