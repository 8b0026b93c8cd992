#include "app/demo_script.h"

#include <chrono>

namespace weir::app {

using namespace std::chrono_literals;

DemoFaults demo_faults(core::Duration since_start) {
  constexpr core::Duration kRound = 480s;
  const core::Duration at = since_start % kRound;
  const auto between = [at](core::Duration from, core::Duration to) { return at >= from && at < to; };
  return {.poison_messages = between(12s, 18s),
          .consumer_stopped = between(45s, 170s),
          .schema_incompatible = between(190s, 240s),
          .loader_stalled = between(250s, 355s),
          .half_load = between(370s, 430s)};
}

}  // namespace weir::app
