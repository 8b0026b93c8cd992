#include "quality/cron.h"

#include <gtest/gtest.h>
#include <random>

namespace weir::quality {
namespace {

using namespace std::chrono;

core::Time at(int year_, int month_, int day_, int hour = 0, int minute = 0, int second = 0) {
  return core::Time(sys_days(year(year_) / month_ / day_)) + hours(hour) + minutes(minute) + seconds(second);
}

std::string next(std::string_view text, core::Time now, const TimeZone& zone = {}) {
  const auto cron = Cron::parse(text);
  EXPECT_TRUE(cron) << text << ": " << cron.error();
  if (!cron) return "";
  const auto time = cron->next(now, zone);
  return time ? core::format_rfc3339(*time) : "never";
}

TEST(Cron, FieldsListsRangesAndSteps) {
  const core::Time now = at(2026, 1, 1, 5, 59, 30);  // a Thursday
  EXPECT_EQ(next("0 6 * * *", now), "2026-01-01T06:00:00.000Z");
  EXPECT_EQ(next("* * * * *", now), "2026-01-01T06:00:00.000Z");
  EXPECT_EQ(next("*/15 * * * *", now), "2026-01-01T06:00:00.000Z");
  EXPECT_EQ(next("5/20 * * * *", at(2026, 1, 1, 0, 30)), "2026-01-01T00:45:00.000Z");
  EXPECT_EQ(next("10-40/15 7,9 * * *", now), "2026-01-01T07:10:00.000Z");
  EXPECT_EQ(next("59 5 * * *", now), "2026-01-02T05:59:00.000Z");
  EXPECT_EQ(next("  0   0 1 jul *  ", now), "2026-07-01T00:00:00.000Z");
  EXPECT_EQ(next("0 0 * * mon-fri", at(2026, 1, 2, 12)), "2026-01-05T00:00:00.000Z");
  EXPECT_EQ(next("0 0 * * 7", now), "2026-01-04T00:00:00.000Z");
  EXPECT_EQ(next("0 0 * * SUN", now), "2026-01-04T00:00:00.000Z");
  EXPECT_EQ(next("0 0 29 2 *", now), "2028-02-29T00:00:00.000Z");
}

TEST(Cron, TheMomentItselfIsPast) {
  EXPECT_EQ(next("0 6 * * *", at(2026, 1, 1, 6)), "2026-01-02T06:00:00.000Z");
  EXPECT_EQ(next("0 6 * * *", at(2026, 1, 1, 6) - core::Duration(1)), "2026-01-01T06:00:00.000Z");
}

TEST(Cron, EitherDayWillDoWhenBothAreGiven) {
  EXPECT_EQ(next("0 0 13 * fri", at(2026, 1, 3)), "2026-01-09T00:00:00.000Z");
  EXPECT_EQ(next("0 0 13 * fri", at(2026, 1, 10)), "2026-01-13T00:00:00.000Z");
  EXPECT_EQ(next("0 0 */2 * fri", at(2026, 1, 3)), "2026-01-09T00:00:00.000Z");  // odd days that are Fridays
}

TEST(Cron, ADayThatNeverComesIsNever) { EXPECT_EQ(next("0 0 31 2 *", at(2026, 1, 1)), "never"); }

TEST(Cron, MistakesAreNamed) {
  for (const std::string_view text : {"",
                                      "* * * *",
                                      "* * * * * *",
                                      "60 * * * *",
                                      "* 24 * * *",
                                      "* * 0 * *",
                                      "* * 32 * *",
                                      "* * * 13 *",
                                      "* * * * 8",
                                      "a * * * *",
                                      "5- * * * *",
                                      "-5 * * * *",
                                      "9-5 * * * *",
                                      "*/0 * * * *",
                                      "*/ * * * *",
                                      "1,,2 * * * *",
                                      "* * * janu *",
                                      "*/99 * * * *",
                                      "1--2 * * * *",
                                      "@daily",
                                      "99999999999 * * * *"}) {
    EXPECT_FALSE(Cron::parse(text)) << text;
  }
  EXPECT_NE(Cron::parse("61 * * * *").error().find("\"61\" is no minute"), std::string::npos);
}

TimeZone zone(std::string_view name) {
  const auto loaded = TimeZone::load(name);
  EXPECT_TRUE(loaded) << name;
  return loaded.value_or(TimeZone());
}

TEST(CronInAZone, WallTimeCounts) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(next("0 6 * * *", at(2026, 1, 1), berlin), "2026-01-01T05:00:00.000Z");
  EXPECT_EQ(next("0 6 * * *", at(2026, 7, 1), berlin), "2026-07-01T04:00:00.000Z");
  EXPECT_EQ(next("30 0 * * *", at(2026, 7, 1), zone("Asia/Kolkata")), "2026-07-01T19:00:00.000Z");
}

TEST(CronInAZone, ASkippedTimeIsTheChangeAndATwofoldTimeItsFirst) {
  const TimeZone berlin = zone("Europe/Berlin");
  // 29 March 2026: 02:00 becomes 03:00, at 01:00 UTC.
  EXPECT_EQ(next("30 2 * * *", at(2026, 3, 28, 12), berlin), "2026-03-29T01:00:00.000Z");
  EXPECT_EQ(next("30 2 * * *", at(2026, 3, 29, 1), berlin), "2026-03-30T00:30:00.000Z");
  // 25 October 2026: 03:00 becomes 02:00, at 01:00 UTC.
  EXPECT_EQ(next("30 2 * * *", at(2026, 10, 24, 12), berlin), "2026-10-25T00:30:00.000Z");
  EXPECT_EQ(next("30 2 * * *", at(2026, 10, 25, 0, 30), berlin), "2026-10-26T01:30:00.000Z");
}

TEST(CronInAZone, YearsAfterTheDatabasesLastFollowItsRule) {
  EXPECT_EQ(next("0 6 * * *", at(2070, 7, 1), zone("Europe/Berlin")), "2070-07-01T04:00:00.000Z");
  EXPECT_EQ(next("0 6 * * *", at(2070, 1, 1), zone("Europe/Berlin")), "2070-01-01T05:00:00.000Z");
  EXPECT_EQ(next("0 6 * * *", at(2070, 1, 1), zone("Australia/Sydney")), "2070-01-01T19:00:00.000Z");
}

TEST(CronInAZone, TheNextTimeIsAlwaysLaterAndNoneIsLeftOut) {
  const auto cron = Cron::parse("*/20 * * * *");
  const TimeZone sydney = zone("Australia/Sydney");
  core::Time now = at(2026, 3, 30);
  for (int i = 0; i < 3 * 24 * 30; ++i) {
    const auto time = cron->next(now, sydney);
    ASSERT_TRUE(time);
    ASSERT_GT(*time, now);
    // An hour that is there twice runs once.
    ASSERT_LE(*time - now, hours(1) + minutes(20)) << core::format_rfc3339(now);
    now = *time;
  }
}

TEST(TimeZone, OffsetsAgreeWithTheCLibrary) {
  for (const char* name : {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
                           "America/Sao_Paulo", "Africa/Casablanca"}) {
    const TimeZone loaded = zone(name);
    ::setenv("TZ", name, 1);
    ::tzset();
    std::mt19937_64 random(1);
    for (int i = 0; i < 2000; ++i) {
      const std::time_t moment = static_cast<std::time_t>(random() % 4'000'000'000U);
      std::tm local{};
      ::localtime_r(&moment, &local);
      ASSERT_EQ(loaded.offset_at(core::Time(seconds(moment))).count(), local.tm_gmtoff) << name << " " << moment;
    }
    ::unsetenv("TZ");
    ::tzset();
  }
}

TEST(TimeZone, NamesThatAreNoneAreRefused) {
  for (const std::string_view name : {"", "/etc/passwd", "../../etc/passwd", "Europe/Nowhere", "Europe", "a\nb"})
    EXPECT_FALSE(TimeZone::load(name)) << name;
}

TEST(TimeZone, DamagedFilesAreRefusedOrHarmless) {
  std::string data = "TZif2";
  EXPECT_FALSE(TimeZone::parse(data));
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string text = "TZif2" + std::string(15, '\0');
    for (int j = static_cast<int>(random() % 200); j > 0; --j)
      text += static_cast<char>(random() % 7 == 0 ? random() : 0);
    const auto parsed = TimeZone::parse(text);
    if (parsed) parsed->offset_at(at(2026, 1, 1));
  }
}

}  // namespace
}  // namespace weir::quality
