#include "runtime/watchdog.h"

#include <atomic>
#include <gtest/gtest.h>

namespace weir::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Watchdog, ActsAgainUntilItEnds) {
  std::atomic<int> acted = 0;
  Watchdog watchdog(steady_clock::now() + milliseconds(10), {}, [&] { acted.fetch_add(1), acted.notify_all(); });
  acted.wait(0);
  acted.wait(1);
  EXPECT_TRUE(watchdog.late());
  const int before = acted;
  EXPECT_GE(before, 2);
  EXPECT_TRUE(watchdog.late());
  EXPECT_EQ(acted, before);
}

TEST(Watchdog, DoesNothingWhenItsScopeEndsBefore) {
  std::atomic<int> acted = 0;
  {
    Watchdog watchdog(steady_clock::now() + hours(1), {}, [&] { acted.fetch_add(1); });
    EXPECT_FALSE(watchdog.late());
    EXPECT_FALSE(watchdog.late());
  }
  {
    const Watchdog unasked(steady_clock::now() + hours(1), {}, [&] { acted.fetch_add(1); });
  }
  EXPECT_EQ(acted, 0);
}

TEST(Watchdog, ActsAtOnceWhenAStopIsRequested) {
  std::atomic<int> acted = 0;
  std::stop_source stop;
  Watchdog watchdog(steady_clock::now() + hours(1), stop.get_token(), [&] { acted.fetch_add(1), acted.notify_all(); });
  stop.request_stop();
  acted.wait(0);
  EXPECT_FALSE(watchdog.late());
}

}  // namespace
}  // namespace weir::runtime
