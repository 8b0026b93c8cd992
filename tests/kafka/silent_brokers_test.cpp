#include "kafka/silent_brokers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/metadata.h"
#include "kafka/mock_cluster.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::IsEmpty;

class SilentBrokersTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = MockCluster::start(3);
    ASSERT_TRUE(started) << started.error().message;
    mock_ = std::make_unique<MockCluster>(std::move(*started));
    settings_.name = "prod";
    settings_.brokers = mock_->bootstrap_servers();
    auto opened = Connection::open(settings_);
    ASSERT_TRUE(opened) << opened.error().message;
    connection_ = std::move(*opened);
    ASSERT_TRUE(read_metadata(*connection_, budget(), settings_));  // tells it the brokers
    silent_ = std::make_unique<SilentBrokers>(*connection_, seconds(3));
  }

  Budget budget() { return {steady_clock::now() + seconds(10), stop_.get_token()}; }

  /// Cycles until none is silent; the last one's answer may take more than one.
  bool answers_again() {
    const auto deadline = steady_clock::now() + seconds(20);
    while (!silent_->ids().empty() && steady_clock::now() < deadline) silent_->check(budget(), {1, 2, 3});
    return silent_->ids().empty();
  }

  std::unique_ptr<MockCluster> mock_;
  ClusterSettings settings_;
  std::stop_source stop_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<SilentBrokers> silent_;
};

TEST_F(SilentBrokersTest, WhileAllAnswerACheckWaitsForNothing) {
  const auto began = steady_clock::now();
  for (int i = 0; i < 100; ++i) silent_->check(budget(), {1, 2, 3});
  EXPECT_LT(steady_clock::now() - began, milliseconds(150));
  EXPECT_THAT(silent_->ids(), IsEmpty());
}

TEST_F(SilentBrokersTest, ABrokerThatAnswersCountsAgain) {
  silent_->add({2, 2});
  EXPECT_THAT(silent_->ids(), ElementsAre(2));
  EXPECT_TRUE(silent_->contains(2));
  EXPECT_TRUE(answers_again());
}

TEST_F(SilentBrokersTest, ABrokerThatIsDownCostsAMomentAndIsSeenWhenItIsBack) {
  ASSERT_TRUE(mock_->set_down(3));
  const auto patience = steady_clock::now() + std::chrono::seconds(10);
  do {  // what was on its way may still be answered
    silent_->add({3});
    silent_->check(budget(), {1, 2, 3});
  } while (silent_->ids().empty() && steady_clock::now() < patience);
  for (int cycle = 0; cycle < 3; ++cycle) {
    const auto began = steady_clock::now();
    silent_->check(budget(), {1, 2, 3});
    EXPECT_LT(steady_clock::now() - began, milliseconds(1000));
    EXPECT_THAT(silent_->ids(), ElementsAre(3));
  }
  ASSERT_TRUE(mock_->set_up(3));
  EXPECT_TRUE(answers_again());
}

TEST_F(SilentBrokersTest, ABrokerThatIsNoLongerOfTheClusterIsForgotten) {
  ASSERT_TRUE(mock_->set_down(3));
  silent_->add({3});
  silent_->check(budget(), {1, 2});
  EXPECT_THAT(silent_->ids(), IsEmpty());
}

}  // namespace
}  // namespace weir::kafka
