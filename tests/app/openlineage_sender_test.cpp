#include "app/openlineage_sender.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

TEST(OpenLineageSenderTest, PastItsLimitTheOldestGoesAndIsCounted) {
  collectors::OpenLineageEmitSettings settings;
  settings.endpoint.url = "http://127.0.0.1:1/api/v1/lineage";  // where nobody listens
  settings.queue = 2;
  const runtime::SystemClock clock;
  OpenLineageSender sender(settings, clock);
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
