#include "kafka/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kafka/client.h"
#include "kafka/mock_cluster.h"

namespace weir::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr int kNotLeader = 6;
constexpr int kNotCoordinator = 16;
constexpr int kGroupDenied = 30;
constexpr int kTopicDenied = 29;

/// A loopback port that refuses connections.
int closed_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

class ClusterTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = MockCluster::start(3);
    ASSERT_TRUE(started) << started.error().message;
    mock_ = std::make_unique<MockCluster>(std::move(*started));
    ASSERT_TRUE(mock_->create_topic("orders", 4, 3));
    ASSERT_TRUE(mock_->create_topic("clicks.dlt", 2, 3));
    settings_.name = "prod";
    settings_.brokers = mock_->bootstrap_servers();
    settings_.request_timeout = seconds(5);
    settings_.groups.named = {{"billing", {"orders"}}};
    settings_.groups.filter.names = {"billing"};
    settings_.topics.names = {"clicks.dlt", "orders"};
    settings_.dead_letter = *Patterns::compile({"dlt$"});
  }

  void produce(const std::string& topic, int partition, int count) {
    auto producer = Producer::open(mock_->bootstrap_servers());
    ASSERT_TRUE(producer) << producer.error().message;
    for (int i = 0; i < count; ++i) ASSERT_TRUE(producer->produce(topic, partition, "key", "value", {{"h", "1"}}));
    const auto flushed = producer->flush(seconds(10));
    ASSERT_TRUE(flushed) << flushed.error().message;
  }

  /// Reads `count` messages of the topic in the group, then commits.
  void consume(const std::string& topic, int count) {
    auto consumer =
        Consumer::open(mock_->bootstrap_servers(), "billing", {topic},
                       {{"session.timeout.ms", core::Secret("4000")}, {"heartbeat.interval.ms", core::Secret("500")}});
    ASSERT_TRUE(consumer) << consumer.error().message;
    const auto deadline = steady_clock::now() + seconds(20);
    for (int i = 0; i < count && steady_clock::now() < deadline;) i += consumer->poll(milliseconds(100)).has_value();
    const auto committed = consumer->commit();
    ASSERT_TRUE(committed) << committed.error().message;
    consumer->close();
  }

  Cluster& cluster() {
    if (!cluster_) {
      auto connected = Cluster::connect(settings_);
      EXPECT_TRUE(connected) << connected.error().message;
      cluster_ = std::move(*connected);
    }
    return *cluster_;
  }

  core::Result<Snapshot> take(milliseconds span = seconds(10)) {
    return cluster().snapshot(steady_clock::now() + span, stop_.get_token());
  }

  static const Topic& topic(const Snapshot& snapshot, const std::string& name) {
    for (const Topic& topic : snapshot.topics) {
      if (topic.name == name) return topic;
    }
    static const Topic none;
    ADD_FAILURE() << "no topic " << name;
    return none;
  }

  std::unique_ptr<MockCluster> mock_;
  ClusterSettings settings_;
  std::unique_ptr<Cluster> cluster_;
  std::stop_source stop_;
};

TEST_F(ClusterTest, SeesBrokersTopicsOffsetsAndCommits) {
  produce("orders", 0, 10);
  produce("orders", 1, 5);
  consume("orders", 15);
  produce("orders", 0, 7);
  const auto snapshot = take();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->brokers, 3);
  EXPECT_TRUE(snapshot->faults.empty()) << snapshot->faults[0].error.message;
  const Topic& orders = topic(*snapshot, "orders");
  ASSERT_EQ(orders.partitions.size(), 4U);
  EXPECT_EQ(orders.partitions[0].start, 0);
  EXPECT_EQ(orders.partitions[0].end, 17);
  EXPECT_EQ(orders.partitions[1].end, 5);
  EXPECT_EQ(orders.partitions[2].end, 0);
  EXPECT_EQ(orders.partitions[0].replicas, 3);
  EXPECT_EQ(orders.partitions[0].in_sync, 3);
  EXPECT_FALSE(orders.dead_letter);
  ASSERT_EQ(snapshot->groups.size(), 1U);
  const Group& billing = snapshot->groups[0];
  EXPECT_EQ(billing.id, "billing");
  ASSERT_EQ(billing.partitions.size(), 4U);
  EXPECT_EQ(billing.partitions[0].committed, Committed::at(10));
  EXPECT_EQ(billing.partitions[1].committed, Committed::at(5));
  EXPECT_TRUE(billing.partitions[2].committed.is_none());
  EXPECT_EQ(billing.state, GroupState::unknown);  // the mock does not describe groups, which is no fault
}

TEST_F(ClusterTest, GivesTheTimeOfTheNewestDeadLetterAndKeepsItWhileNothingArrives) {
  const auto before = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  auto empty = take();
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_FALSE(topic(*empty, "clicks.dlt").newest_message);
  produce("clicks.dlt", 1, 3);
  const auto first = take();
  ASSERT_TRUE(first) << first.error().message;
  const Topic& letters = topic(*first, "clicks.dlt");
  EXPECT_TRUE(letters.dead_letter);
  ASSERT_TRUE(letters.newest_message);
  EXPECT_GE(*letters.newest_message, before);
  EXPECT_LE(*letters.newest_message, std::chrono::system_clock::now());
  const auto second = take();
  ASSERT_TRUE(second);
  EXPECT_EQ(topic(*second, "clicks.dlt").newest_message, letters.newest_message);
}

TEST_F(ClusterTest, ATopicNamedButMissingIsAFaultAndTheRestGoesOn) {
  settings_.topics.names = {"missing", "orders"};
  produce("orders", 0, 1);
  mock_->fail_topic("missing", 3);
  const auto snapshot = take();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(topic(*snapshot, "orders").partitions[0].end, 1);
  ASSERT_EQ(snapshot->faults.size(), 1U);
  EXPECT_EQ(snapshot->faults[0].error.kind, core::ErrorKind::not_found);
  EXPECT_THAT(snapshot->faults[0].error.message, HasSubstr("topic \"missing\": does not exist; create it"));
  EXPECT_EQ(snapshot->faults[0].error.where, "kafka/prod");
}

TEST_F(ClusterTest, ATopicThatMayNotBeReadIsAFaultInItsScope) {
  mock_->fail_topic("orders", kTopicDenied);
  const auto snapshot = take();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  ASSERT_EQ(snapshot->faults.size(), 1U);
  EXPECT_EQ(snapshot->faults[0].error.kind, core::ErrorKind::denied);
  EXPECT_EQ(snapshot->faults[0].scope, (core::Labels{{"cluster", "prod"}, {"topic", "orders"}}));
  EXPECT_TRUE(topic(*snapshot, "orders").failed);
}

TEST_F(ClusterTest, APartitionWithoutALeaderNeitherStallsNorSpoilsTheOthers) {
  produce("orders", 0, 3);
  produce("orders", 1, 4);
  ASSERT_TRUE(mock_->set_leader("orders", 1, -1));
  const auto began = steady_clock::now();
  const auto snapshot = take();
  EXPECT_LT(steady_clock::now() - began, seconds(3));
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  const Topic& orders = topic(*snapshot, "orders");
  EXPECT_EQ(orders.partitions[0].end, 3);
  EXPECT_EQ(orders.partitions[1].end, kUnknownOffset);
  EXPECT_EQ(orders.partitions[1].leader, -1);
  ASSERT_EQ(snapshot->faults.size(), 1U);
  EXPECT_THAT(snapshot->faults[0].error.message, HasSubstr("topic \"orders\", partition 1: offline"));
}

TEST_F(ClusterTest, ACallThatFailsIsRepeatedInParts) {
  produce("orders", 0, 3);
  // One leader, so one request at a time: which of them is refused does not depend on timing.
  for (const int partition : {0, 1, 2, 3}) ASSERT_TRUE(mock_->set_leader("orders", partition, 1));
  for (const int partition : {0, 1}) ASSERT_TRUE(mock_->set_leader("clicks.dlt", partition, 1));
  ASSERT_TRUE(take());
  mock_->fail_next(Request::list_offsets, {kNotLeader, kNotLeader});
  const auto snapshot = take();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(topic(*snapshot, "orders").partitions[0].end, 3);
  for (const auto& fault : snapshot->faults) ADD_FAILURE() << fault.error.message;
}

TEST_F(ClusterTest, ADeniedGroupIsAFaultInItsScope) {
  mock_->fail_next(Request::offset_fetch, {kGroupDenied});
  const auto snapshot = take();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_TRUE(snapshot->groups.empty());
  ASSERT_EQ(snapshot->faults.size(), 1U);
  EXPECT_EQ(snapshot->faults[0].error.kind, core::ErrorKind::denied);
  EXPECT_THAT(snapshot->faults[0].error.message, HasSubstr("grant this user DESCRIBE on the group"));
  EXPECT_EQ(snapshot->faults[0].scope, (core::Labels{{"cluster", "prod"}, {"consumergroup", "billing"}}));
}

TEST_F(ClusterTest, ACoordinatorIsFoundByAskingOneBrokerAfterTheOther) {
  produce("orders", 0, 3);
  consume("orders", 3);
  ASSERT_TRUE(take());
  mock_->fail_next(Request::offset_fetch, {kNotCoordinator, kNotCoordinator});
  const auto moved = take();
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_TRUE(moved->faults.empty());
  EXPECT_EQ(moved->groups.at(0).partitions.at(0).committed, Committed::at(3));
  mock_->fail_next(Request::offset_fetch, {kNotCoordinator, kNotCoordinator, kNotCoordinator});
  const auto none = take();
  ASSERT_TRUE(none) << none.error().message;
  ASSERT_EQ(none->faults.size(), 1U);
  EXPECT_EQ(none->faults[0].error.kind, core::ErrorKind::unavailable);
  EXPECT_THAT(none->faults[0].error.message, HasSubstr("group \"billing\": the group coordinator is moving"));
}

TEST_F(ClusterTest, ALeaderThatIsDownCostsOnlyItsPartitions) {
  for (int partition = 0; partition < 4; ++partition) {
    ASSERT_TRUE(mock_->set_leader("orders", partition, partition == 2 ? 3 : 1));
  }
  for (int partition = 0; partition < 2; ++partition) ASSERT_TRUE(mock_->set_leader("clicks.dlt", partition, 1));
  ASSERT_TRUE(mock_->move_coordinator("billing", 1));
  produce("orders", 0, 2);
  produce("orders", 2, 2);
  ASSERT_TRUE(take());
  ASSERT_TRUE(mock_->set_down(3));
  const auto snapshot = take(seconds(20));
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(topic(*snapshot, "orders").partitions[0].end, 2);
  EXPECT_EQ(topic(*snapshot, "orders").partitions[2].end, kUnknownOffset);
  ASSERT_EQ(snapshot->faults.size(), 1U);
  EXPECT_EQ(snapshot->faults[0].scope, (core::Labels{{"cluster", "prod"}, {"topic", "orders"}}));
  produce("orders", 0, 1);
  const auto began = steady_clock::now();
  const auto next = take(seconds(20));
  EXPECT_LT(steady_clock::now() - began, milliseconds(1500)) << "it was waited for again";
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(topic(*next, "orders").partitions[0].end, 3);
  EXPECT_EQ(next->faults.size(), 1U);
  ASSERT_TRUE(mock_->set_up(3));
  const auto deadline = steady_clock::now() + seconds(20);
  auto back = take();
  while ((!back || !back->faults.empty()) && steady_clock::now() < deadline) back = take();
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(topic(*back, "orders").partitions[2].end, 2);
}

TEST_F(ClusterTest, LastStableOffsetsAreReadWhereTheyAreAskedFor) {
  produce("orders", 0, 5);
  const auto without = take();
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_EQ(topic(*without, "orders").partitions[0].stable, kUnknownOffset);
  cluster_.reset();
  settings_.transactions = true;
  const auto with = take();
  ASSERT_TRUE(with) << with.error().message;
  for (const auto& fault : with->faults) ADD_FAILURE() << fault.error.message;
  EXPECT_EQ(topic(*with, "orders").partitions[0].stable, 5);
  EXPECT_EQ(topic(*with, "orders").partitions[0].end, 5);
}

TEST_F(ClusterTest, OneOfTheReplicasIsThePreferredLeader) {
  std::vector<int> preferred(4, 0);
  for (const int leader : {1, 2, 3}) {
    for (int partition = 0; partition < 4; ++partition) ASSERT_TRUE(mock_->set_leader("orders", partition, leader));
    const auto snapshot = take();
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    for (const Partition& partition : topic(*snapshot, "orders").partitions) {
      preferred[static_cast<std::size_t>(partition.id)] += partition.preferred_leader;
    }
  }
  EXPECT_THAT(preferred, testing::Each(1));
}

TEST_F(ClusterTest, AClusterThatGoesDownIsUnavailableAndSeenAgainWhenItIsBack) {
  ASSERT_TRUE(take());
  ASSERT_TRUE(mock_->set_down(-1));
  const auto began = steady_clock::now();
  const auto down = take();
  ASSERT_FALSE(down);
  EXPECT_LT(steady_clock::now() - began, seconds(8));
  EXPECT_TRUE(down.error().kind == core::ErrorKind::unavailable || down.error().kind == core::ErrorKind::timeout)
      << down.error().message;
  ASSERT_TRUE(mock_->set_up(-1));
  const auto deadline = steady_clock::now() + seconds(20);
  auto back = take();
  while (!back && steady_clock::now() < deadline) back = take();
  EXPECT_TRUE(back) << back.error().message;
}

TEST_F(ClusterTest, ARefusedConnectionIsUnavailableInTimeAndSaysWhatToCheck) {
  settings_.brokers = "127.0.0.1:" + std::to_string(closed_port());
  for (int cycle = 0; cycle < 2; ++cycle) {
    const auto began = steady_clock::now();
    const auto snapshot = take();
    ASSERT_FALSE(snapshot);
    EXPECT_LT(steady_clock::now() - began, seconds(4));
    EXPECT_EQ(snapshot.error().kind, core::ErrorKind::unavailable);
    EXPECT_TRUE(snapshot.error().retryable);
    EXPECT_THAT(snapshot.error().message, HasSubstr("no broker can be reached"));
    EXPECT_THAT(snapshot.error().message, HasSubstr("Connection refused"));
    EXPECT_THAT(snapshot.error().message, HasSubstr(settings_.brokers));
    EXPECT_EQ(snapshot.error().where, "kafka/prod");
  }
}

TEST_F(ClusterTest, ABrokerThatNeverAnswersEndsByTheDeadline) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);  // accepts and says nothing
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(socket, 16), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  settings_.brokers = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const auto began = steady_clock::now();
  const auto snapshot = take(milliseconds(1500));
  EXPECT_LT(steady_clock::now() - began, seconds(3));
  ASSERT_FALSE(snapshot);
  EXPECT_TRUE(snapshot.error().retryable) << snapshot.error().message;
  cluster_.reset();
  ::close(socket);
}

TEST_F(ClusterTest, AStopEndsTheCycleSoon) {
  settings_.brokers = "127.0.0.1:" + std::to_string(closed_port());
  stop_.request_stop();
  const auto began = steady_clock::now();
  const auto snapshot = take();
  EXPECT_LT(steady_clock::now() - began, seconds(1));
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, core::ErrorKind::cancelled);
}

TEST_F(ClusterTest, ListGroupsThatTheBrokerDoesNotKnowSaysToNameThem) {
  settings_.groups = {};
  const auto snapshot = take();
  if (snapshot) {
    ASSERT_FALSE(snapshot->faults.empty());
    EXPECT_THAT(snapshot->faults[0].error.message, HasSubstr("give groups.names"));
  } else {
    EXPECT_THAT(snapshot.error().message, HasSubstr("give groups.names"));
  }
}

TEST_F(ClusterTest, PropertiesThatContradictEachOtherAreInvalid) {
  settings_.properties = {{"security.protocol", core::Secret("ssl")},
                          {"ssl.ca.location", core::Secret("/nonexistent/ca.pem")}};
  const auto connected = Cluster::connect(settings_);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, core::ErrorKind::invalid);
  EXPECT_THAT(connected.error().message, HasSubstr("ssl.ca.location"));
}

}  // namespace
}  // namespace weir::kafka
