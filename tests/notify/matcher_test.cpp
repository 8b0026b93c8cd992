#include "notify/matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::notify {
namespace {

using ::testing::HasSubstr;

bool fits(const std::string& text, const core::Labels& labels) {
  const auto matchers = parse_matchers(text);
  EXPECT_TRUE(matchers) << text << ": " << matchers.error().message;
  return matchers && all_match(*matchers, labels);
}

const core::Labels kLabels{{"severity", "critical"}, {"topic", "orders.eu"}, {"text", "say \"hi\", you\\"}};

TEST(Matcher, KnowsTheFourOperators) {
  EXPECT_TRUE(fits("severity=\"critical\"", kLabels));
  EXPECT_FALSE(fits("severity=\"warning\"", kLabels));
  EXPECT_FALSE(fits("severity!=\"critical\"", kLabels));
  EXPECT_TRUE(fits("severity!=\"warning\"", kLabels));
  EXPECT_TRUE(fits("topic=~\"orders.*\"", kLabels));
  EXPECT_FALSE(fits("topic!~\"orders.*\"", kLabels));
}

TEST(Matcher, RegexesAreAnchoredAtBothEnds) {
  EXPECT_FALSE(fits("topic=~\"orders\"", kLabels));
  EXPECT_FALSE(fits("topic=~\"eu\"", kLabels));
  EXPECT_TRUE(fits("topic=~\"x|orders.eu\"", kLabels));
}

TEST(Matcher, AnAbsentLabelIsEmpty) {
  EXPECT_TRUE(fits("team=\"\"", kLabels));
  EXPECT_TRUE(fits("team!=\"data\"", kLabels));
  EXPECT_TRUE(fits("team=~\"a*\"", kLabels));
  EXPECT_FALSE(fits("team=~\"a+\"", kLabels));
}

TEST(Matcher, TakesBracesListsSpacesAndBareValues) {
  EXPECT_TRUE(fits("{ severity = critical , topic=~orders.+ , }", kLabels));
  EXPECT_FALSE(fits("severity=critical,topic=other", kLabels));
  EXPECT_TRUE(fits("{}", kLabels));
  EXPECT_TRUE(fits("text=\"say \\\"hi\\\", you\\\\\"", kLabels)) << "a comma in quotes does not separate";
  EXPECT_TRUE(fits("path=\"a\\d\"", core::Labels{{"path", "a\\d"}})) << "an odd backslash stands for itself";
}

TEST(Matcher, WritesItselfAsItIsRead) {
  const auto matchers = parse_matchers("severity=critical, topic!~\"a\\\"b\"");
  ASSERT_TRUE(matchers);
  EXPECT_EQ(to_string(*matchers), "{severity=\"critical\",topic!~\"a\\\"b\"}");
}

TEST(Matcher, NamesWhatIsWrong) {
  const auto why = [](const std::string& text) {
    const auto matchers = parse_matchers(text);
    EXPECT_FALSE(matchers) << text;
    return matchers ? std::string() : matchers.error().message;
  };
  EXPECT_THAT(why("severity"), HasSubstr("has no operator"));
  EXPECT_THAT(why("severity!critical"), HasSubstr("has no operator"));
  EXPECT_THAT(why("=critical"), HasSubstr("does not begin with a label name"));
  EXPECT_THAT(why("9a=critical"), HasSubstr("does not begin with a label name"));
  EXPECT_THAT(why("a=\"b"), HasSubstr("no closing quote"));
  EXPECT_THAT(why("a=\""), HasSubstr("no closing quote"));
  EXPECT_THAT(why("a=\"b\\\""), HasSubstr("no closing quote"));
  EXPECT_THAT(why("a=b\"c"), HasSubstr("double quote inside"));
  EXPECT_THAT(why("a=~\"(\""), HasSubstr("regex \"(\" is not valid: missing )"));
  EXPECT_THAT(why("a=b,,c=d"), HasSubstr("has no operator"));
}

}  // namespace
}  // namespace weir::notify
