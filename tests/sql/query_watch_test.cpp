#include "sql/query_watch.h"

#include <future>
#include <gtest/gtest.h>

namespace weir::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(QueryWatchTest, DoesNothingToAQueryThatEndsInTime) {
  int calls = 0;
  {
    const QueryWatch watch(
        seconds(60), seconds(60), [&] { ++calls; }, [&] { ++calls; });
    EXPECT_FALSE(watch.fired());
  }
  EXPECT_EQ(calls, 0);
}

TEST(QueryWatchTest, CancelsAndThenAbandons) {
  std::promise<void> cancelled;
  std::promise<void> abandoned;
  const QueryWatch watch(
      milliseconds(1), milliseconds(1), [&] { cancelled.set_value(); }, [&] { abandoned.set_value(); });
  EXPECT_EQ(cancelled.get_future().wait_for(seconds(10)), std::future_status::ready);
  EXPECT_EQ(abandoned.get_future().wait_for(seconds(10)), std::future_status::ready);
  EXPECT_TRUE(watch.fired());
}

TEST(QueryWatchTest, AbandonsNothingThatWasCancelledInTime) {
  std::promise<void> cancelled;
  bool abandoned = false;
  {
    const QueryWatch watch(
        milliseconds(1), seconds(60), [&] { cancelled.set_value(); }, [&] { abandoned = true; });
    cancelled.get_future().wait();
  }
  EXPECT_FALSE(abandoned);
}

}  // namespace
}  // namespace weir::sql
