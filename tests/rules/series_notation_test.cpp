#include "rules/series_notation.h"

#include <cmath>
#include <gmock/gmock.h>

#include "core/series_source.h"

namespace weir::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNothing = -999;

/// The values, with kNothing where `_` stands.
std::vector<double> values(const std::string& text) {
  const auto parsed = parse_series("m " + text);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().describe();
  std::vector<double> found;
  if (!parsed) return found;
  for (const auto& value : parsed->values) found.push_back(value.value_or(kNothing));
  return found;
}

core::Error mistake(const std::string& text, std::size_t most = kMostSeriesValues) {
  const auto parsed = parse_series(text, most);
  EXPECT_FALSE(parsed) << text;
  return parsed ? core::Error{} : parsed.error();
}

std::string labels(const std::string& text) {
  const auto parsed = parse_metric(text);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().describe();
  return parsed ? parsed->labels.to_string() : "";
}

TEST(SeriesNotation, ValuesStandOneByOne) {
  EXPECT_THAT(values("1 -2 +3 .5 2. 1e3 1E-1"), ElementsAre(1, -2, 3, .5, 2, 1000, .1));
  EXPECT_THAT(values(""), ElementsAre());
  EXPECT_THAT(values("  1\t2 \r\n 3  "), ElementsAre(1, 2, 3));
}

TEST(SeriesNotation, ARepeatedValueIsThereOnceMoreThanRepeated) {
  EXPECT_THAT(values("5x3"), ElementsAre(5, 5, 5, 5));
  EXPECT_THAT(values("5x0"), ElementsAre(5));
  EXPECT_THAT(values("0+10x2 4-1x1 -2+0.5x2"), ElementsAre(0, 10, 20, 4, 3, -2, -1.5, -1));
  EXPECT_EQ(mistake("m 1+-2x1").where, "1:5") << "two signs";
}

TEST(SeriesNotation, NothingIsRepeatedAsOftenAsWritten) {
  EXPECT_THAT(values("_ 1 _x3 _x0 2"), ElementsAre(kNothing, 1, kNothing, kNothing, kNothing, 2));
}

TEST(SeriesNotation, SpecialValuesAreWords) {
  const auto found = values("stale NaN nan -Inf INF");
  ASSERT_EQ(found.size(), 5U);
  EXPECT_TRUE(core::is_stale_marker(found[0]));
  EXPECT_TRUE(std::isnan(found[1]) && !core::is_stale_marker(found[1]));
  EXPECT_TRUE(std::isnan(found[2]));
  EXPECT_EQ(found[3], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(found[4], std::numeric_limits<double>::infinity());
}

TEST(SeriesNotation, NumbersAreGosNumbers) {
  EXPECT_THAT(values("010 08 1_000"), ElementsAre(8, 8, 1000)) << "010 is octal, 08 cannot be";
  EXPECT_THAT(values("0x2"), ElementsAre(0, 0, 0)) << "no hexadecimal: the x repeats";
  EXPECT_THAT(values("1e-400 99999999999999999999"), ElementsAre(0, 1e20));
  EXPECT_EQ(mistake("m 1e400").where, "1:3");
}

TEST(SeriesNotation, MistakesNameTheirPlace) {
  const std::vector<std::pair<std::string, std::string>> places{{"m 1 + 2", "1:6"},       {"m 1 x3", "1:5"},
                                                                {"m 1-2", "1:6"},         {"m 1x", "1:5"},
                                                                {"m 1x-3", "1:5"},        {"m 1x3.0", "1:6"},
                                                                {"m __", "1:4"},          {"m 1 two", "1:5"},
                                                                {"m Stale", "1:3"},       {"m NaNx3", "1:3"},
                                                                {"m -stale", "1:4"},      {"m 5e", "1:3"},
                                                                {"m 0b1", "1:3"},         {"m {a=\"b\"} 1", "1:3"},
                                                                {"m{a=b} 1", "1:5"},      {"m{a=\"b} 1", "1:5"},
                                                                {"m{a!=\"b\"} 1", "1:4"}, {"m{a=\"b\" c=\"d\"}", "1:9"},
                                                                {"m{a=\"\\q\"}", "1:7"},  {"m{a=\"1\",a=\"2\"}", "1:9"},
                                                                {"on 1", "1:1"},          {"1 2", "1:1"},
                                                                {"m{1=\"a\"}", "1:3"},    {"m{", "1:3"}};
  for (const auto& [text, place] : places) {
    const core::Error error = mistake(text);
    EXPECT_EQ(error.where, place) << text << ": " << error.message;
    EXPECT_EQ(error.kind, core::ErrorKind::invalid) << text;
  }
}

TEST(SeriesNotation, ASeriesIsBounded) {
  EXPECT_EQ(parse_series("m 1x8 2", 10)->values.size(), 10U);
  for (const char* text : {"m 1x9 2", "m 1x10", "m _x11", "m 1x18446744073709551615", "m 1x99999999999999999999999",
                           "m 1 2 3 4 5 6 7 8 9 10 11", "m _x18446744073709551615 _x18446744073709551615"}) {
    EXPECT_EQ(mistake(text, 10).kind, core::ErrorKind::limit) << text;
  }
}

TEST(SeriesNotation, LabelsAreThoseOfPromql) {
  EXPECT_EQ(labels(R"(m{a="x", b='y' , c=`\z`,})"), R"(m{a="x",b="y",c="\\z"})");
  EXPECT_EQ(labels(R"({__name__="m", a="\x41\u00e9\n\101"})"), "m{a=\"A\xc3\xa9\\nA\"}");
  EXPECT_EQ(labels(R"({"my.metric", "a.b"="c"})"), labels(R"({__name__="my.metric", "a.b"="c"})"));
  EXPECT_EQ(labels("a:b"), "a:b");
  EXPECT_EQ(labels("sum{on=\"x\"}"), "sum{on=\"x\"}") << "keywords may be names";
  EXPECT_EQ(labels(" m {a=\"b\"} "), "m{a=\"b\"}") << "a metric alone may have spaces";
  EXPECT_EQ(labels("m{ # why\n a=\"b\"}"), "m{a=\"b\"}");
  EXPECT_EQ(labels(""), "{}");
  EXPECT_EQ(labels("m{a=\"\"}"), "m");
}

TEST(SeriesNotation, EmptyLabelsWithoutANameAreTold) {
  EXPECT_THAT(parse_metric("{a=\"\", b=\"1\"}")->empty_labels, ElementsAre("a"));
  EXPECT_THAT(parse_metric("m{a=\"\"}")->empty_labels, ElementsAre());
}

TEST(SeriesNotation, AMetricMayHaveNothingBehindIt) {
  const auto parsed = parse_metric("m{a=\"b\"}\n 1");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().where, "2:2");
  EXPECT_THAT(parsed.error().message, HasSubstr("expected the end"));
}

TEST(SeriesNotation, BytesThatAreNoTextAreMistakes) {
  for (const std::string& text :
       {std::string("m\0 1", 4), std::string("m 1\0", 4), std::string("\xff 1"), std::string("m{a=\"\\x4"),
        std::string("m{a=\"\\"), std::string("m{a=\"\\ud800\"}"), std::string("m{a=\"\\400\"}")}) {
    EXPECT_FALSE(parse_series(text)) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace weir::rules
