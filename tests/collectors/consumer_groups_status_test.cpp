#include "collectors/consumer_groups_fixture.h"

namespace weir::collectors {
namespace {

using kafka::Committed;
using testing::ElementsAre;
using testing::IsEmpty;

std::string status(const std::string& text) {
  return "kafka_consumergroup_status{" + kGroup + ",status=\"" + text + "\"}";
}

TEST_F(ConsumerGroups, TheGroupsStatusIsItsWorstPartitionsAndIsAnEventWhenItIsTrouble) {
  const auto snapshot = [](std::int64_t end) {
    return one({{0, end}, {0, 100}}, {Committed::at(100), Committed::at(100)});
  };
  EXPECT_EQ(value(run(snapshot(100)), status("OK")), 1);
  core::Batch batch;
  std::vector<std::string> seen;
  for (int i = 0; i < 45; ++i) {
    batch = run(snapshot(150));
    for (const core::Event& event : batch.events) seen.push_back(event.message);
  }
  EXPECT_EQ(value(batch, status("STALL")), 1);
  const std::string trouble = "kafka_consumergroup_partition_status{" + kGroup + R"(,partition=")";
  EXPECT_EQ(value(batch, trouble + R"(0",status="STALL",topic="orders"})"), 1);
  EXPECT_EQ(value(batch, "kafka_consumergroup_status_partitions{" + kGroup + R"(,status="STALL",topic="orders"})"), 1);
  EXPECT_THAT(seen, ElementsAre("Consumer group billing went from OK to STALL: orders partition 0 is at offset 100 "
                                "with 50 messages unread."));
  const auto partitions = std::ranges::count_if(batch.samples, [](const core::Sample& sample) {
    return sample.labels.name() == "kafka_consumergroup_partition_status";
  });
  EXPECT_EQ(partitions, 1) << "only where there is trouble";
  batch = run(one({{0, 150}, {0, 100}}, {Committed::at(150), Committed::at(100)}));
  EXPECT_EQ(value(batch, status("OK")), 1);
  EXPECT_THAT(kinds(batch), ElementsAre("group_status_changed"));
}

TEST_F(ConsumerGroups, WithoutMembersItIsStop) {
  kafka::Snapshot snapshot = one({{0, 150}}, {Committed::at(100)}, kafka::GroupState::empty);
  core::Batch batch;
  for (int i = 0; i < 45; ++i) batch = run(snapshot);
  EXPECT_EQ(value(batch, status("STOP")), 1);
  snapshot.groups[0].members = 1;
  EXPECT_EQ(value(run(snapshot), status("STALL")), 1) << "the count says more than the state";
}

TEST_F(ConsumerGroups, WhetherSomeoneReadsAnAssignOnlyGroupCannotBeToldSoItIsStall) {
  kafka::Snapshot snapshot = one({{0, 100}}, {Committed::at(50)}, kafka::GroupState::empty);
  snapshot.groups[0].members = 0;
  snapshot.groups[0].kind = kafka::GroupKind::simple;
  core::Batch batch;
  for (int i = 0; i < 45; ++i) batch = run(snapshot);
  EXPECT_EQ(value(batch, "kafka_consumergroup_status{" + kGroup + R"(,status="STALL"})"), 1);
}

TEST_F(ConsumerGroups, APartitionThatNoMemberHasIsStopped) {
  kafka::Snapshot snapshot = one({{0, 150}, {0, 150}}, {Committed::at(100), Committed::at(100)});
  snapshot.groups[0].kind = kafka::GroupKind::classic;
  snapshot.groups[0].members = 1;
  snapshot.groups[0].member_list = std::make_shared<const std::vector<kafka::Member>>(
      std::vector<kafka::Member>{{"m-1", "app", "10.0.0.1", {{"orders", 0}}}});
  core::Batch batch;
  for (int i = 0; i < 45; ++i) batch = run(snapshot);
  const std::string trouble = "kafka_consumergroup_partition_status{" + kGroup + R"(,partition=")";
  EXPECT_EQ(value(batch, trouble + R"(0",status="STALL",topic="orders"})"), 1);
  EXPECT_EQ(value(batch, trouble + R"(1",status="STOP",topic="orders"})"), 1);
  EXPECT_EQ(value(batch, "kafka_consumergroup_info{" + kGroup + R"(,kind="classic"})"), 1);
}

TEST_F(ConsumerGroups, CatchUpComesFromTheTwoRates) {
  core::Batch batch;
  for (int i = 0; i < 60; ++i) batch = run(one({{0, 100'000 + 150 * i}}, {Committed::at(300 * i)}));
  const double lag = 100'000 + 150 * 59 - 300 * 59;
  EXPECT_DOUBLE_EQ(*value(batch, "kafka_consumergroup_records_per_second{" + kTopic), 20);
  EXPECT_NEAR(*value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), lag / 10, 0.01);
  for (int i = 0; i < 60; ++i) batch = run(one({{0, 110'000 + 300 * i}}, {Committed::at(18'000 + 150 * i)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), std::nullopt) << "never";
  batch = run(one({{0, 200'000}}, {Committed::at(200'000)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), 0);
}

TEST_F(ConsumerGroups, OneStuckPartitionNeverCatchesUp) {
  core::Batch batch;
  for (int i = 0; i < 60; ++i) {
    batch = run(one({{0, 100'000}, {0, 100}}, {Committed::at(300 * i), Committed::at(50)}));
  }
  EXPECT_EQ(value(batch, "kafka_consumergroup_catch_up_seconds{" + kGroup + "}"), std::nullopt);
}

TEST_F(ConsumerGroups, RewindsAreCountedAndEvents) {
  EXPECT_EQ(value(run(one({{0, 100}, {0, 100}}, {Committed::at(90), Committed::at(90)})),
                  "kafka_consumergroup_rewinds_total{" + kTopic),
            0);
  const core::Batch batch = run(one({{0, 100}, {0, 100}}, {Committed::at(10), Committed::at(20)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_rewinds_total{" + kTopic), 2);
  ASSERT_THAT(kinds(batch), testing::Contains("group_rewound"));
  const auto event = std::ranges::find(batch.events, "group_rewound", &core::Event::kind);
  EXPECT_EQ(event->message, "Consumer group billing went back by 150 messages on 2 partitions of orders.");
  EXPECT_EQ(value(batch, status("REWIND")), 1);
}

class AfterARestart : public ConsumerGroups {
 protected:
  /// A point every 15 s of the 15 minutes before the first cycle.
  void before(std::int64_t committed, std::int64_t lag, std::int64_t committed_per_step = 0,
              std::int64_t lag_per_step = 0) {
    std::vector<core::Point> commits;
    std::vector<core::Point> lags;
    for (int i = 0; i < 60; ++i) {
      commits.push_back({at_second(15 * i - 900), static_cast<double>(committed + i * committed_per_step)});
      lags.push_back({at_second(15 * i - 900), static_cast<double>(lag + i * lag_per_step)});
    }
    past_.add("kafka_consumergroup_current_offset", "orders", "0", commits, "billing");
    past_.add("kafka_consumergroup_lag", "orders", "0", lags, "billing");
  }
  std::optional<double> status(const core::Batch& batch, const std::string& status) {
    return value(batch, "kafka_consumergroup_status{" + kGroup + ",status=\"" + status + "\"}");
  }
};

TEST_F(AfterARestart, AGroupThatStoodStillStillDoes) {
  before(10, 90);
  const core::Batch batch = run(one({{0, 100}}, {Committed::at(10)}));
  EXPECT_EQ(status(batch, "STALL"), 1);
  EXPECT_THAT(kinds(batch), IsEmpty()) << "nothing has changed";
}

TEST_F(AfterARestart, AGroupThatComesIntoSightLaterStoodStillAllTheSame) {
  before(10, 90);
  run({});
  EXPECT_EQ(status(run(one({{0, 100}}, {Committed::at(10)})), "STALL"), 1);
}

TEST_F(AfterARestart, ALowerBoundEndsNoTimeLagWhereNoHistoryIsLeft) {
  settings_.partition_topics.deny = *kafka::Patterns::compile({"orders"});
  const auto add = [&](std::string_view metric) {
    past_.series.push_back(
        {core::Labels::metric(metric, {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}}),
         {{at_second(-30), 2000}}});
  };
  add("kafka_consumergroup_lag_seconds_max");
  core::Batch batch;
  for (int i = 0; i < 100; ++i) batch = run(one({{0, 1000}}, {Committed::at(10)}));
  EXPECT_EQ(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic), std::nullopt);
  EXPECT_THAT(kept(batch), testing::Contains("kafka_consumergroup_lag_seconds_max{" + kTopic));
  for (int i = 0; i < 40; ++i) batch = run(one({{0, 1000}}, {Committed::at(10)}));
  EXPECT_NEAR(value(batch, "kafka_consumergroup_lag_seconds_max{" + kTopic).value_or(0), 139 * 15, 16);
  EXPECT_THAT(kept(batch), IsEmpty());
}

TEST_F(AfterARestart, TroubleKeepsItsStateUntilAllIsJudgedWhereNoSeriesByPartitionTell) {
  settings_.partition_topics.deny = *kafka::Patterns::compile({"orders"});
  past_.series.push_back(
      {core::Labels::metric(
           "kafka_consumergroup_status_partitions",
           {{"cluster", "prod"}, {"consumergroup", "billing"}, {"topic", "orders"}, {"status", "STALL"}}),
       {{at_second(-30), 1}}});
  const std::string scope = "kafka_consumergroup_status_partitions{" + kTopic;
  EXPECT_THAT(kept(run(one({{0, 100}}, {Committed::at(10)}))), testing::Contains(scope));
  EXPECT_THAT(kept(run(one({{0, 100}}, {Committed::at(20)}))), testing::Not(testing::Contains(scope)));
}

TEST_F(AfterARestart, AGroupWhoseLagGrewStillFallsBehind) {
  before(10, 90, 5, 20);
  EXPECT_EQ(status(run(one({{0, 1610}}, {Committed::at(320)})), "WARN"), 1);
}

TEST_F(AfterARestart, WhoCommittedMeanwhileMoves) {
  before(10, 90);
  EXPECT_EQ(status(run(one({{0, 100}}, {Committed::at(30)})), "OK"), 1);
}

TEST_F(AfterARestart, ARewindWhileWeirWasAwayIsSeen) {
  before(60, 40);
  const core::Batch batch = run(one({{0, 100}}, {Committed::at(20)}));
  EXPECT_EQ(status(batch, "REWIND"), 1);
  EXPECT_THAT(kinds(batch), ElementsAre("group_rewound"));
}

TEST_F(AfterARestart, ATopicCreatedAnewMeanwhileBeginsAnew) {
  before(60, 40);
  EXPECT_EQ(status(run(one({{0, 9}}, {Committed::at(3)})), "UNKNOWN"), 1);
}

TEST_F(AfterARestart, LagsWithoutCommitsTellNothing) {
  before(10, 90);
  past_.series.erase(past_.series.begin());
  EXPECT_EQ(status(run(one({{0, 100}}, {Committed::at(10)})), "UNKNOWN"), 1);
}

}  // namespace
}  // namespace weir::collectors
