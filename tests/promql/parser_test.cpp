#include "promql/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace weir::promql {
namespace {

using testing::HasSubstr;

std::string printed(const std::string& text) {
  const auto expr = parse(text);
  return expr ? to_string(*expr) : "error: " + expr.error().describe();
}

std::string error_of(const std::string& text) {
  const auto expr = parse(text);
  return expr ? "parsed as " + to_string(*expr) : expr.error().describe();
}

/// The tree with every operation in parentheses.
std::string tree(const Node& node) {
  if (const auto* binary = std::get_if<Binary>(&node.kind)) {
    return "(" + tree(*binary->left) + " " + std::string(to_string(binary->op)) + " " + tree(*binary->right) + ")";
  }
  if (const auto* unary = std::get_if<Unary>(&node.kind)) return "(-" + tree(*unary->operand) + ")";
  if (const auto* paren = std::get_if<Paren>(&node.kind)) return tree(*paren->inner);
  return to_string(node);
}
std::string tree(const std::string& text) {
  const auto expr = parse(text);
  return expr ? tree(expr->root()) : expr.error().describe();
}

TEST(Parser, OperatorsBindAsInPrometheus) {
  EXPECT_EQ(tree("1 + 2 * 3"), "(1 + (2 * 3))");
  EXPECT_EQ(tree("1 - 2 - 3"), "((1 - 2) - 3)");
  EXPECT_EQ(tree("2 ^ 3 ^ 2"), "(2 ^ (3 ^ 2))");
  EXPECT_EQ(tree("-2 ^ 2"), "(-(2 ^ 2))");
  EXPECT_EQ(tree("-2 * 3"), "(-2 * 3)");
  EXPECT_EQ(tree("2 ^ -1"), "(2 ^ -1)");
  EXPECT_EQ(tree("-a * b"), "((-a) * b)");
  EXPECT_EQ(tree("2 ^ -a"), "(2 ^ (-a))");
  EXPECT_EQ(tree("a or b and c unless d"), "(a or ((b and c) unless d))");
  EXPECT_EQ(tree("a > b + 1"), "(a > (b + 1))");
  EXPECT_EQ(tree("(1 + 2) * 3"), "((1 + 2) * 3)");
  EXPECT_EQ(tree("1 % 2 atan2 3"), "((1 % 2) atan2 3)");
}

TEST(Parser, WhatIsPrintedParsesToTheSameAgain) {
  for (const std::string text :
       {"a", "a{b=\"c\"}", "{__name__=~\"a.*\"}", "a{b!=\"c\",d=~\"e\",f!~\"g\"}[5m] offset 1h",
        "sum by (x) (rate(a[5m])) > 10", "a / on (x) group_left (y) b", "a > bool 1", "topk(3, a)",
        "count_values without (x) (\"v\", a)", "-a", "1e+30", "0x1F", "Inf", "-NaN",
        "label_replace(a, \"x\", \"$1\", \"y\", \"(.*)\")", "a offset -5m", "time()", "round(a)", "a:b:c"}) {
    const std::string once = printed(text);
    EXPECT_EQ(printed(once), once) << text;
    EXPECT_THAT(once, testing::Not(HasSubstr("error")));
  }
}

TEST(Parser, KeywordsMayBeWrittenInAnyCase) {
  EXPECT_EQ(printed("SUM BY (x) (a) AND ON (x) b"), "sum by (x) (a) and on (x) b");
  EXPECT_EQ(printed("a / ON (x) Group_Left (y) b OFFSET 5m"), "a / on (x) group_left (y) b offset 5m");
  EXPECT_EQ(printed("count WITHOUT (x) (a @ END()) > BOOL 1"), "count without (x) (a @ end()) > bool 1");
  EXPECT_EQ(printed("By + SUM"), "By + SUM");
  EXPECT_THAT(error_of("RATE(a[5m])"), HasSubstr("unknown function"));
}

TEST(Parser, LiteralsInAllTheirForms) {
  EXPECT_EQ(printed("1_000"), "1000");
  EXPECT_EQ(printed("0x1f"), "31");
  EXPECT_EQ(printed("1.5e3"), "1500");
  EXPECT_EQ(printed(".5"), "0.5");
  EXPECT_EQ(printed("5m"), "300");
  EXPECT_EQ(printed("1h30m"), "5400");
  EXPECT_EQ(printed("iNf"), "+Inf");
  EXPECT_EQ(printed("\"a\\n\\x41\\u00e9\""), "\"a\\nA\xc3\xa9\"");
  EXPECT_EQ(printed("`a\\n`"), "\"a\\\\n\"");
  EXPECT_EQ(printed("'it''"), "error: 1:5: the string is not closed");
}

TEST(Parser, CommentsAndLinesAreSpace) { EXPECT_EQ(printed("a # lag\n + # and\n b"), "a + b"); }

TEST(Parser, ErrorsSayWhereAndWhatWasExpected) {
  EXPECT_EQ(error_of("sum(\n  a b)"), "2:5: expected \",\" or \")\", found \"b\"");
  EXPECT_EQ(error_of("a +"), "1:4: expected an expression, found the end of the expression");
  EXPECT_THAT(error_of("a{b=c}"), HasSubstr("1:5: expected a quoted string"));
  EXPECT_THAT(error_of("foo(a)"), HasSubstr("1:1: unknown function \"foo\""));
  EXPECT_THAT(error_of("rate(a)"), HasSubstr("1:6: rate needs a range vector here, found an instant vector"));
  EXPECT_THAT(error_of("a[5m] + 1"), HasSubstr("range vector"));
  EXPECT_THAT(error_of("1 > 2"), HasSubstr("needs bool"));
  EXPECT_THAT(error_of("1 and a"), HasSubstr("instant vector on both sides"));
  EXPECT_THAT(error_of("{}"), HasSubstr("at least one matcher"));
  EXPECT_THAT(error_of("{a=~\".*\"}"), HasSubstr("at least one matcher"));
  EXPECT_THAT(error_of("a{b=~\"(\"}"), HasSubstr("not a regular expression"));
  EXPECT_THAT(error_of("a{__name__=\"b\"}"), HasSubstr("given twice"));
  EXPECT_THAT(error_of("round(a, 1, 2)"), HasSubstr("1 to 2 argument(s), found 3"));
  EXPECT_THAT(error_of("topk(a)"), HasSubstr("takes 2 argument(s)"));
  EXPECT_THAT(error_of("a bool > 1"), HasSubstr("1:3"));
  EXPECT_THAT(error_of("a ~ b"), HasSubstr("unexpected character '~'"));
  EXPECT_THAT(error_of(""), HasSubstr("expected an expression"));
}

TEST(Parser, SubqueriesOffsetsAndFixedTimes) {
  EXPECT_EQ(printed("rate(a[5m:1m])"), "rate(a[5m:1m])");
  EXPECT_EQ(printed("max_over_time((a > 1)[1h30m:] offset -5m)"), "max_over_time((a > 1)[1h30m:] offset -5m)");
  EXPECT_EQ(printed("a[5m] offset 1m @ 1603774568.123"), "a[5m] @ 1603774568.123 offset 1m");
  EXPECT_EQ(printed("a @ start() + b[300:30] @ end()"),
            "error: 1:15: + needs scalars or instant vectors, found a range vector");
  EXPECT_EQ(printed("sum_over_time(a[300:30] @ end())"), "sum_over_time(a[5m:30s] @ end())");
  EXPECT_EQ(printed("a @ -1.5"), "a @ -1.500");
  EXPECT_EQ(printed("start + end"), "start + end");
  EXPECT_THAT(error_of("max_over_time((a > 1)[5m])"), HasSubstr("1:22: a range belongs behind a selector"));
  EXPECT_THAT(error_of("a[5m:1m][5m:]"), HasSubstr("found a range vector"));
  EXPECT_THAT(error_of("a[0s]"), HasSubstr("longer than zero"));
  EXPECT_THAT(error_of("a[5m:0s]"), HasSubstr("longer than zero"));
  EXPECT_THAT(error_of("a offset 1m offset 2m"), HasSubstr("1:13: offset is given twice"));
  EXPECT_THAT(error_of("a @ 1 @ 2"), HasSubstr("@ is given twice"));
  EXPECT_THAT(error_of("(a) offset 1m"), HasSubstr("directly behind a selector"));
  EXPECT_THAT(error_of("sum(a) @ 5"), HasSubstr("directly behind a selector"));
  EXPECT_THAT(error_of("a offset 1m [5m]"), HasSubstr("behind the range"));
  EXPECT_THAT(error_of("a @ b"), HasSubstr("a time in seconds, start() or end()"));
}

TEST(Parser, NamesMayBeQuotedAndLikeKeywords) {
  EXPECT_EQ(printed("{\"a.b\", \"c d\"=\"e\"}"), "{\"c d\"=\"e\",__name__=\"a.b\"}");
  EXPECT_EQ(printed("sum by (\"c d\", on) (a)"), "sum by (\"c d\", on) (a)");
  EXPECT_EQ(printed("a{by=\"1\", sum!=\"2\"} + offset"), "a{by=\"1\",sum!=\"2\"} + offset");
  EXPECT_EQ(printed("sum by (a,) (b)"), "sum by (a) (b)");
}

TEST(Parser, WhatPrometheusKnowsAndWeirDoesNotIsRefusedWithTheReason) {
  EXPECT_THAT(error_of("holt_winters(a[5m], 0.5, 0.5)"), HasSubstr("renamed to double_exponential_smoothing"));
  EXPECT_THAT(error_of("histogram_avg(a)"), HasSubstr("native histograms are not supported"));
  EXPECT_THAT(error_of("info(a)"), HasSubstr("experimental"));
}

TEST(Parser, NestingAndLengthAreBounded) {
  EXPECT_THAT(error_of(std::string(100'000, '(')), HasSubstr("64 KiB"));
  EXPECT_THAT(error_of(std::string(60'000, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error_of(std::string(60'000, '-') + "1"), HasSubstr("nested too deeply"));
  std::string chain = "a";
  for (int i = 0; i < 1000; ++i) chain += " + a";
  EXPECT_TRUE(parse(chain));
  EXPECT_THAT(error_of(chain + " + a"), HasSubstr("more than 1000 operators"));
}

TEST(Parser, NamesTheMetricsItReads) {
  const auto expr = parse("sum(b) / a + rate(b[5m]) + {__name__=~\"x.*\"}");
  ASSERT_TRUE(expr);
  EXPECT_THAT(metric_names(*expr), testing::ElementsAre("", "a", "b"));
}

}  // namespace
}  // namespace weir::promql
