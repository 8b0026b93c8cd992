#include "kafka/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/mock_cluster.h"

namespace weir::kafka {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class MetadataReaderTest : public testing::Test {
 protected:
  void start(int brokers) {
    auto started = MockCluster::start(brokers);
    ASSERT_TRUE(started) << started.error().message;
    mock_ = std::make_unique<MockCluster>(std::move(*started));
    ASSERT_TRUE(mock_->create_topic("orders", 4, 1));
    settings_.name = "prod";
    settings_.brokers = mock_->bootstrap_servers();
    settings_.request_timeout = 5s;
    settings_.topics.names = {"orders"};
    auto opened = Connection::open(settings_);
    ASSERT_TRUE(opened) << opened.error().message;
    connection_ = std::move(*opened);
  }

  core::Result<Metadata> read(std::chrono::milliseconds patience) {
    connection_->begin();
    return reader_.read(*connection_, {steady_clock::now() + 10s, stop_.get_token()}, settings_, patience);
  }

  std::unique_ptr<MockCluster> mock_;
  ClusterSettings settings_;
  std::unique_ptr<Connection> connection_;
  MetadataReader reader_;
  std::stop_source stop_;
};

TEST_F(MetadataReaderTest, WhatWasReadBeforeServesWhenABrokerIsSlow) {
  start(2);
  ASSERT_TRUE(read(5s));
  ASSERT_TRUE(mock_->set_delay(-1, 3s));
  const auto began = steady_clock::now();
  const auto metadata = read(300ms);
  EXPECT_LT(steady_clock::now() - began, 2s);
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->brokers.size(), 2U);
  ASSERT_EQ(metadata->topics.size(), 1U);
  EXPECT_EQ(metadata->topics[0].partitions.size(), 4U);
}

TEST_F(MetadataReaderTest, AClusterThatWasNeverSeenIsWaitedFor) {
  start(2);
  ASSERT_TRUE(mock_->set_delay(-1, 200ms));
  const auto metadata = read(1ms);
  EXPECT_TRUE(metadata) << metadata.error().message;
}

TEST_F(MetadataReaderTest, TheOnlyBrokerIsWaitedFor) {
  start(1);
  ASSERT_TRUE(read(5s));
  ASSERT_TRUE(mock_->set_delay(-1, 700ms));
  const auto began = steady_clock::now();
  ASSERT_TRUE(read(1ms));
  EXPECT_GE(steady_clock::now() - began, 500ms) << "it was asked, and answered";
}

TEST_F(MetadataReaderTest, AStopIsNoReasonToGoOn) {
  start(2);
  ASSERT_TRUE(read(5s));
  stop_.request_stop();
  const auto metadata = read(5s);
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().kind, core::ErrorKind::cancelled);
}

}  // namespace
}  // namespace weir::kafka
