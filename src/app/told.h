#pragma once

#include <string>
#include <vector>

#include "core/incident.h"
#include "core/time.h"

namespace weir::app {

/// What became of a message for one of Weir's own receivers.
struct Told {
  std::string receiver;  // with the integration: "team/webhook/0"
  std::string status;    // "firing" or "resolved"
  int attempts = 1;
  std::string error = {};  // why it was given up; "" when it was delivered
};

/// Notes it in a timeline as one entry of the kind "notified" for each receiver, status and outcome: what is said again
/// is counted there, with the time of the last. At most `most` entries of that kind. Returns whether anything changed.
bool note_in_timeline(std::vector<core::TimelineEntry>& timeline, const Told& told, std::size_t most, core::Time now);

}  // namespace weir::app
