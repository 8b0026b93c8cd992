#include "runtime/worker_pool.h"

#include <array>
#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <pthread.h>
#include <stdexcept>

namespace weir::runtime {
namespace {

using namespace std::chrono_literals;

TEST(WorkerPoolTest, RunsJobsOnNamedThreads) {
  WorkerPool pool("collect", 1, 4);
  std::promise<std::string> name;
  ASSERT_TRUE(pool.submit([&](const std::stop_token&) {
    std::array<char, 16> buffer{};
    pthread_getname_np(pthread_self(), buffer.data(), buffer.size());
    name.set_value(buffer.data());
  }));
  EXPECT_EQ(name.get_future().get(), "weir-collect");
  pool.stop();  // before what the jobs refer to is gone
}

TEST(WorkerPoolTest, RunsAsManyJobsAtOnceAsItHasThreads) {
  WorkerPool pool("test", 2, 4);
  std::latch both(2);
  std::promise<void> done;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool.submit([&](const std::stop_token&) {
      both.arrive_and_wait();  // returns only if the other runs at the same time
      if (both.try_wait()) {
        try {
          done.set_value();
        } catch (const std::future_error&) {
        }
      }
    }));
  }
  EXPECT_EQ(done.get_future().wait_for(10s), std::future_status::ready);
  pool.stop();  // before what the jobs refer to is gone
}

TEST(WorkerPoolTest, RefusesJobsPastItsLimit) {
  WorkerPool pool("test", 1, 1);
  std::promise<void> started;
  std::promise<void> release;
  ASSERT_TRUE(pool.submit([&](const std::stop_token&) {
    started.set_value();
    release.get_future().wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.submit([](const std::stop_token&) {}));
  EXPECT_FALSE(pool.submit([](const std::stop_token&) {}));
  release.set_value();
  pool.stop();  // before what the jobs refer to is gone
}

TEST(WorkerPoolTest, AJobThatThrowsDoesNotEndItsThread) {
  WorkerPool pool("test", 1, 4);
  ASSERT_TRUE(pool.submit([](const std::stop_token&) { throw std::runtime_error("broken"); }));
  ASSERT_TRUE(pool.submit([](const std::stop_token&) { throw 5; }));
  std::promise<void> ran;
  ASSERT_TRUE(pool.submit([&](const std::stop_token&) { ran.set_value(); }));
  EXPECT_EQ(ran.get_future().wait_for(10s), std::future_status::ready);
  pool.stop();  // before what the jobs refer to is gone
}

TEST(WorkerPoolTest, StopAsksRunningJobsAndDropsWaitingOnes) {
  WorkerPool pool("test", 1, 4);
  std::promise<void> started;
  std::atomic<bool> second_ran = false;
  bool saw_stop = false;
  ASSERT_TRUE(pool.submit([&](const std::stop_token& stop) {
    started.set_value();
    std::promise<void> asked;
    const std::stop_callback callback(stop, [&] { asked.set_value(); });
    asked.get_future().wait();
    saw_stop = true;
  }));
  ASSERT_TRUE(pool.submit([&](const std::stop_token&) { second_ran = true; }));
  started.get_future().wait();
  pool.stop();
  EXPECT_TRUE(saw_stop);
  EXPECT_FALSE(second_ran);
  EXPECT_FALSE(pool.submit([](const std::stop_token&) {}));
}

}  // namespace
}  // namespace weir::runtime
