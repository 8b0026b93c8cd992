#include "runtime/collector_harness.h"

#include <algorithm>
#include <future>
#include <gtest/gtest.h>
#include <map>
#include <stdexcept>
#include <thread>

#include "core/retry_note.h"

namespace weir::runtime {
namespace {

using namespace std::chrono_literals;

core::Time at(int seconds) { return core::Time(std::chrono::seconds(seconds)); }

class FakeClock final : public Clock {
 public:
  core::Time now() const override { return now_; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(now_.time_since_epoch());
  }
  void advance(core::Duration by) { now_ += by; }

 private:
  core::Time now_ = at(1000);
};

class ScriptedCollector final : public core::Collector {
 public:
  using Step = std::function<core::Result<core::Batch>(const core::CollectContext&)>;
  ScriptedCollector(Step step, core::Duration interval) : step_(std::move(step)), interval_(interval) {}
  std::string_view name() const override { return "kafka/prod"; }
  core::Duration interval() const override { return interval_; }
  std::span<const core::MetricInfo> metrics() const override { return {}; }
  core::Result<core::Batch> collect(const core::CollectContext& context) override { return step_(context); }

 private:
  Step step_;
  core::Duration interval_;
};

class CollectorHarnessTest : public testing::Test {
 protected:
  CollectorHarness harness(ScriptedCollector::Step step, core::Duration interval = 15s) {
    return {std::make_unique<ScriptedCollector>(std::move(step), interval), clock_};
  }
  static core::Result<core::Batch> one_sample(const core::CollectContext& context) {
    core::Batch batch;
    batch.samples.push_back({core::Labels::metric("up", {}), context.now, 1});
    return batch;
  }
  static core::Result<core::Batch> broker_down(const core::CollectContext&) {
    return core::fail(core::ErrorKind::unavailable, "connection refused", "broker-1:9092");
  }
  std::map<std::string, double> samples(const CollectorHarness& harness) const {
    std::vector<core::Sample> found;
    harness.append_samples(found, clock_.now());
    std::map<std::string, double> values;
    for (const core::Sample& sample : found) {
      EXPECT_EQ(sample.labels.get("collector"), "kafka/prod");
      EXPECT_EQ(sample.time, clock_.now());
      values[std::string(sample.labels.name())] = sample.value;
    }
    return values;
  }

  FakeClock clock_;
};

TEST_F(CollectorHarnessTest, ACycleThatSawEverythingIsASuccess) {
  auto subject = harness([&](const core::CollectContext& context) {
    clock_.advance(250ms);
    return one_sample(context);
  });
  const CycleReport report = subject.run({});
  EXPECT_TRUE(report.seen);
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(report.collector, "kafka/prod");
  EXPECT_EQ(report.now, at(1000));
  EXPECT_EQ(report.duration, 250ms);
  EXPECT_EQ(report.batch.samples.size(), 1U);
  const auto values = samples(subject);
  EXPECT_EQ(values.at("weir_collector_success"), 1);
  EXPECT_EQ(values.at("weir_collector_duration_seconds"), 0.25);
  EXPECT_EQ(values.at("weir_collector_last_success_timestamp_seconds"), 1000);
  EXPECT_EQ(values.at("weir_collector_skipped_ticks_total"), 0);
}

TEST_F(CollectorHarnessTest, BeforeTheFirstCycleNothingIsClaimed) {
  const auto subject = harness(one_sample);
  EXPECT_FALSE(subject.status().ran);
  EXPECT_FALSE(samples(subject).contains("weir_collector_success"));
}

TEST_F(CollectorHarnessTest, AFailureKeepsTheTimeOfTheLastSuccess) {
  bool down = false;
  auto subject =
      harness([&](const core::CollectContext& context) { return down ? broker_down(context) : one_sample(context); });
  subject.run({});
  down = true;
  clock_.advance(15s);
  const CycleReport report = subject.run({});
  EXPECT_FALSE(report.seen);
  EXPECT_NE(report.error, "");
  EXPECT_TRUE(report.batch.samples.empty());
  EXPECT_EQ(subject.status().error, "broker-1:9092: connection refused");
  EXPECT_EQ(subject.status().last_success, at(1000));
  EXPECT_EQ(samples(subject).at("weir_collector_success"), 0);
}

TEST_F(CollectorHarnessTest, APartThatCouldNotBeSeenIsAFailureWithItsBatchKept) {
  auto subject = harness([](const core::CollectContext& context) {
    auto batch = one_sample(context);
    batch->faults.push_back({core::fail(core::ErrorKind::timeout, "no answer", "topic orders").error(), {}});
    batch->faults.push_back({core::fail(core::ErrorKind::timeout, "no answer", "topic clicks").error(), {}});
    return batch;
  });
  const CycleReport report = subject.run({});
  EXPECT_TRUE(report.seen);
  EXPECT_EQ(report.batch.samples.size(), 1U);
  EXPECT_FALSE(subject.status().success);
  EXPECT_EQ(subject.status().error, "topic orders: no answer (and 1 more)");
  EXPECT_FALSE(subject.status().last_success);
}

TEST_F(CollectorHarnessTest, AThingThatHoldsNoValueIsNoFailure) {
  bool refused = false;
  auto subject = harness([&](const core::CollectContext& context) {
    auto batch = one_sample(context);
    batch->faults.push_back({core::fail(core::ErrorKind::not_found, "the table is empty", "orders").error(), {}, true});
    if (refused) batch->faults.push_back({core::fail(core::ErrorKind::denied, "no access", "daily").error(), {}});
    return batch;
  });
  subject.run({});
  EXPECT_TRUE(subject.status().success);
  EXPECT_EQ(subject.status().error, "");
  refused = true;
  subject.run({});
  EXPECT_EQ(subject.status().error, "daily: no access") << "the one that could not be seen, not the empty one";
}

TEST_F(CollectorHarnessTest, AnExceptionOfAnyKindIsAFailure) {
  auto standard =
      harness([](const core::CollectContext&) -> core::Result<core::Batch> { throw std::out_of_range("no such key"); });
  EXPECT_FALSE(standard.run({}).seen);
  EXPECT_EQ(standard.status().error, "kafka/prod: unexpected failure: no such key");
  auto other = harness([](const core::CollectContext&) -> core::Result<core::Batch> { throw 5; });
  EXPECT_FALSE(other.run({}).seen);
  EXPECT_FALSE(other.status().success);
}

TEST_F(CollectorHarnessTest, AnErrorWithoutWordsIsStillAFailure) {
  auto subject = harness([](const core::CollectContext&) -> core::Result<core::Batch> {
    return core::fail(core::ErrorKind::internal, "");
  });
  subject.run({});
  EXPECT_FALSE(subject.status().success);
  EXPECT_EQ(subject.status().error, "internal");
  auto partly = harness([](const core::CollectContext&) -> core::Result<core::Batch> {
    core::Batch batch;
    batch.faults.emplace_back();
    return batch;
  });
  partly.run({});
  EXPECT_FALSE(partly.status().success);
}

TEST_F(CollectorHarnessTest, StoppingSaysNothingAboutTheObservedSystem) {
  std::stop_source stop;
  auto subject = harness([&](const core::CollectContext& context) -> core::Result<core::Batch> {
    if (!context.stop.stop_requested()) return one_sample(context);
    return core::fail(core::ErrorKind::cancelled, "stopped");
  });
  subject.run(stop.get_token());
  stop.request_stop();
  clock_.advance(15s);
  const CycleReport report = subject.run(stop.get_token());
  EXPECT_TRUE(report.cancelled);
  EXPECT_FALSE(report.seen);
  EXPECT_TRUE(subject.status().success);
  EXPECT_EQ(subject.status().last_success, at(1000));
}

TEST_F(CollectorHarnessTest, ADeadlineIsTheIntervalButNeverTooShortForASlowBroker) {
  core::Duration allowed{0};
  const auto measure = [&](const core::CollectContext& context) {
    allowed = std::chrono::duration_cast<core::Duration>(context.deadline - clock_.steady());
    return one_sample(context);
  };
  harness(measure, 60s).run({});
  EXPECT_EQ(allowed, 60s);
  harness(measure, 1s).run({});
  EXPECT_EQ(allowed, 10s);
}

TEST_F(CollectorHarnessTest, SkippedTicksAreCounted) {
  auto subject = harness(one_sample);
  subject.note_skipped_tick();
  subject.note_skipped_tick();
  EXPECT_EQ(samples(subject).at("weir_collector_skipped_ticks_total"), 2);
}

TEST_F(CollectorHarnessTest, TheScheduledCyclesReachTheSink) {
  Loop loop;
  WorkerPool pool("test", 1, 4);
  auto subject = harness(one_sample, 1h);
  std::promise<CycleReport> reported;
  std::thread thread;
  {
    Scheduler scheduler(loop, pool);
    subject.start(scheduler, [&](CycleReport report) { reported.set_value(std::move(report)); });
    thread = std::thread([&] { loop.run(); });
    auto future = reported.get_future();
    ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
    EXPECT_TRUE(future.get().seen);
  }
  loop.stop();
  thread.join();
}

TEST_F(CollectorHarnessTest, ItsFailuresAreLoggedWhenTheyChange) {
  core::Result<core::Batch> answer = core::Batch();
  auto subject = harness([&](const core::CollectContext&) { return answer; });
  testing::internal::CaptureStderr();
  subject.run({});
  subject.run({});
  answer = core::fail(core::ErrorKind::timeout, "no answer");
  subject.run({});
  subject.run({});
  answer = core::fail(core::ErrorKind::denied, "wrong password");
  subject.run({});
  answer = core::Batch();
  subject.run({});
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 4) << lines;
  EXPECT_NE(lines.find("error=\"wrong password\""), std::string::npos) << lines;
  EXPECT_NE(lines.find("recovered"), std::string::npos) << lines;
}

TEST_F(CollectorHarnessTest, WhatIsSeenOnceAnHourIsSaidAgainEachMinuteWithoutItsEvents) {
  int runs = 0;
  auto subject = harness(
      [&](const core::CollectContext& context) {
        auto batch = one_sample(context);
        batch->samples[0].value = ++runs;
        batch->events.push_back({context.now, "check_failed", {}, "m"});
        batch->faults.push_back({.error = {}, .scope = {}, .no_value = true});
        return batch;
      },
      1h);
  EXPECT_EQ(subject.run({}).batch.events.size(), 1U);
  for (int minute = 1; minute < 60; ++minute) {
    clock_.advance(1min);
    const CycleReport again = subject.run({});
    ASSERT_TRUE(again.seen);
    EXPECT_EQ(again.now, clock_.now());
    ASSERT_EQ(again.batch.samples.size(), 1U);
    EXPECT_EQ(again.batch.samples[0].time, clock_.now());
    EXPECT_EQ(again.batch.samples[0].value, 1);
    EXPECT_TRUE(again.batch.events.empty());
    EXPECT_EQ(again.batch.faults.size(), 1U);
  }
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(samples(subject)["weir_collector_last_success_timestamp_seconds"], 1000);
  clock_.advance(1min);
  EXPECT_EQ(subject.run({}).batch.samples[0].value, 2);
}

TEST_F(CollectorHarnessTest, TicksAreNotMissedForLyingAMomentBeforeWhatIsDue) {
  int runs = 0;
  auto subject = harness([&](const core::CollectContext& context) { return ++runs, one_sample(context); }, 5min);
  (void)subject.run({});
  clock_.advance(5min - 10ms);
  (void)subject.run({});
  EXPECT_EQ(runs, 2);
}

TEST_F(CollectorHarnessTest, WithALongIntervalAnErrorIsTriedAgainMoreAndMoreSeldom) {
  int runs = 0;
  bool down = true;
  auto subject = harness(
      [&](const core::CollectContext& context) { return ++runs, down ? broker_down(context) : one_sample(context); },
      24h);
  for (int minute = 0; minute < 16; ++minute) {
    EXPECT_FALSE(subject.run({}).seen);
    clock_.advance(1min);
  }
  EXPECT_EQ(runs, 5);  // at 0, 1, 3, 7, 15 minutes
  EXPECT_NE(subject.status().error, "");
  down = false;
  clock_.advance(14min);
  EXPECT_FALSE(subject.run({}).seen);
  clock_.advance(1min);
  EXPECT_TRUE(subject.run({}).seen);
  clock_.advance(1min);
  EXPECT_TRUE(subject.run({}).seen);
  EXPECT_EQ(runs, 6);
}

TEST_F(CollectorHarnessTest, WhenASourceIsTriedAgainIsNoNewLineOfTheLog) {
  int cycle = 0;
  auto subject = harness([&](const core::CollectContext&) -> core::Result<core::Batch> {
    const std::vector<std::string> said{"refused", core::with_retry_note("refused", "3 failed, the next in 5s"),
                                        core::with_retry_note("refused", "3 failed, the next in 2s"), "refused",
                                        core::with_retry_note("denied", "4 failed, the next in 10s")};
    return core::fail(core::ErrorKind::unavailable, said.at(cycle++), "wh");
  });
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) {
    subject.run({});
    if (i == 2) {
      EXPECT_EQ(subject.status().error, "wh: refused [retries: 3 failed, the next in 2s]");
    }
  }
  const std::string log = testing::internal::GetCapturedStderr();
  std::size_t lines = 0;
  for (std::size_t at = log.find("collector failed"); at != std::string::npos;
       at = log.find("collector failed", at + 1))
    ++lines;
  EXPECT_EQ(lines, 2U) << log;
}

}  // namespace
}  // namespace weir::runtime
