#include "quality/schedule.h"

#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using namespace std::chrono;

class Counting final : public core::Collector {
 public:
  explicit Counting(int& runs) : runs_(runs) {}
  std::string_view name() const override { return "checks/wh"; }
  core::Duration interval() const override { return seconds(7); }
  std::span<const core::MetricInfo> metrics() const override { return {}; }
  core::Result<core::Batch> collect(const core::CollectContext& context) override {
    ++runs_;
    if (fails) return core::fail(core::ErrorKind::unavailable, "gone");
    core::Batch batch;
    batch.samples.push_back({core::Labels::metric("m", {}), context.now, static_cast<double>(runs_)});
    batch.events.push_back({context.now, "check_failed", {}, "m"});
    batch.faults.push_back({});
    return batch;
  }
  bool fails = false;

 private:
  int& runs_;
};

class CronCollectorTest : public testing::Test {
 protected:
  CronCollectorTest() {
    auto counting = std::make_unique<Counting>(runs_);
    inner_ = counting.get();
    collector_ = at_cron_times(std::move(counting), {*Cron::parse("0 6 * * *"), {}});
  }
  core::Result<core::Batch> at(hours hour, minutes minute = minutes(0)) {
    return collector_->collect({.now = day_ + hour + minute, .deadline = {}, .stop = {}});
  }
  const core::Time day_ = core::Time(sys_days(year(2026) / 1 / 1));
  int runs_ = 0;
  Counting* inner_ = nullptr;
  std::unique_ptr<core::Collector> collector_;
};

TEST_F(CronCollectorTest, RunsAtTheStartAndThenWhenItIsDue) {
  at(hours(5));
  EXPECT_EQ(runs_, 1);
  at(hours(5), minutes(59));
  EXPECT_EQ(runs_, 1);
  at(hours(6));
  EXPECT_EQ(runs_, 2);
  at(hours(6), minutes(1));
  at(hours(23));
  EXPECT_EQ(runs_, 2);
  at(hours(31));  // late, and once
  at(hours(31), minutes(1));
  EXPECT_EQ(runs_, 3);
}

TEST_F(CronCollectorTest, SaysAgainWhatWasSeenWithoutItsEvents) {
  EXPECT_EQ(at(hours(5))->events.size(), 1U);
  const auto again = at(hours(5), minutes(7));
  ASSERT_TRUE(again);
  ASSERT_EQ(again->samples.size(), 1U);
  EXPECT_EQ(again->samples[0].time, day_ + hours(5) + minutes(7));
  EXPECT_EQ(again->samples[0].value, 1);
  EXPECT_TRUE(again->events.empty());
  EXPECT_EQ(again->faults.size(), 1U);
}

TEST_F(CronCollectorTest, AnErrorStaysAndIsTriedAgainMoreAndMoreSeldom) {
  inner_->fails = true;
  for (int minute = 0; minute < 16; ++minute) EXPECT_FALSE(at(hours(7), minutes(minute)));
  EXPECT_EQ(runs_, 5);  // at 0, 1, 3, 7, 15
  inner_->fails = false;
  EXPECT_FALSE(at(hours(7), minutes(30)));
  EXPECT_TRUE(at(hours(7), minutes(31)));
  EXPECT_TRUE(at(hours(7), minutes(32)));
  EXPECT_EQ(runs_, 6);
  EXPECT_EQ(collector_->name(), "checks/wh");
  EXPECT_EQ(collector_->interval(), minutes(1));
}

std::string mistakes(const std::string& text, Schedule* read = nullptr) {
  config::Diagnostics diagnostics;
  const config::Node node = config::parse_yaml(text, "weir.yml", diagnostics);
  config::MapReader reader(node, diagnostics, "checks");
  const Schedule schedule = read_schedule(reader);
  reader.finish();
  if (read != nullptr) *read = schedule;
  return diagnostics.to_string();
}

TEST(ReadSchedule, IntervalEveryAndCron) {
  Schedule schedule;
  EXPECT_EQ(mistakes("{}", &schedule), "");
  EXPECT_EQ(schedule.interval, minutes(1));
  EXPECT_EQ(mistakes("every: 5m", &schedule), "");
  EXPECT_EQ(schedule.interval, minutes(5));
  EXPECT_FALSE(schedule.cron);
  EXPECT_EQ(mistakes("{cron: 0 6 * * *, timezone: Europe/Berlin}", &schedule), "");
  ASSERT_TRUE(schedule.cron);
  EXPECT_EQ(schedule.cron->zone.offset_at(core::Time(sys_days(year(2026) / 7 / 1))), hours(2));
}

TEST(ReadSchedule, MistakesHavePlaces) {
  EXPECT_NE(mistakes("every: 0s").find("weir.yml:1:8: checks: \"every\": must be from 1s to 1w"), std::string::npos);
  EXPECT_NE(mistakes("{every: 5m, interval: 5m}").find("give one of them"), std::string::npos);
  EXPECT_NE(mistakes("{every: 5m, cron: 0 6 * * *}").find("instead of an interval"), std::string::npos);
  EXPECT_NE(mistakes("cron: 0 6 * *").find("weir.yml:1:7: checks: \"cron\": expected five fields"), std::string::npos);
  EXPECT_NE(mistakes("{cron: 0 6 * * *, timezone: Mars/Base}").find("\"Mars/Base\" is no time zone"),
            std::string::npos);
  EXPECT_NE(mistakes("timezone: UTC").find("belongs to \"cron\""), std::string::npos);
}

}  // namespace
}  // namespace weir::quality
