#include "quality/schedule.h"

#include <gtest/gtest.h>

namespace weir::quality {
namespace {

using namespace std::chrono;

class Checks final : public core::Collector {
 public:
  std::string_view name() const override { return "checks/wh"; }
  core::Duration interval() const override { return seconds(7); }
  std::span<const core::MetricInfo> metrics() const override { return {}; }
  core::Result<core::Batch> collect(const core::CollectContext&) override {
    return core::fail(core::ErrorKind::unavailable, "gone");
  }
};

TEST(CronCollectorTest, IsDueAtTheTimesOfItsLineAndDoesWhatTheOtherDoes) {
  const auto collector = at_cron_times(std::make_unique<Checks>(), {*Cron::parse("0 6 * * *"), {}});
  const core::Time day(sys_days(year(2026) / 1 / 1));
  EXPECT_EQ(collector->next(day + hours(5)), day + hours(6));
  EXPECT_EQ(collector->next(day + hours(6)), day + hours(30));
  EXPECT_EQ(collector->name(), "checks/wh");
  EXPECT_EQ(collector->collect({}).error().message, "gone");
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
