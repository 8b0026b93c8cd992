#include "app/memory_outbox.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

using namespace std::chrono_literals;

const core::Time kNow{std::chrono::seconds(1'700'000'000)};

core::OutboxMessage message(const std::string& key, const std::string& group = "g") {
  core::OutboxMessage message;
  message.idempotency_key = key;
  message.notification.receiver = "team";
  message.notification.integration = "webhook/0";
  message.notification.group_key = group;
  message.created_at = message.next_attempt_at = kNow;
  return message;
}

std::string keys(const std::vector<core::OutboxMessage>& messages) {
  std::string all;
  for (const auto& each : messages) all += each.idempotency_key;
  return all;
}

TEST(MemoryOutbox, GivesTheOldestOfEachGroupWhenItIsDue) {
  MemoryOutbox outbox;
  EXPECT_TRUE(outbox.empty());
  outbox.add({message("a"), message("b"), message("c", "other")});
  const auto due = outbox.due(kNow, 10);
  ASSERT_EQ(keys(*due), "ac");
  ASSERT_TRUE(outbox.retry_later(due->at(0).sequence, kNow + 5s, "503"));
  ASSERT_TRUE(outbox.delivered(due->at(1).sequence, kNow, std::nullopt));
  EXPECT_EQ(keys(*outbox.due(kNow + 4s, 10)), "") << "b must not overtake";
  const auto again = outbox.due(kNow + 5s, 10);
  ASSERT_EQ(keys(*again), "a");
  EXPECT_EQ(again->at(0).attempts, 1);
  EXPECT_EQ(again->at(0).last_error, "503");
  ASSERT_TRUE(outbox.give_up(again->at(0).sequence, kNow, "404"));
  EXPECT_EQ(keys(*outbox.due(kNow, 10)), "b");
  EXPECT_EQ(keys(*outbox.due(kNow, 0)), "");
}

TEST(MemoryOutbox, TakesBackWhatIsNotBeingTold) {
  MemoryOutbox outbox;
  outbox.add({message("a"), message("b"), message("c", "other")});
  const auto due = outbox.due(kNow, 1);
  ASSERT_EQ(keys(*due), "a");
  EXPECT_EQ(keys(outbox.take_back()), "bc");
  EXPECT_FALSE(outbox.empty());
  outbox.end_run();
  EXPECT_EQ(keys(outbox.take_back()), "a");
  EXPECT_TRUE(outbox.empty());
  EXPECT_TRUE(outbox.delivered(due->at(0).sequence, kNow, std::nullopt)) << "told meanwhile: nothing to do";
}

TEST(MemoryOutbox, IsBounded) {
  MemoryOutbox outbox;
  for (int i = 0; i < 1000; ++i) outbox.add({message(std::to_string(i), std::to_string(i))});
  const auto waiting = outbox.take_back();
  EXPECT_EQ(waiting.size(), 100U);
  EXPECT_EQ(waiting.back().idempotency_key, "999");
}

}  // namespace
}  // namespace weir::app
