#include "app/demo_script.h"

#include <chrono>
#include <gtest/gtest.h>

namespace weir::app {
namespace {

using namespace std::chrono_literals;

TEST(DemoScript, StartsWithAHealthyShop) { EXPECT_EQ(demo_faults(0s), DemoFaults{}); }

TEST(DemoScript, EveryFaultComesAndGoesInEveryRound) {
  bool DemoFaults::*const faults[] = {&DemoFaults::poison_messages, &DemoFaults::consumer_stopped,
                                      &DemoFaults::schema_incompatible, &DemoFaults::loader_stalled,
                                      &DemoFaults::half_load};
  for (const auto fault : faults) {
    for (const core::Duration round : {0s, 480s, 48000s}) {
      int starts = 0;
      for (core::Duration at = 1s; at < 480s; at += 1s) {
        starts += demo_faults(round + at).*fault && !(demo_faults(round + at - 1s).*fault);
      }
      EXPECT_EQ(starts, 1);
    }
  }
}

TEST(DemoScript, OnlyOneThingIsBrokenAtATime) {
  for (core::Duration at = 0s; at < 480s; at += 1s) {
    const DemoFaults f = demo_faults(at);
    EXPECT_LE(f.poison_messages + f.consumer_stopped + f.schema_incompatible + f.loader_stalled + f.half_load, 1);
  }
}

}  // namespace
}  // namespace weir::app
