#include "core/time.h"

#include <gtest/gtest.h>

namespace weir::core {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, ReadsPrometheusDurations) {
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("1y2w3d"), (365 + 14 + 3) * 24h);
  EXPECT_EQ(parse_duration("1m1ms"), 60'001ms);
}

TEST(DurationTest, RefusesEverythingElse) {
  for (const char* text : {"", "5", "s", "-5s", "1.5h", "5 s", "30m1h", "1m1m", "1x", "1hh", "99999999999999999999s",
                           "300000000y", "1y9223372036854775807ms", "5s "}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    EXPECT_NE(parsed.error().message.find(text), std::string::npos);
  }
}

TEST(DurationTest, IsPrintedInTheShortestFormThatReadsBack) {
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(400 * 24h), "400d");
  EXPECT_EQ(format_duration(365 * 24h), "1y");
  EXPECT_EQ(format_duration(-90s), "-1m30s");
  for (const Duration duration : {1ms, Duration(61'001), Duration(INT64_MAX)})
    EXPECT_EQ(parse_duration(format_duration(duration)), duration);
  EXPECT_TRUE(format_duration(Duration(INT64_MIN)).starts_with("-"));
}

TEST(TimeTest, SecondsGoThereAndBack) {
  EXPECT_EQ(to_seconds(1500ms), 1.5);
  EXPECT_EQ(time_from_seconds(1700000000.123), Time(Duration(1700000000123)));
  EXPECT_EQ(to_seconds(Time(Duration(1700000000123))), 1700000000.123);
}

TEST(TimeTest, Rfc3339IsUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(Time()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(Time(Duration(1709210096789))), "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(format_rfc3339(Time(Duration(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(TimeTest, ReadsTimesAsProgramsWriteThem) {
  const Time wanted(Duration(1767323045678));
  for (const char* text : {"2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678901Z", "2026-01-02 03:04:05.678+00:00",
                           "20260102T030405.678901Z", "2026-01-02T03:04:05.678", "2026-01-02T05:04:05.678+02:00",
                           "2026-01-01T19:04:05.678-0800"}) {
    EXPECT_EQ(parse_iso_time(text), wanted) << text;
  }
  for (const char* text :
       {"", "2026", "2026-01-02", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z", "2026-01-02T24:04:05Z",
        "2026-01-02T03:04:05X", "2026-01-02T03:04:05+0", "yesterday", "1767323045"}) {
    EXPECT_EQ(parse_iso_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weir::core
