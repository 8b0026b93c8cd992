#pragma once

#include "core/time.h"

namespace weir::app {

/// What is broken in the demo's shop at one moment.
struct DemoFaults {
  bool poison_messages = false;      // a producer sends clicks that cannot be parsed
  bool consumer_stopped = false;     // the fulfilment group stops reading orders
  bool schema_incompatible = false;  // a new OrderPlaced drops its promise to older data
  bool loader_stalled = false;       // nothing arrives in fct_orders
  bool half_load = false;            // fct_daily_revenue is loaded with half of its rows

  bool operator==(const DemoFaults&) const = default;
};

/// One thing after another breaks and heals, over and over; `since_start` is the shop's age.
DemoFaults demo_faults(core::Duration since_start);

}  // namespace weir::app
