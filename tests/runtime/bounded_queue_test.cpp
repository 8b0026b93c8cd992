#include "runtime/bounded_queue.h"

#include <gtest/gtest.h>
#include <memory>
#include <thread>

namespace weir::runtime {
namespace {

TEST(BoundedQueueTest, GivesItemsInTheirOrder) {
  BoundedQueue<int> queue(3);
  for (int i : {1, 2, 3}) ASSERT_TRUE(queue.try_push(std::move(i)));
  for (const int i : {1, 2, 3}) EXPECT_EQ(queue.pop({}), i);
}

TEST(BoundedQueueTest, RefusesWhatExceedsItsLimitAndLeavesItUntouched) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  ASSERT_TRUE(queue.try_push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(std::move(second)));
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(queue.size(), 1U);
  queue.pop({});
  EXPECT_TRUE(queue.try_push(std::move(second)));
}

TEST(BoundedQueueTest, ClosingWakesAReaderAndRefusesItems) {
  BoundedQueue<int> queue(1);
  std::optional<int> got = 7;
  std::thread reader([&] { got = queue.pop({}); });
  queue.close();
  reader.join();
  EXPECT_EQ(got, std::nullopt);
  EXPECT_FALSE(queue.try_push(1));
}

TEST(BoundedQueueTest, ClosingDropsWhatWaits) {
  BoundedQueue<std::shared_ptr<int>> queue(2);
  auto item = std::make_shared<int>(1);
  ASSERT_TRUE(queue.try_push(std::shared_ptr<int>(item)));
  queue.close();
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_EQ(queue.pop({}), std::nullopt);
}

TEST(BoundedQueueTest, AStopRequestWakesAReader) {
  BoundedQueue<int> queue(1);
  std::optional<int> got = 7;
  std::jthread reader([&](const std::stop_token& stop) { got = queue.pop(stop); });
  reader.request_stop();
  reader.join();
  EXPECT_EQ(got, std::nullopt);
}

}  // namespace
}  // namespace weir::runtime
