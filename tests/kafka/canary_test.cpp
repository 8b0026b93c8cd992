#include "kafka/canary.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/node.h"
#include "kafka/canary_text.h"
#include "kafka/client.h"
#include "kafka/mock_cluster.h"
#include "kafka/settings.h"

namespace weir::kafka {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(CanaryTextTest, ReadsWhatItWrote) {
  const CanaryText canary{canary_instance(), 4711};
  EXPECT_EQ(canary.instance.size(), 16U);
  EXPECT_EQ(CanaryText::read(canary.write()), canary);
}

TEST(CanaryTextTest, AnythingElseIsNoCanary) {
  for (const char* text : {"", "weir-canary/1", "weir-canary/1 ", "weir-canary/1  7", "weir-canary/1 ab",
                           "weir-canary/1 ab x", "weir-canary/1 ab 7x", "weir-canary/1 ab -7", "weir-canary/2 ab 7",
                           "weir-canary/1 ab 99999999999999999999999"}) {
    EXPECT_FALSE(CanaryText::read(text)) << text;
  }
}

CanarySettings parse(const std::string& text, config::Diagnostics& diagnostics) {
  const config::Node node = config::parse_yaml(text, "weir.yml", diagnostics);
  return parse_canary(node, diagnostics, "canary");
}

TEST(ParseCanaryTest, OnlyTheTopicIsNeeded) {
  config::Diagnostics diagnostics;
  const CanarySettings settings = parse("topic: weir-canary\ninterval: 2s\n", diagnostics);
  EXPECT_TRUE(diagnostics.ok());
  EXPECT_EQ(settings.topic, "weir-canary");
  EXPECT_EQ(settings.interval, 2s);
  EXPECT_FALSE(settings.create);
}

TEST(ParseCanaryTest, ReportsAllMistakes) {
  config::Diagnostics diagnostics;
  parse("interval: 1ms\nlate_after: 40s\ngroup: ''\npartitions: 3\n", diagnostics);
  EXPECT_EQ(diagnostics.errors().size(), 5U);
}

class CanaryLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = MockCluster::start(1);
    ASSERT_TRUE(started) << started.error().message;
    mock_ = std::make_unique<MockCluster>(std::move(*started));
    ASSERT_TRUE(mock_->create_topic("probe", 2));
    cluster_.name = "prod";
    cluster_.brokers = mock_->bootstrap_servers();
    settings_.topic = "probe";
  }

  std::unique_ptr<CanaryLink> open() {
    auto link = open_canary(cluster_, settings_);
    EXPECT_TRUE(link) << link.error().message;
    return link ? std::move(*link) : nullptr;
  }

  static SteadyTime soon() { return std::chrono::steady_clock::now() + 15s; }

  std::unique_ptr<MockCluster> mock_;
  ClusterSettings cluster_;
  CanarySettings settings_;
  std::stop_source stop_;
};

TEST_F(CanaryLinkTest, WhatIsSentIsAcknowledgedAndArrivesOnce) {
  auto producer = Producer::open(mock_->bootstrap_servers());
  ASSERT_TRUE(producer);
  ASSERT_TRUE(producer->produce("probe", 0, "", "weir-canary/1 0123456789abcdef 7"));  // another Weir's, and older
  ASSERT_TRUE(producer->flush(10s));
  const auto link = open();
  const auto partitions = link->prepare(soon(), stop_.get_token());
  ASSERT_TRUE(partitions) << partitions.error().message;
  EXPECT_THAT(*partitions, ElementsAre(0, 1));
  ASSERT_TRUE(producer->produce("probe", 0, "", "weir-canary/1 0123456789abcdef 7"));
  ASSERT_TRUE(producer->flush(10s));
  for (const std::int32_t partition : *partitions) ASSERT_TRUE(link->send(partition, 7));
  std::vector<CanaryDelivery> deliveries;
  std::vector<CanaryArrival> arrivals;
  const SteadyTime until = soon();
  while ((deliveries.size() < 2 || arrivals.size() < 2) && link->now() < until) {
    const CanaryNews news = link->poll(100ms);
    deliveries.insert(deliveries.end(), news.deliveries.begin(), news.deliveries.end());
    arrivals.insert(arrivals.end(), news.arrivals.begin(), news.arrivals.end());
  }
  ASSERT_EQ(deliveries.size(), 2U);
  ASSERT_EQ(arrivals.size(), 2U);
  EXPECT_FALSE(deliveries[0].error);
  EXPECT_EQ(arrivals[0].sequence, 7U);
  EXPECT_NE(arrivals[0].partition, arrivals[1].partition);
  const auto took = link->commit(soon());
  ASSERT_TRUE(took) << took.error().message;
  EXPECT_LT(*took, 10s);
}

TEST_F(CanaryLinkTest, AnAcknowledgementIsTimedWhenItComesAndNotWhenItIsLookedAt) {
  auto other = Producer::open(mock_->bootstrap_servers());
  ASSERT_TRUE(other);
  const auto link = open();
  ASSERT_TRUE(link->prepare(soon(), stop_.get_token()));
  const auto delivered = [&](std::uint64_t sequence) -> std::optional<CanaryDelivery> {
    for (const SteadyTime until = soon(); link->now() < until;) {
      for (CanaryDelivery& delivery : link->poll(100ms).deliveries) {
        if (delivery.sequence == sequence) return std::move(delivery);
      }
    }
    return std::nullopt;
  };
  ASSERT_TRUE(link->send(0, 1));
  ASSERT_TRUE(delivered(1));  // connected by now
  ASSERT_TRUE(link->send(0, 2));
  for (int i = 0; i < 30; ++i) {  // time for the acknowledgement, however busy the machine is
    ASSERT_TRUE(other->produce("probe", 0, "", "fast"));
    ASSERT_TRUE(other->flush(10s));
  }
  mock_->set_delay(-1, 900ms);
  ASSERT_TRUE(other->produce("probe", 0, "", "slow"));
  ASSERT_TRUE(other->flush(10s));  // the canary's acknowledgement lies there meanwhile
  const auto second = delivered(2);
  ASSERT_TRUE(second);
  EXPECT_LT(second->latency, 800ms);
  EXPECT_GT(second->latency, 0ms);
}

TEST_F(CanaryLinkTest, ATopicThatIsNotThereIsAnErrorThatSaysWhatToDo) {
  mock_->fail_topic("probe", 3);  // unknown topic; the mock would create one that it does not know
  const auto link = open();
  const auto partitions = link->prepare(soon(), stop_.get_token());
  ASSERT_FALSE(partitions);
  EXPECT_EQ(partitions.error().kind, core::ErrorKind::not_found);
  EXPECT_THAT(partitions.error().message, HasSubstr("or set create: true"));
}

TEST_F(CanaryLinkTest, ATopicThatMayNotBeSeenSaysWhichRightsAreNeeded) {
  mock_->fail_topic("probe", 29);
  const auto partitions = open()->prepare(soon(), stop_.get_token());
  ASSERT_FALSE(partitions);
  EXPECT_EQ(partitions.error().kind, core::ErrorKind::denied);
  EXPECT_THAT(partitions.error().message, HasSubstr("grant this user DESCRIBE, READ and WRITE"));
}

TEST_F(CanaryLinkTest, ACertificateThatIsNoneIsAnError) {
  const std::string file = testing::TempDir() + "/no-certificate.pem";
  std::ofstream(file) << "no certificate";
  cluster_.properties = {{"security.protocol", core::Secret("ssl")}, {"ssl.certificate.location", core::Secret(file)}};
  const auto link = open_canary(cluster_, settings_);
  ASSERT_FALSE(link);
  EXPECT_THAT(link.error().message, HasSubstr("ssl.certificate.location failed"));
}

TEST_F(CanaryLinkTest, AStopEndsItAtOnce) {
  stop_.request_stop();
  const auto partitions = open()->prepare(soon(), stop_.get_token());
  ASSERT_FALSE(partitions);
  EXPECT_EQ(partitions.error().kind, core::ErrorKind::cancelled);
}

}  // namespace
}  // namespace weir::kafka
