#include "runtime/scheduler.h"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <thread>

namespace weir::runtime {
namespace {

using namespace std::chrono_literals;

class SchedulerTest : public testing::Test {
 protected:
  /// Runs the loop until it is destroyed, before what the jobs refer to.
  struct Running {
    SchedulerTest& test;
    std::thread thread{[this] { test.loop_.run(); }};
    ~Running() {
      test.loop_.stop();
      thread.join();
      test.pool_.stop();
    }
  };

  Loop loop_;
  WorkerPool pool_{"test", 2, 8};
};

TEST_F(SchedulerTest, RunsAJobAtOnceHoweverLongItsInterval) {
  std::promise<void> ran;
  Scheduler scheduler(loop_, pool_);
  scheduler.add({.name = "a", .interval = 1h, .run = [&](const std::stop_token&) { ran.set_value(); }});
  const Running running{*this};
  EXPECT_EQ(ran.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(SchedulerTest, RunsAJobAgainAndAgain) {
  std::atomic<int> runs = 0;
  std::promise<void> third;
  Scheduler scheduler(loop_, pool_);
  scheduler.add({.name = "a", .interval = 2ms, .run = [&](const std::stop_token&) {
                   if (++runs == 3) third.set_value();
                 }});
  const Running running{*this};
  EXPECT_EQ(third.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(SchedulerTest, KeepsOneRunInFlightAndCountsTheTicksItMissed) {
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  std::atomic<int> skipped = 0;
  std::promise<void> enough;
  Scheduler scheduler(loop_, pool_);
  scheduler.add({.name = "a",
                 .interval = 2ms,
                 .run =
                     [&](const std::stop_token&) {
                       most = std::max(most.load(), ++at_once);
                       if (skipped < 3) enough.get_future().wait();
                       --at_once;
                     },
                 .skipped =
                     [&] {
                       if (++skipped == 3) enough.set_value();
                     }});
  const Running running{*this};
  while (skipped < 3) std::this_thread::yield();
  EXPECT_GE(scheduler.skipped(), 3U);
  EXPECT_EQ(most, 1);
}

TEST_F(SchedulerTest, AJobThatThrowsIsRunAgain) {
  std::atomic<int> runs = 0;
  std::promise<void> second;
  Scheduler scheduler(loop_, pool_);
  scheduler.add({.name = "a", .interval = 2ms, .run = [&](const std::stop_token&) {
                   if (++runs == 2) second.set_value();
                   if (runs < 2) throw std::runtime_error("broken");
                 }});
  const Running running{*this};
  EXPECT_EQ(second.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(SchedulerTest, AFullPoolIsASkippedTickNotAnUnboundedQueue) {
  WorkerPool full("full", 1, 1);
  std::promise<void> release;
  std::promise<void> started;
  ASSERT_TRUE(full.submit([&](const std::stop_token&) {
    started.set_value();
    release.get_future().wait();
  }));
  started.get_future().wait();
  ASSERT_TRUE(full.submit([](const std::stop_token&) {}));
  std::promise<void> skipped;
  {
    Scheduler scheduler(loop_, full);
    scheduler.add(
        {.name = "a", .interval = 1h, .run = [](const std::stop_token&) {}, .skipped = [&] { skipped.set_value(); }});
    const Running running{*this};
    EXPECT_EQ(skipped.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_EQ(scheduler.skipped(), 1U);
  }
  release.set_value();
  full.stop();
}

TEST_F(SchedulerTest, RunsNothingOnceItIsGone) {
  std::atomic<int> runs = 0;
  {
    Scheduler scheduler(loop_, pool_);
    scheduler.add({.name = "a", .interval = 1ms, .run = [&](const std::stop_token&) { ++runs; }});
  }
  std::promise<void> passed;
  std::unique_ptr<Loop::Timer> timer = loop_.every(1h, 20ms, [&] { passed.set_value(); });
  const Running running{*this};
  passed.get_future().wait();
  EXPECT_EQ(runs, 0);
}

TEST_F(SchedulerTest, RunNowStartsAKnownJobOnly) {
  std::atomic<int> runs = 0;
  std::promise<void> first;
  Scheduler scheduler(loop_, pool_);
  scheduler.add({.name = "a", .interval = 1h, .run = [&](const std::stop_token&) {
                   if (++runs == 1) first.set_value();
                 }});
  EXPECT_FALSE(scheduler.run_now("b"));
  EXPECT_TRUE(scheduler.run_now("a"));
  EXPECT_EQ(first.get_future().wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace weir::runtime
