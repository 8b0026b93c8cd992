#include "api/parameters.h"

#include <gtest/gtest.h>

namespace weir::api {
namespace {

std::int64_t ms(const core::Result<core::Time>& time) {
  EXPECT_TRUE(time) << time.error().message;
  return time ? time->time_since_epoch().count() : -1;
}

TEST(ParametersTest, TimesAreSecondsOrRfc3339) {
  EXPECT_EQ(ms(parse_time("0")), 0);
  EXPECT_EQ(ms(parse_time("1435781430.781")), 1435781430781);
  EXPECT_EQ(ms(parse_time("-1.5")), -1500);
  EXPECT_EQ(ms(parse_time("1.4e3")), 1400000);
  EXPECT_EQ(ms(parse_time("2015-06-03T13:21:58.555Z")), 1433337718555);
  EXPECT_EQ(ms(parse_time("2015-06-03T14:21:58.555999+01:00")), 1433337718555);
  EXPECT_EQ(ms(parse_time("0001-01-01T00:00:00Z")), -62135596800000);
  EXPECT_EQ(ms(parse_time("9999-12-31T23:59:59.999Z")), 253402300799999);
  EXPECT_EQ(ms(parse_time("2024-02-29T00:00:00-00:30")), 1709166600000);
}

TEST(ParametersTest, TheBoundariesOfTimeAreRead) {
  EXPECT_EQ(parse_time("-292273086-05-16T16:47:06Z"), kMinTime);
  EXPECT_EQ(parse_time("292277025-08-18T07:12:54.999999999Z"), kMaxTime);
  EXPECT_EQ(parse_time("-9223309901257974"), kMinTime);
}

TEST(ParametersTest, WhatIsNoTimeIsNamed) {
  for (const char* text :
       {"", "x", "NaN", "Inf", "1e300", "1_0", "1 ", "2015-06-03", "2015-06-03T13:21:58", "2015-02-29T00:00:00Z",
        "2015-06-03T24:00:00Z", "2015-06-03T00:60:00Z", "2015-06-03T00:00:60Z", "2015-06-03T00:00:00.Z",
        "2015-06-03T00:00:00+0100", "2015-06-03T00:00:00Zx", "2015-6-3T00:00:00Z", "-2015-06-03T00:00:00Z"}) {
    const auto parsed = parse_time(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "cannot parse \"" + std::string(text) + "\" to a valid timestamp");
  }
}

TEST(ParametersTest, DurationsAreSecondsOrPrometheusDurations) {
  EXPECT_EQ(parse_duration("15"), core::Duration(15'000));
  EXPECT_EQ(parse_duration("0.25"), core::Duration(250));
  EXPECT_EQ(parse_duration("-5"), core::Duration(-5'000));
  EXPECT_EQ(parse_duration("1h30m"), core::Duration(5'400'000));
  EXPECT_EQ(parse_duration("100ms"), core::Duration(100));
  EXPECT_EQ(parse_duration("-1m").error().message, "cannot parse \"-1m\" to a valid duration");
  EXPECT_EQ(parse_duration("1e300").error().message, "cannot parse \"1e300\" to a valid duration. It overflows int64");
  for (const char* text : {"", "x", "NaN", "5mm", "m"}) EXPECT_FALSE(parse_duration(text)) << text;
}

Parameters read(const std::string& query, const std::string& body = "") {
  net::ServerRequest request;
  request.query = query;
  request.body = body;
  if (!body.empty()) request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  return Parameters(request);
}

TEST(ParametersTest, TheFormComesBeforeTheAddressAndTheFirstCounts) {
  EXPECT_EQ(read("a=1&a=2").get("a"), "1");
  const Parameters both = read("a=1", "a=3&a=4");
  EXPECT_EQ(both.get("a"), "3");
  EXPECT_EQ(both.all("a"), (std::vector<std::string>{"3", "4", "1"}));
  EXPECT_EQ(both.get("b"), "");
}

TEST(ParametersTest, ErrorsReadLikePrometheus) {
  EXPECT_EQ(read("").time("start").error().message,
            "invalid parameter \"start\": cannot parse \"\" to a valid timestamp");
  EXPECT_EQ(read("time=foo").time_or("time", {}).error().message,
            "invalid parameter \"time\": Invalid time value for 'time': cannot parse \"foo\" to a valid timestamp");
  EXPECT_EQ(read("step=x").duration("step").error().message,
            "invalid parameter \"step\": cannot parse \"x\" to a valid duration");
  EXPECT_EQ(read("limit=-1").limit().error().message, "invalid parameter \"limit\": limit must be non-negative");
  EXPECT_FALSE(read("limit=1.5").limit());
  EXPECT_EQ(read("").limit(), 0U);
  EXPECT_EQ(read("limit=7").limit(), 7U);
}

TEST(ParametersTest, MatchIsASelectorAndNothingElse) {
  const auto good = read("match%5B%5D=up%7Bjob%3D~%22a.*%22%7D&match[]=down").matchers();
  ASSERT_TRUE(good);
  ASSERT_EQ(good->size(), 2U);
  EXPECT_EQ((*good)[0].size(), 2U);
  EXPECT_EQ((*good)[1].at(0).value, "down");
  EXPECT_TRUE(read("").matchers()->empty());
  for (const char* text : {"sum(up)", "up[5m]", "up offset 5m", "{a=\"b\"} offset 1s", "1", "up{", "\"x\"", ""}) {
    const auto refused = read("match[]=" + std::string(text)).matchers();
    ASSERT_FALSE(refused) << text;
    EXPECT_TRUE(refused.error().message.starts_with("1:")) << refused.error().message;
  }
  for (const char* text : {"{}", "{a=~\".*\"}", "{a=\"\"}"}) {
    EXPECT_EQ(read("match[]=" + std::string(text)).matchers().error().message,
              "match[] must contain at least one non-empty matcher");
  }
}

}  // namespace
}  // namespace weir::api
