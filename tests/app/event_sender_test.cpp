#include "app/event_sender.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

TEST(EventSenderTest, PastItsLimitTheOldestGoesAndIsCounted) {
  collectors::EmitSettings settings;
  settings.endpoint.url = "http://127.0.0.1:1/api/v1/lineage";  // where nobody listens
  settings.queue = 2;
  const runtime::SystemClock clock;
  EventSender sender(settings, {.what = "OpenLineage", .path = {}, .headers = {}}, clock);
  sender.offer({});
  sender.offer({"1", "2", "3", "4", "5"});
  EXPECT_EQ(sender.report().dropped, 3U);
  EXPECT_EQ(sender.report().waiting, 2U);
  sender.stop();
  EXPECT_EQ(sender.report().delivered, 0U);
  EXPECT_EQ(sender.report().refused, 0U);
  EXPECT_EQ(sender.report().waiting, 2U) << "what could not be sent waits";
}

}  // namespace
}  // namespace weir::app
