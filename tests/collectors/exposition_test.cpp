#include "collectors/exposition.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;

core::Result<std::vector<ExposedSample>> parse(std::string_view page,
                                               ExpositionFormat format = ExpositionFormat::text) {
  return parse_exposition(page, format, 100);
}

TEST(ExpositionTest, ReadsSamplesPastCommentsTimesAndBlanks) {
  const auto found = parse(
      "# HELP http_requests_total The total.\n# TYPE http_requests_total counter\n\n"
      "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
      "  metric_without_timestamp_and_labels\t12.47\r\n"
      "spaced { a = \"b\" , } 3\n"
      "negative -3.5e+2\nlast 1");
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_EQ(found->size(), 5U);
  EXPECT_EQ((*found)[0].series, "http_requests_total{method=\"post\",code=\"200\"}");
  EXPECT_EQ((*found)[0].value, 1027);
  EXPECT_EQ((*found)[0].time, core::Time(core::Duration(1395066363000)));
  EXPECT_EQ((*found)[1].time, std::nullopt);
  EXPECT_EQ((*found)[1].series, "metric_without_timestamp_and_labels");
  EXPECT_EQ((*found)[1].value, 12.47);
  EXPECT_EQ((*found)[2].series, "spaced { a = \"b\" , }");
  EXPECT_EQ((*found)[3].value, -350);
  EXPECT_EQ((*found)[4].value, 1);
}

TEST(ExpositionTest, ReadsTheSpecialNumbers) {
  const auto found = parse("a +Inf\nb -Inf\nc NaN\nd 1e400\ne 1e-400\nf +5\n");
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_EQ((*found)[0].value, std::numeric_limits<double>::infinity());
  EXPECT_EQ((*found)[1].value, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan((*found)[2].value));
  EXPECT_EQ((*found)[3].value, std::numeric_limits<double>::infinity());
  EXPECT_EQ((*found)[4].value, 0);
  EXPECT_EQ((*found)[5].value, 5);
}

TEST(ExpositionTest, BracesQuotesAndHashesInAValueEndNothing) {
  const auto found = parse(R"(a{b="}",c="\"",d="# 1",e="\\"} 2)");
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_EQ(found->size(), 1U);
  const auto labels = parse_exposed_series((*found)[0].series, 10);
  ASSERT_TRUE(labels) << labels.error().describe();
  EXPECT_EQ(*labels, (Labels{{"__name__", "a"}, {"b", "}"}, {"c", "\""}, {"d", "# 1"}, {"e", "\\"}}));
}

TEST(ExpositionTest, OpenMetricsEndsWithItsMarkAndMayHaveExemplars) {
  const auto found = parse(
      "# TYPE foo histogram\nfoo_bucket{le=\"0.1\"} 8 # {trace_id=\"a b\"} 0.054 1520879607.789\n"
      "foo_count 8 1520879607.789 # {} 1\n# EOF\n",
      ExpositionFormat::openmetrics);
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].value, 8);
  EXPECT_EQ((*found)[0].time, std::nullopt) << "the exemplar's is not the sample's";
  EXPECT_EQ((*found)[1].time, core::Time(core::Duration(1520879607789)));
}

TEST(ExpositionTest, OpenMetricsThatWasCutOffIsAnErrorNotAnEndOfSeries) {
  const auto cut = parse("foo 1\nbar 2\n", ExpositionFormat::openmetrics);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::protocol);
  EXPECT_NE(cut.error().message.find("cut off"), std::string::npos);
  const auto more = parse("foo 1\n# EOF\nbar 2\n", ExpositionFormat::openmetrics);
  ASSERT_FALSE(more);
  EXPECT_NE(more.error().message.find("line 3"), std::string::npos);
}

class MalformedLine : public testing::TestWithParam<const char*> {};

TEST_P(MalformedLine, MakesThePageAnErrorWithTheLinesNumber) {
  const auto found = parse(std::string("good 1\n") + GetParam() + "\n");
  ASSERT_FALSE(found) << found->size();
  EXPECT_EQ(found.error().kind, ErrorKind::protocol);
  EXPECT_NE(found.error().message.find("line 2 "), std::string::npos) << found.error().message;
}

INSTANTIATE_TEST_SUITE_P(Exposition, MalformedLine,
                         testing::Values("name", "name ", "1name 2", "name{ 2", "name{a=\"b} 2", "name{a=\"b\"}",
                                         "name x", "name 1 x", "name 1 2 3", "name 1 NaN", "name 1 1e300", "na me 1",
                                         "<html>", "name{a=\"b\\\"} 1", "name ++1", "name 0x", "name{a=\"b\"}1 1 1",
                                         "{} x", "name -"));

TEST(ExpositionTest, WhatIsShownOfALineIsShortAndHasNoControlCharacters) {
  const auto found = parse("\x1b[31m" + std::string(5000, 'x'));
  ASSERT_FALSE(found);
  EXPECT_LT(found.error().message.size(), 200U);
  EXPECT_EQ(found.error().message.find('\x1b'), std::string::npos);
}

TEST(ExpositionTest, MoreSamplesThanTheLimitAreRefused) {
  std::string page;
  for (int i = 0; i < 101; ++i) page += "m{i=\"" + std::to_string(i) + "\"} 1\n";
  const auto found = parse(page);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::limit);
  EXPECT_NE(found.error().message.find("more than 100 samples on the page"), std::string::npos);
}

TEST(ExpositionTest, TheContentTypeTellsTheFormat) {
  EXPECT_EQ(exposition_format("").value(), ExpositionFormat::text);
  EXPECT_EQ(exposition_format("text/plain; version=0.0.4; charset=utf-8").value(), ExpositionFormat::text);
  EXPECT_EQ(exposition_format("Application/OpenMetrics-Text; version=1.0.0").value(), ExpositionFormat::openmetrics);
  const auto page = exposition_format("text/html; charset=utf-8");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::protocol);
}

TEST(ExposedSeriesTest, ReadsNamesInQuotesAndEscapes) {
  EXPECT_EQ(parse_exposed_series(R"({"http.requests", path="C:\\a\n\"b\"\q"})", 5).value(),
            (Labels{{"__name__", "http.requests"}, {"path", "C:\\a\n\"b\"\\q"}}));
  EXPECT_EQ(parse_exposed_series(R"(m{"label.with.dots"="x"})", 5).value(),
            (Labels{{"__name__", "m"}, {"label.with.dots", "x"}}));
  EXPECT_EQ(parse_exposed_series("m", 5).value(), (Labels{{"__name__", "m"}}));
  EXPECT_EQ(parse_exposed_series("m{}", 5).value(), (Labels{{"__name__", "m"}}));
}

TEST(ExposedSeriesTest, WhatIsNoSeriesIsRefused) {
  for (const char* series : {"{}", "{a=\"b\"}", "m{a=\"1\",a=\"2\"}", "m{\"n\"}", "m{a}", "m{a=1}", "m{=\"x\"}",
                             "m{a=\"b\"", "m{a=\"b\" c=\"d\"}", "m{a=\"b\"}x", "m{\"a}"}) {
    const auto labels = parse_exposed_series(series, 5);
    ASSERT_FALSE(labels) << series << " is " << labels->to_string();
    EXPECT_EQ(labels.error().kind, ErrorKind::protocol) << series;
  }
  EXPECT_FALSE(parse_exposed_series(R"(m{a="1",b="2",c="3"})", 2));
}

}  // namespace
}  // namespace weir::collectors
