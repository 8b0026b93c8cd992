#include "collectors/compat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka.h"
#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using std::chrono::seconds;

class Compat : public testing::Test {
 protected:
  static kafka::Snapshot shop() {
    kafka::Snapshot snapshot;
    snapshot.topics = {make_topic("orders", {{5, 100}, {0, 50}})};
    kafka::TopicConfig config;
    config.cleanup_policy = "delete";
    snapshot.topics[0].config = std::make_shared<const kafka::TopicConfig>(config);
    snapshot.topics[0].partitions[1].preferred_leader = false;
    kafka::Group group;
    group.id = "billing";
    group.state = kafka::GroupState::stable;
    group.members = 2;
    group.partitions = {{0, 0, kafka::Committed::at(90)}, {0, 1, kafka::Committed::at(50)}};
    snapshot.groups = {group};
    return snapshot;
  }

  core::Batch run(kafka::CompatSettings set, int cycles = 1) {
    kafka::ClusterSettings settings;
    settings.name = "prod";
    settings.metrics.compat = set;
    KafkaCollector collector(settings, [](const auto&) -> core::Result<kafka::Snapshot> { return shop(); });
    core::Batch batch;
    for (int i = 0; i < cycles; ++i) {
      batch = *collector.collect({.now = at_second(15 * i), .deadline = std::chrono::steady_clock::now(), .stop = {}});
    }
    for (const core::Sample& sample : batch.samples) {
      EXPECT_TRUE(std::ranges::any_of(collector.metrics(), [&](const core::MetricInfo& info) {
        return info.name == sample.labels.name();
      })) << sample.labels.to_string();
    }
    return batch;
  }
};

TEST_F(Compat, NothingIsAddedUnlessAskedFor) {
  for (const core::Sample& sample : run({}).samples) {
    const std::string_view name = sample.labels.name();
    EXPECT_FALSE(name.starts_with("kminion_") || name.starts_with("burrow_") || name.starts_with("kafka_partition_"));
    EXPECT_FALSE(sample.labels.has("cluster_name"));
  }
}

TEST_F(Compat, KminionsNames) {
  const core::Batch batch = run({.kminion = true});
  EXPECT_EQ(value(batch, R"(kminion_kafka_consumer_group_topic_partition_lag{cluster="prod",group_id="billing",)"
                         R"(partition_id="0",topic_name="orders"})"),
            10);
  EXPECT_EQ(
      value(batch, R"(kminion_kafka_consumer_group_topic_lag{cluster="prod",group_id="billing",topic_name="orders"})"),
      10);
  EXPECT_EQ(
      value(batch,
            R"(kminion_kafka_consumer_group_topic_offset_sum{cluster="prod",group_id="billing",topic_name="orders"})"),
      140);
  EXPECT_EQ(value(batch, R"(kminion_kafka_consumer_group_members{cluster="prod",group_id="billing"})"), 2);
  EXPECT_EQ(value(batch, R"(kminion_kafka_consumer_group_info{cluster="prod",group_id="billing",state="Stable"})"), 1);
  EXPECT_EQ(value(batch, R"(kminion_kafka_topic_info{cleanup_policy="delete",cluster="prod",partition_count="2",)"
                         R"(replication_factor="3",topic_name="orders"})"),
            1);
  EXPECT_EQ(value(batch, R"(kminion_kafka_topic_partition_low_water_mark{cluster="prod",partition_id="0",)"
                         R"(topic_name="orders"})"),
            5);
  EXPECT_EQ(value(batch, R"(kminion_kafka_topic_partition_high_water_mark{cluster="prod",partition_id="1",)"
                         R"(topic_name="orders"})"),
            50);
  EXPECT_EQ(value(batch, R"(kminion_kafka_topic_low_water_mark_sum{cluster="prod",topic_name="orders"})"), 5);
  EXPECT_EQ(value(batch, R"(kminion_kafka_topic_high_water_mark_sum{cluster="prod",topic_name="orders"})"), 150);
}

TEST_F(Compat, KafkaLagExportersNames) {
  const core::Batch batch = run({.kafka_lag_exporter = true}, 41);
  const std::string partition =
      R"({client_id="unknown",cluster_name="prod",consumer_id="unknown",group="billing",member_host="unknown",)"
      R"(partition="0",topic="orders"})";
  const std::string group = R"({cluster_name="prod",group="billing"})";
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_offset" + partition), 90);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag" + partition), 10);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_lag_seconds" + partition), 600);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_max_lag" + group), 10);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_max_lag_seconds" + group), 600);
  EXPECT_EQ(value(batch, "kafka_consumergroup_group_sum_lag" + group), 10);
  EXPECT_EQ(
      value(batch, R"(kafka_consumergroup_group_topic_sum_lag{cluster_name="prod",group="billing",topic="orders"})"),
      10);
  EXPECT_EQ(value(batch, R"(kafka_partition_latest_offset{cluster_name="prod",partition="0",topic="orders"})"), 100);
  EXPECT_EQ(value(batch, R"(kafka_partition_earliest_offset{cluster_name="prod",partition="0",topic="orders"})"), 5);
  EXPECT_EQ(value(batch, R"(kafka_consumergroup_group_lag{cluster="prod",consumergroup="billing"})"), 10)
      << "Weir's own of this name stays";
}

TEST_F(Compat, KafkaLagExportersSeriesNameTheMemberThatReads) {
  const kafka::MetricSettings settings{
      .partition_topics = {}, .partition_groups = {}, .compat = {.kafka_lag_exporter = true}};
  CompatMemory memory;
  GroupMemory groups;
  const auto lag_of = [&](std::shared_ptr<const std::vector<kafka::Member>> members, int id) {
    kafka::Snapshot snapshot = shop();
    snapshot.groups[0].member_list = std::move(members);
    core::Batch batch;
    const KafkaCycle now{"prod", at_second(0), kafka::kDefaultStatus, settings};
    consumer_groups(snapshot, now, groups, batch);
    compat(snapshot, now, groups, memory, batch);
    std::string found;
    for (const core::Sample& sample : batch.samples) {
      const core::Labels& labels = sample.labels;
      if (labels.name() != "kafka_consumergroup_group_lag" || labels.get("partition") != std::to_string(id)) continue;
      found += std::string(labels.get("member_host")) + " " + std::string(labels.get("consumer_id")) + " " +
               std::string(labels.get("client_id"));
    }
    return found;
  };
  const auto members = [](const std::string& id) {
    return std::make_shared<const std::vector<kafka::Member>>(
        std::vector<kafka::Member>{{"x-9", "x", "10.0.0.2", {}}, {id, "app", "10.0.0.1", {{"orders", 0}}}});
  };
  EXPECT_EQ(lag_of(nullptr, 0), "unknown unknown unknown");
  EXPECT_EQ(lag_of(members("app-1"), 0), "/10.0.0.1 app-1 app");
  EXPECT_EQ(lag_of(members("app-1"), 1), "unknown unknown unknown") << "assigned to nobody";
  EXPECT_EQ(lag_of(members("app-2"), 0), "/10.0.0.1 app-2 app") << "after a rebalance";
  EXPECT_EQ(lag_of(nullptr, 0), "unknown unknown unknown");
}

TEST_F(Compat, BurrowsNamesAndNumbers) {
  core::Batch batch = run({.burrow = true});
  const std::string partition = R"({cluster="prod",consumer_group="billing",partition="0",topic="orders"})";
  const std::string group = R"({cluster="prod",consumer_group="billing"})";
  EXPECT_EQ(value(batch, "burrow_kafka_consumer_partition_lag" + partition), 10);
  EXPECT_EQ(value(batch, "burrow_kafka_consumer_current_offset" + partition), 90);
  EXPECT_EQ(value(batch, "burrow_kafka_topic_partition_status" + partition), 1);
  EXPECT_EQ(value(batch, "burrow_kafka_consumer_lag_total" + group), 10);
  EXPECT_EQ(value(batch, "burrow_kafka_consumer_status" + group), 1);
  EXPECT_EQ(value(batch, R"(burrow_kafka_topic_partition_offset{cluster="prod",partition="0",topic="orders"})"), 100);
  batch = run({.burrow = true}, 60);
  EXPECT_EQ(value(batch, "burrow_kafka_topic_partition_status" + partition), 5) << "STALL";
  EXPECT_EQ(value(batch, "burrow_kafka_consumer_status" + group), 3) << "ERR";
}

TEST_F(Compat, KafkaExportersRemainingNames) {
  const core::Batch batch = run({.kafka_exporter = true});
  const std::string partition = R"({cluster="prod",partition="1",topic="orders"})";
  EXPECT_EQ(value(batch, "kafka_topic_partition_replicas" + partition), 3);
  EXPECT_EQ(value(batch, "kafka_topic_partition_in_sync_replica" + partition), 3);
  EXPECT_EQ(value(batch, "kafka_topic_partition_leader_is_preferred" + partition), 0);
  EXPECT_EQ(value(batch, R"(kafka_consumergroup_current_offset_sum{cluster="prod",consumergroup="billing",)"
                         R"(topic="orders"})"),
            140);
}

TEST_F(Compat, ASteadyCycleBuildsNoLabelsAndWhatIsGoneIsForgotten) {
  const kafka::MetricSettings settings{.partition_topics = {}, .partition_groups = {}, .compat = {.kminion = true}};
  CompatMemory memory;
  GroupMemory groups;
  const auto cycle = [&](const kafka::Snapshot& snapshot) {
    core::Batch batch;
    const KafkaCycle now{"prod", at_second(0), kafka::kDefaultStatus, settings};
    consumer_groups(snapshot, now, groups, batch);
    compat(snapshot, now, groups, memory, batch);
    return batch;
  };
  const core::Batch first = cycle(shop());
  const core::Batch second = cycle(shop());
  for (std::size_t i = 0; i < std::min(first.samples.size(), second.samples.size()); ++i) {
    EXPECT_EQ(first.samples[i].labels.at(0).first.data(), second.samples[i].labels.at(0).first.data());
  }
  cycle({});
  EXPECT_TRUE(memory.renamed.empty());
  EXPECT_TRUE(memory.groups.empty());
  EXPECT_TRUE(memory.owners.empty());
  EXPECT_TRUE(memory.topics.empty());
}

}  // namespace
}  // namespace weir::collectors
