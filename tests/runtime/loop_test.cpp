#include "runtime/loop.h"

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

namespace weir::runtime {
namespace {

using namespace std::chrono_literals;

TEST(LoopTest, RunsPostedTasksInOrderUntilStopped) {
  Loop loop;
  std::vector<int> seen;
  loop.post([&] { seen.push_back(1); });
  loop.post([&] { seen.push_back(2); });
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
}

TEST(LoopTest, StopFromAnotherThreadEndsRun) {
  Loop loop;
  std::atomic<bool> stopped = false;
  std::thread stopper([&] {
    stopped = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(stopped);
  stopper.join();
}

TEST(LoopTest, GoesOnAfterATaskThatThrows) {
  Loop loop;
  bool ran = false;
  loop.post([] { throw std::runtime_error("broken"); });
  loop.post([] { throw 5; });
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(ran);
}

TEST(LoopTest, ATimerTicksUntilItsHandleIsGone) {
  Loop loop;
  int ticks = 0;
  std::unique_ptr<Loop::Timer> timer;
  std::unique_ptr<Loop::Timer> ending;
  timer = loop.every(1ms, 0ms, [&] {
    if (++ticks < 3) return;
    timer.reset();
    ending = loop.every(1h, 20ms, [&] { loop.stop(); });
  });
  loop.run();
  EXPECT_EQ(ticks, 3);
}

TEST(LoopTest, ATimerWhoseTaskThrowsGoesOn) {
  Loop loop;
  int ticks = 0;
  const auto timer = loop.every(1ms, 0ms, [&] {
    if (++ticks == 2) loop.stop();
    throw std::runtime_error("broken");
  });
  loop.run();
  EXPECT_EQ(ticks, 2);
}

TEST(LoopTest, TicksMissedWhileTheLoopWasBusyAreNotMadeUp) {
  Loop loop;
  std::vector<std::chrono::steady_clock::time_point> ticks;
  const auto timer = loop.every(50ms, 0ms, [&] {
    ticks.push_back(std::chrono::steady_clock::now());
    if (ticks.size() == 1) {
      while (std::chrono::steady_clock::now() < ticks[0] + 120ms) {
      }
    }
    if (ticks.size() == 3) loop.stop();
  });
  loop.run();
  // Busy past the ticks at 50 and 100 ms: the next is the one at 150 ms, then 200 ms.
  EXPECT_GE(ticks[1] - ticks[0], 140ms);
  EXPECT_GE(ticks[2] - ticks[1], 20ms);
}

TEST(LoopTest, AnIntervalOfZeroDoesNotHang) {
  Loop loop;
  int ticks = 0;
  const auto timer = loop.every(0ms, 0ms, [&] {
    if (++ticks == 2) loop.stop();
  });
  loop.run();
  EXPECT_EQ(ticks, 2);
}

TEST(LoopTest, AClosedPipeDoesNotEndTheProcess) {
  const Loop loop;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  ::close(ends[1]);
}

TEST(LoopTest, SignalsArriveOnTheLoopEachTime) {
  Loop loop;
  std::vector<int> seen;
  loop.on_signals({SIGUSR1, SIGHUP}, [&](int signal) {
    seen.push_back(signal);
    if (seen.size() == 2) return loop.stop();
    std::raise(SIGHUP);
  });
  loop.post([] { std::raise(SIGUSR1); });
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{SIGUSR1, SIGHUP}));
}

}  // namespace
}  // namespace weir::runtime
