#include "collectors/kafka.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "collectors/kafka_fixture.h"
#include "kafka/client.h"
#include "kafka/mock_cluster.h"

namespace weir::collectors {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

core::CollectContext context_at(int second) {
  return {.now = at_second(second), .deadline = steady_clock::now() + seconds(10), .stop = {}};
}

kafka::Snapshot shop() {
  kafka::Snapshot snapshot;
  snapshot.brokers = 3;
  snapshot.topics = {make_topic("clicks.dlt", {{0, 4}}), make_topic("orders", {{0, 100}})};
  snapshot.topics[0].dead_letter = true;
  kafka::Group group;
  group.id = "billing";
  group.partitions = {{1, 0, kafka::Committed::at(60)}};
  snapshot.groups = {group};
  return snapshot;
}

TEST(KafkaCollector, TurnsASnapshotIntoOneBatch) {
  KafkaCollector collector("prod", seconds(15), [](const auto&) -> core::Result<kafka::Snapshot> {
    kafka::Snapshot snapshot = shop();
    snapshot.faults.push_back({{core::ErrorKind::denied, "no"}, core::Labels{{"cluster", "prod"}, {"topic", "x"}}});
    return snapshot;
  });
  EXPECT_EQ(collector.name(), "kafka/prod");
  EXPECT_EQ(collector.interval(), seconds(15));
  const auto batch = collector.collect(context_at(0));
  ASSERT_TRUE(batch);
  EXPECT_EQ(value(*batch, R"(kafka_brokers{cluster="prod"})"), 3);
  EXPECT_EQ(value(*batch, R"(kafka_topic_messages{cluster="prod",topic="orders"})"), 100);
  EXPECT_EQ(value(*batch, R"(kafka_dead_letter_messages{cluster="prod",topic="clicks.dlt"})"), 4);
  EXPECT_EQ(value(*batch, R"(kafka_consumergroup_group_lag{cluster="prod",consumergroup="billing"})"), 40);
  EXPECT_EQ(std::ranges::count(batch->faults, false, &core::Fault::no_value), 1);
}

TEST(KafkaCollector, RatesComeFromItsPreviousCycleEvenAcrossAFailedOne) {
  int cycle = 0;
  KafkaCollector collector("prod", seconds(15), [&](const auto&) -> core::Result<kafka::Snapshot> {
    if (++cycle == 2) return core::fail(core::ErrorKind::unavailable, "down");
    kafka::Snapshot snapshot = shop();
    snapshot.topics[0].partitions[0].end += 30 * (cycle - 1);
    return snapshot;
  });
  ASSERT_TRUE(collector.collect(context_at(0)));
  EXPECT_FALSE(collector.collect(context_at(15)));
  const auto batch = collector.collect(context_at(30));
  ASSERT_TRUE(batch);
  EXPECT_EQ(value(*batch, R"(kafka_dead_letter_messages_per_second{cluster="prod",topic="clicks.dlt"})"), 2);
}

TEST(KafkaCollector, DescribesEachMetricOnce) {
  KafkaCollector collector("prod", seconds(15), [](const auto&) -> core::Result<kafka::Snapshot> { return shop(); });
  std::set<std::string_view> names;
  for (const core::MetricInfo& info : collector.metrics()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.help.empty());
  }
  const auto batch = collector.collect(context_at(0));
  for (const core::Sample& sample : batch->samples) EXPECT_TRUE(names.contains(sample.labels.name()));
}

TEST(KafkaCollector, TellsOfTheClusterAsAWhole) {
  int cycle = 0;
  KafkaCollector collector("prod", seconds(15), [&](const auto&) -> core::Result<kafka::Snapshot> {
    kafka::Snapshot snapshot = shop();
    snapshot.topics.push_back(make_topic("void", {{7, 7}}));
    snapshot.topics[1].partitions[0].leader = cycle++ == 0 ? 2 : 1;
    snapshot.groups_listed = 12;
    snapshot.groups_over_cap = 11;
    return snapshot;
  });
  auto batch = collector.collect(context_at(0));
  EXPECT_EQ(value(*batch, R"(kafka_empty_topics{cluster="prod"})"), 1);
  EXPECT_EQ(value(*batch, R"(kafka_consumergroups_listed{cluster="prod"})"), 12);
  EXPECT_EQ(value(*batch, R"(kafka_consumergroups_over_cap{cluster="prod"})"), 11);
  EXPECT_EQ(value(*batch, R"(kafka_broker_leader_partitions{broker="1",cluster="prod"})"), 2);
  EXPECT_EQ(value(*batch, R"(kafka_broker_leader_partitions{broker="2",cluster="prod"})"), 1);
  EXPECT_EQ(value(*batch, R"(weir_kafka_series_truncated{cluster="prod"})"), 0);
  batch = collector.collect(context_at(15));
  EXPECT_EQ(value(*batch, R"(kafka_broker_leader_partitions{broker="2",cluster="prod"})"), 0) << "it leads nothing now";
  for (int i = 2; i < 300; ++i) batch = collector.collect(context_at(15 * i));
  EXPECT_EQ(value(*batch, R"(kafka_broker_leader_partitions{broker="2",cluster="prod"})"), std::nullopt);
}

TEST(KafkaCollector, ASeriesBudgetKeepsTheLargestLagsAndTellsWhatItLeftOut) {
  kafka::ClusterSettings settings;
  settings.name = "prod";
  settings.metrics.max_series = 200;
  KafkaCollector collector(settings, [](const auto&) -> core::Result<kafka::Snapshot> {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", std::vector<std::pair<std::int64_t, std::int64_t>>(100, {0, 1000}))};
    kafka::Group group;
    group.id = "billing";
    for (int p = 0; p < 100; ++p) group.partitions.push_back({0, p, kafka::Committed::at(1000 - p)});
    snapshot.groups = {group};
    return snapshot;
  });
  const auto batch = collector.collect(context_at(0));
  ASSERT_TRUE(batch);
  EXPECT_LE(batch->samples.size(), 200U);
  const auto lag = [&](int p) {
    return value(*batch, R"(kafka_consumergroup_lag{cluster="prod",consumergroup="billing",partition=")" +
                             std::to_string(p) + R"(",topic="orders"})");
  };
  EXPECT_EQ(lag(99), 99);
  EXPECT_EQ(lag(1), std::nullopt);
  EXPECT_EQ(value(*batch, R"(kafka_consumergroup_group_lag{cluster="prod",consumergroup="billing"})"), 4950);
  EXPECT_GT(value(*batch, R"(weir_kafka_series_truncated{cluster="prod"})"), 400);
}

TEST(KafkaCollector, OtherProgramsNamesCountInTheSeriesBudget) {
  kafka::ClusterSettings settings;
  settings.name = "prod";
  settings.metrics.max_series = 400;
  settings.metrics.compat = {.burrow = true, .kafka_exporter = true, .kafka_lag_exporter = true, .kminion = true};
  KafkaCollector collector(settings, [](const auto&) -> core::Result<kafka::Snapshot> {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", std::vector<std::pair<std::int64_t, std::int64_t>>(100, {0, 1000})),
                       make_topic("payments", {{0, 1000}})};
    for (const char* id : {"billing", "search"}) {
      kafka::Group group;
      group.id = id;
      for (int p = 0; p < 100; ++p) group.partitions.push_back({0, p, kafka::Committed::at(1000 - p)});
      group.partitions.push_back({1, 0, kafka::Committed::at(1)});
      snapshot.groups.push_back(group);
    }
    return snapshot;
  });
  for (int cycle = 0; cycle < 4; ++cycle) {
    const auto batch = collector.collect(context_at(15 * cycle));
    ASSERT_TRUE(batch);
    EXPECT_LE(batch->samples.size(), 400U) << cycle;
    EXPECT_GE(batch->samples.size(), 360U) << cycle;
  }
}

TEST(KafkaCollector, SettingsThatCannotConnectAreAnErrorOfTheCycle) {
  kafka::ClusterSettings settings;
  settings.name = "prod";
  settings.brokers = "127.0.0.1:1";
  settings.properties = {{"security.protocol", core::Secret("ssl")},
                         {"ssl.ca.location", core::Secret("/nonexistent/ca.pem")}};
  KafkaCollector collector(settings);
  for (int cycle = 0; cycle < 2; ++cycle) {
    const auto batch = collector.collect(context_at(cycle));
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().kind, core::ErrorKind::invalid);
    EXPECT_EQ(batch.error().where, "kafka/prod");
  }
}

TEST(KafkaCollector, WatchesAMockClusterEndToEnd) {
  auto mock = kafka::MockCluster::start(1);
  ASSERT_TRUE(mock) << mock.error().message;
  ASSERT_TRUE(mock->create_topic("clicks.dlt", 1));
  ASSERT_TRUE(mock->create_topic("orders", 2));
  auto producer = kafka::Producer::open(mock->bootstrap_servers());
  ASSERT_TRUE(producer);
  ASSERT_TRUE(producer->produce("orders", 0, "", "a"));
  ASSERT_TRUE(producer->produce("clicks.dlt", 0, "", "poison"));
  ASSERT_TRUE(producer->flush(seconds(10)));
  kafka::ClusterSettings settings;
  settings.name = "demo";
  settings.brokers = mock->bootstrap_servers();
  settings.groups.named = {{"billing", {"orders"}}};
  settings.topics.names = {"clicks.dlt", "orders"};
  settings.dead_letter = *kafka::Patterns::compile({"[.]dlt$"});
  KafkaCollector collector(settings);
  const auto batch = collector.collect({.now = std::chrono::floor<core::Duration>(std::chrono::system_clock::now()),
                                        .deadline = steady_clock::now() + seconds(10),
                                        .stop = {}});
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->faults.empty());
  EXPECT_EQ(value(*batch, R"(kafka_topic_messages{cluster="demo",topic="orders"})"), 1);
  EXPECT_EQ(value(*batch, R"(kafka_dead_letter_messages{cluster="demo",topic="clicks.dlt"})"), 1);
  EXPECT_TRUE(value(*batch, R"(kafka_dead_letter_newest_message_age_seconds{cluster="demo",topic="clicks.dlt"})"));
  EXPECT_EQ(
      value(*batch,
            R"(kafka_consumergroup_uncommitted_partitions{cluster="demo",consumergroup="billing",topic="orders"})"),
      1)
      << "the other partition is empty";
}

}  // namespace
}  // namespace weir::collectors
