#include "kafka/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/mock_cluster.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(Client, MessagesArriveWithKeyValueAndHeadersAndCommitsSurviveTheConsumer) {
  auto mock = MockCluster::start(1);
  ASSERT_TRUE(mock) << mock.error().message;
  ASSERT_TRUE(mock->create_topic("orders", 1));
  auto producer = Producer::open(mock->bootstrap_servers());
  ASSERT_TRUE(producer) << producer.error().message;
  ASSERT_TRUE(producer->produce("orders", 0, "k1", "v1", {{"exception-class", "java.lang.Oops"}}));
  ASSERT_TRUE(producer->produce("orders", std::nullopt, "", "v2"));
  const auto flushed = producer->flush(seconds(10));
  ASSERT_TRUE(flushed) << flushed.error().message;
  std::vector<Message> seen;
  const auto read = [&](std::size_t count) {
    auto consumer =
        Consumer::open(mock->bootstrap_servers(), "billing", {"orders"},
                       {{"session.timeout.ms", core::Secret("4000")}, {"heartbeat.interval.ms", core::Secret("500")}});
    ASSERT_TRUE(consumer) << consumer.error().message;
    const auto deadline = steady_clock::now() + seconds(20);
    while (seen.size() < count && steady_clock::now() < deadline) {
      if (auto message = consumer->poll(milliseconds(100))) seen.push_back(std::move(*message));
    }
    EXPECT_TRUE(consumer->commit());
    EXPECT_TRUE(consumer->commit()) << "nothing new to commit is no failure";
    consumer->close();
    EXPECT_FALSE(consumer->poll(milliseconds(0)));
  };
  read(2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].key, "k1");
  EXPECT_EQ(seen[0].value, "v1");
  EXPECT_THAT(seen[0].headers, testing::ElementsAre(testing::Pair("exception-class", "java.lang.Oops")));
  EXPECT_EQ(seen[1].key, "");
  EXPECT_EQ(seen[1].offset, 1);
  ASSERT_TRUE(producer->produce("orders", 0, "", "v3"));
  ASSERT_TRUE(producer->flush(seconds(10)));
  read(3);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[2].value, "v3");
}

TEST(Client, AMessageThatCannotBeDeliveredFailsTheFlush) {
  auto mock = MockCluster::start(1);
  ASSERT_TRUE(mock);
  ASSERT_TRUE(mock->create_topic("orders", 1));
  ASSERT_TRUE(mock->set_down(1));
  auto producer = Producer::open(mock->bootstrap_servers(), {{"message.timeout.ms", core::Secret("300")}});
  ASSERT_TRUE(producer);
  ASSERT_TRUE(producer->produce("orders", 0, "", "v"));
  EXPECT_FALSE(producer->flush(seconds(10)));
}

TEST(Client, ABadPropertyIsInvalid) {
  const auto producer = Producer::open("127.0.0.1:1", {{"no.such.property", core::Secret("1")}});
  ASSERT_FALSE(producer);
}

}  // namespace
}  // namespace weir::kafka
