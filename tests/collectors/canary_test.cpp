#include "collectors/canary.h"

#include <deque>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kafka_fixture.h"

namespace weir::collectors {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kScope = R"({cluster="prod",topic="probe"})";

/// A link whose clock stands still but in poll().
struct FakeLink : kafka::CanaryLink {
  ~FakeLink() override {
    if (gone) gone();
  }

  std::function<void()> gone = {};  // told when it is closed
  std::vector<std::int32_t> partitions = {0, 1};
  std::optional<core::Error> prepare_error;
  std::optional<core::Error> commit_error;
  core::Duration delay = 20ms;    // of acknowledgement and arrival
  std::set<std::int32_t> silent;  // acknowledged, and never arrive
  std::set<std::int32_t> broken;  // never acknowledged
  int copies = 1;
  std::vector<std::pair<std::int32_t, std::uint64_t>> queued;
  kafka::SteadyTime time = kafka::SteadyTime(24h);

  core::Result<std::vector<std::int32_t>> prepare(kafka::SteadyTime, const std::stop_token&) override {
    if (prepare_error) return std::unexpected(*prepare_error);
    return partitions;
  }
  core::Result<kafka::SteadyTime> send(std::int32_t partition, std::uint64_t sequence) override {
    queued.emplace_back(partition, sequence);
    return time;
  }
  kafka::CanaryNews poll(std::chrono::milliseconds timeout) override {
    kafka::CanaryNews news;
    if (queued.empty() || timeout < delay) {
      time += timeout;
      return news;
    }
    time += delay;
    for (const auto& [partition, sequence] : queued) {
      if (broken.contains(partition)) continue;
      news.deliveries.push_back({partition, sequence, delay / 2, std::nullopt});
      for (int i = 0; i < copies && !silent.contains(partition); ++i) {
        news.arrivals.push_back({partition, sequence, time});
      }
    }
    queued.clear();
    return news;
  }
  core::Result<core::Duration> commit(kafka::SteadyTime) override {
    if (commit_error) return std::unexpected(*commit_error);
    return core::Duration(4ms);
  }
  kafka::SteadyTime now() const override { return time; }
};

class Canary : public testing::Test {
 protected:
  Canary() {
    settings_.topic = "probe";
    auto link = std::make_unique<FakeLink>();
    link_ = link.get();
    waiting_ = std::move(link);
  }

  core::Batch cycle(core::Duration later = 5s) {
    if (!collector_) {
      collector_ = std::make_unique<CanaryCollector>(
          "prod", settings_, [this] { return core::Result<std::unique_ptr<kafka::CanaryLink>>(std::move(waiting_)); });
    }
    link_->time += later;
    auto batch = collector_->collect({at_second(second_ += 5), link_->time + 10s, {}});
    EXPECT_TRUE(batch);
    return batch ? std::move(*batch) : core::Batch();
  }

  static std::optional<double> counter(const core::Batch& batch, const std::string& name) {
    return value(batch, "kafka_canary_" + name + kScope);
  }
  static std::optional<double> bucket(const core::Batch& batch, const std::string& name, const std::string& bound) {
    return value(batch, "kafka_canary_" + name + "_latency_seconds_bucket{cluster=\"prod\",le=\"" + bound +
                            "\",topic=\"probe\"}");
  }

  kafka::CanarySettings settings_;
  FakeLink* link_ = nullptr;
  std::unique_ptr<kafka::CanaryLink> waiting_;
  std::unique_ptr<CanaryCollector> collector_;
  int second_ = 0;
};

TEST_F(Canary, EveryPartitionGetsOneAndItsLatenciesAreHistograms) {
  cycle();
  const core::Batch batch = cycle();
  EXPECT_THAT(batch.faults, IsEmpty());
  EXPECT_EQ(counter(batch, "sent_total"), 4);
  EXPECT_EQ(counter(batch, "received_total"), 4);
  EXPECT_EQ(counter(batch, "pending"), 0);
  EXPECT_EQ(counter(batch, "late_total"), 0);
  EXPECT_EQ(bucket(batch, "round_trip", "0.01"), 0);
  EXPECT_EQ(bucket(batch, "round_trip", "0.025"), 4);
  EXPECT_EQ(bucket(batch, "round_trip", "+Inf"), 4);
  EXPECT_EQ(bucket(batch, "produce", "0.01"), 4);
  EXPECT_EQ(bucket(batch, "commit", "0.005"), 2);
  EXPECT_NEAR(*value(batch, "kafka_canary_round_trip_latency_seconds_sum" + kScope), 0.08, 1e-9);
  EXPECT_EQ(value(batch, "kafka_canary_round_trip_latency_seconds_count" + kScope), 4);
}

TEST_F(Canary, OneThatIsAcknowledgedAndNeverArrivesIsLateThenLost) {
  link_->silent = {1};
  core::Batch batch = cycle();
  EXPECT_EQ(counter(batch, "pending"), 1);
  EXPECT_EQ(counter(batch, "lost_total"), 0);
  link_->silent.clear();
  batch = cycle();
  EXPECT_EQ(counter(batch, "late_total"), 1);
  EXPECT_THAT(batch.events, IsEmpty());
  std::vector<core::Event> events;
  for (int i = 0; i < 6; ++i) {
    batch = cycle();
    events.insert(events.end(), batch.events.begin(), batch.events.end());
  }
  EXPECT_EQ(counter(batch, "lost_total"), 1);
  EXPECT_EQ(counter(batch, "late_total"), 1);
  EXPECT_EQ(counter(batch, "pending"), 0);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "canary_lost");
  EXPECT_EQ(events[0].message,
            "1 canaries through probe in prod were acknowledged and have not arrived after 30 s, of partition 1.");
}

TEST_F(Canary, OneThatNobodyAcknowledgedIsNotLost) {
  link_->broken = {0, 1};
  core::Batch batch;
  for (int i = 0; i < 30; ++i) batch = cycle();
  EXPECT_EQ(counter(batch, "lost_total"), 0);
  EXPECT_GT(*counter(batch, "late_total"), 40);
  EXPECT_LT(*counter(batch, "pending"), 30);  // bounded
}

TEST_F(Canary, AFailedProduceIsCountedAndAFault) {
  CanaryLedger ledger("prod", settings_);
  ledger.sent(0, ledger.next_sequence(), link_->time);
  kafka::CanaryNews news;
  news.deliveries.push_back({0, 1, 5ms, core::fail(core::ErrorKind::timeout, "no answer").error()});
  EXPECT_EQ(ledger.take(news)->message, "no answer");
  EXPECT_FALSE(ledger.waits_for(1));
  core::Batch batch;
  ledger.expire(link_->time + 31s, at_second(31), batch.events);
  ledger.append(at_second(31), batch.samples);
  EXPECT_EQ(counter(batch, "produce_failures_total"), 1);
  EXPECT_EQ(counter(batch, "lost_total"), 0);
  EXPECT_EQ(counter(batch, "pending"), 0);
  EXPECT_EQ(value(batch, "kafka_canary_produce_latency_seconds_count" + kScope), 0);
}

TEST_F(Canary, APartitionFailsUntilALaterCanaryOfItIsAcknowledged) {
  CanaryLedger ledger("prod", settings_);
  const auto failing = [&](std::initializer_list<kafka::CanaryDelivery> deliveries) {
    kafka::CanaryNews news;
    news.deliveries = deliveries;
    ledger.take(news);
    core::Batch batch;
    ledger.append(at_second(5), batch.samples);
    return counter(batch, "failing_partitions");
  };
  const core::Error refused = core::fail(core::ErrorKind::timeout, "no answer").error();
  EXPECT_EQ(failing({}), 0);
  EXPECT_EQ(failing({{0, 1, 5ms, refused}, {1, 1, 5ms, refused}}), 2);
  EXPECT_EQ(failing({{0, 3, 5ms, std::nullopt}}), 1);
  EXPECT_EQ(failing({{0, 2, 5ms, refused}}), 1);  // older than the one that was acknowledged
  EXPECT_EQ(failing({{0, 4, 5ms, refused}}), 2);
  ledger.assigned({0});  // the topic was made anew
  EXPECT_EQ(failing({}), 1);
  EXPECT_EQ(failing({{0, 5, 5ms, std::nullopt}}), 0);
}

TEST_F(Canary, AnErrorIsAnEventWhenItBeginsAndNotEachCycle) {
  EXPECT_THAT(cycle().events, IsEmpty());
  link_->prepare_error = core::fail(core::ErrorKind::unavailable, "no broker can be reached").error();
  const core::Batch first = cycle();
  ASSERT_EQ(first.events.size(), 1U);
  EXPECT_EQ(first.events[0].kind, "canary_error");
  EXPECT_EQ(first.events[0].message, "no broker can be reached");
  EXPECT_EQ(first.events[0].labels.get("topic"), "probe");
  EXPECT_THAT(cycle().events, IsEmpty());
  link_->prepare_error.reset();
  EXPECT_THAT(cycle().events, IsEmpty());
  link_->prepare_error = core::fail(core::ErrorKind::unavailable, "again").error();
  EXPECT_THAT(cycle().events, IsEmpty());  // within a minute
}

TEST_F(Canary, ASecondArrivalIsADuplicate) {
  link_->copies = 3;
  const core::Batch batch = cycle();
  EXPECT_EQ(counter(batch, "received_total"), 2);
  EXPECT_EQ(counter(batch, "duplicated_total"), 4);
}

TEST_F(Canary, OneThatArrivesLateIsCountedOnceAndNotLost) {
  link_->delay = 4s;  // longer than a cycle looks
  core::Batch batch = cycle();
  EXPECT_EQ(counter(batch, "late_total"), 0);
  EXPECT_EQ(counter(batch, "pending"), 2);
  CanaryLedger ledger("prod", settings_);
  ledger.sent(0, 1, link_->time);
  kafka::CanaryNews news;
  news.arrivals.push_back({0, 1, link_->time + 4s});
  ledger.take(news);
  core::Batch late;
  ledger.append(at_second(5), late.samples);
  EXPECT_EQ(counter(late, "late_total"), 1);
  EXPECT_EQ(counter(late, "received_total"), 1);
}

TEST_F(Canary, ATopicThatIsNotThereIsAFaultAndTheCountersGoOn) {
  cycle();
  link_->prepare_error = core::fail(core::ErrorKind::not_found, "topic \"probe\" does not exist").error();
  const core::Batch batch = cycle();
  ASSERT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(batch.faults[0].error.where, "canary/prod");
  EXPECT_EQ(counter(batch, "sent_total"), 2);
}

TEST_F(Canary, ACommitThatIsRefusedSpoilsNothingElse) {
  link_->commit_error = core::fail(core::ErrorKind::denied, "group \"weir-canary\": not allowed").error();
  const core::Batch batch = cycle();
  EXPECT_EQ(batch.faults.size(), 1U);
  EXPECT_EQ(counter(batch, "commit_failures_total"), 1);
  EXPECT_EQ(counter(batch, "received_total"), 2);
}

TEST_F(Canary, WithoutArrivalsThereIsNothingToCommit) {
  link_->silent = {0, 1};
  link_->commit_error = core::fail(core::ErrorKind::internal, "no offset stored").error();
  EXPECT_THAT(cycle().faults, IsEmpty());
}

TEST_F(Canary, ALinkThatCannotSendForAMinuteIsOpenedAnew) {
  int opened = 0;
  FakeLink* link = nullptr;
  CanaryCollector collector("prod", settings_, [&] {
    ++opened;
    auto fresh = std::make_unique<FakeLink>();
    link = fresh.get();
    link->gone = [&link] { link = nullptr; };
    if (opened == 1) link->prepare_error = core::fail(core::ErrorKind::denied, "refused").error();
    return core::Result<std::unique_ptr<kafka::CanaryLink>>(std::move(fresh));
  });
  core::Batch batch;
  for (int i = 0; i <= 13; ++i) {
    if (link != nullptr && opened == 1) link->time += 5s;
    auto collected = collector.collect({at_second(i), kafka::SteadyTime(48h), {}});
    ASSERT_TRUE(collected);
    batch = std::move(*collected);
  }
  EXPECT_EQ(opened, 2);
  EXPECT_THAT(batch.faults, IsEmpty());
  EXPECT_GT(*counter(batch, "received_total"), 0);
}

TEST_F(Canary, ALinkThatCannotBeOpenedIsAFault) {
  CanaryCollector broken("prod", settings_, [] {
    return core::Result<std::unique_ptr<kafka::CanaryLink>>(core::fail(core::ErrorKind::invalid, "no such file"));
  });
  const auto batch = broken.collect({at_second(0), link_->time, {}});
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->faults.size(), 1U);
}

TEST_F(Canary, EveryEmittedMetricIsDescribed) {
  const core::Batch batch = cycle();
  for (const core::Sample& sample : batch.samples) {
    EXPECT_TRUE(std::ranges::any_of(collector_->metrics(), [&](const core::MetricInfo& info) {
      const std::string_view name = sample.labels.name();
      if (info.type != core::MetricType::histogram) return name == info.name;
      return name.starts_with(info.name) &&
             (name.ends_with("_bucket") || name.ends_with("_sum") || name.ends_with("_count"));
    })) << sample.labels.to_string();
  }
}

TEST(LatencyHistogramTest, BoundsAreInclusiveAndCumulated) {
  LatencyHistogram histogram("x", core::Labels{{"cluster", "prod"}});
  for (const double seconds : {-1.0, 0.001, 0.0011, 3.0, 100.0}) histogram.observe(seconds);
  core::Batch batch;
  histogram.append(at_second(0), batch.samples);
  EXPECT_EQ(value(batch, R"(x_bucket{cluster="prod",le="0.001"})"), 2);
  EXPECT_EQ(value(batch, R"(x_bucket{cluster="prod",le="3"})"), 4);
  EXPECT_EQ(value(batch, R"(x_bucket{cluster="prod",le="60"})"), 4);
  EXPECT_EQ(value(batch, R"(x_bucket{cluster="prod",le="+Inf"})"), 5);
}

}  // namespace
}  // namespace weir::collectors
