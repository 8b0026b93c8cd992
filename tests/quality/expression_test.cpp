#include "quality/expression.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

namespace weir::quality {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Op = Condition::Op;

Condition condition(const std::string& text) {
  const auto expression = parse_expression("row_count " + text);
  EXPECT_TRUE(expression) << text << ": " << expression.error().message;
  EXPECT_TRUE(expression->condition) << text;
  return expression->condition.value_or(Condition{});
}

TextError mistake(const std::string& text) {
  const auto expression = parse_expression(text);
  EXPECT_FALSE(expression) << text;
  return expression ? TextError{} : expression.error();
}

TEST(CheckExpression, ReadsEveryComparison) {
  EXPECT_EQ(condition("< 5").op, Op::less);
  EXPECT_EQ(condition("<= 5").op, Op::less_equal);
  EXPECT_EQ(condition("= 5").op, Op::equal);
  EXPECT_EQ(condition(">= 5").op, Op::greater_equal);
  EXPECT_EQ(condition("> 5").op, Op::greater);
  EXPECT_EQ(condition("!= 5").op, Op::not_equal);
  EXPECT_EQ(condition("<> 5").op, Op::not_equal);
  EXPECT_EQ(condition("> -1.5e3").low, -1500);
  EXPECT_EQ(condition("> 50 %").unit, Unit::percent);
  EXPECT_EQ(condition("> +5").low, 5);
}

TEST(CheckExpression, ReadsIntervalsWithOpenAndClosedEnds) {
  EXPECT_EQ(condition("between 10 and 20").to_string(), "between 10 and 20");
  EXPECT_EQ(condition("not between 10 and 20").to_string(), "not between 10 and 20");
  EXPECT_TRUE(condition("between 10 and 20").holds(10));
  EXPECT_TRUE(condition("between 10 and 20").holds(20));
  EXPECT_FALSE(condition("between (10 and 20)").holds(10));
  EXPECT_FALSE(condition("between (10 and 20)").holds(20));
  EXPECT_TRUE(condition("between [10 and 20)").holds(10));
  EXPECT_FALSE(condition("not between 10 and 20").holds(15));
  EXPECT_TRUE(condition("not between 10 and 20").holds(9.99));
  EXPECT_TRUE(condition("between -5 and -5").holds(-5));
}

TEST(CheckExpression, NeverHoldsForNaN) {
  for (const char* text : {"< 5", "<= 5", "= 5", ">= 5", "> 5", "!= 5", "between 1 and 2", "not between 1 and 2"}) {
    EXPECT_FALSE(condition(text).holds(std::nan(""))) << text;
  }
  EXPECT_TRUE(condition("> 5").holds(std::numeric_limits<double>::infinity()));
}

TEST(CheckExpression, ReadsDurationsAsSodaDoes) {
  EXPECT_EQ(condition("< 1h30m").low, 5400);
  EXPECT_EQ(condition("< 24h30m").low, 88200);
  EXPECT_EQ(condition("< 1h30").low, 5400);
  EXPECT_EQ(condition("< 1d12").low, 129600);
  EXPECT_EQ(condition("< 5m30").low, 330);
  EXPECT_EQ(condition("< 90s").low, 90);
  EXPECT_EQ(condition("< 2d").unit, Unit::duration);
}

TEST(CheckExpression, ReadsChanges) {
  const auto plain = parse_expression("change for row_count < 5");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->change->to_string(), "change for");
  EXPECT_EQ(parse_expression("change percent for row_count > -30%")->change->to_string(), "change percent for");
  const auto last = parse_expression("change avg last 7 percent for missing_count(x) < 50%");
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->change->to_string(), "change avg last 7 percent for");
  EXPECT_EQ(last->metric, "missing_count");
  EXPECT_EQ(parse_expression("change max last 2 for row_count < 5")->change->to_string(), "change max last 2 for");
  EXPECT_EQ(parse_expression("change(x) > 1")->metric, "change") << "left to the judge of metric names";
}

TEST(CheckExpression, ReadsArgumentsOfAnyName) {
  const auto expression = parse_expression(R"(distribution_difference("my col", usual) < 1)");
  ASSERT_TRUE(expression) << expression.error().message;
  EXPECT_EQ(expression->arguments[0].text, "my col");
  EXPECT_EQ(expression->arguments[1].text, "usual");
  EXPECT_EQ(parse_expression("row_count")->condition, std::nullopt);
}

TEST(CheckExpression, PointsAtTheMistake) {
  const auto expect = [](const std::string& text, std::size_t offset, const std::string& message) {
    EXPECT_EQ(mistake(text).offset, offset) << text << ": " << mistake(text).message;
    EXPECT_THAT(mistake(text).message, HasSubstr(message)) << text;
  };
  expect("", 0, "expected a metric");
  expect("> 5", 0, "expected a metric");
  expect("row_count 5", 10, "expected a threshold");
  expect("row_count >", 11, "expected a number at the end");
  expect("row_count > five", 12, "expected a number");
  expect("row_count > 1 2", 14, "the end of the check");
  expect("row_count > 1 and < 5", 14, "the end of the check");
  expect("row_count > 1;", 12, "is not a number");
  expect("row_count > 1x", 12, "is no duration");
  expect("row_count > 1.2.3", 12, "is not a number");
  expect("row_count > 1e999", 12, "is not a number");
  expect("row_count between 20 and 10", 10, "lower bound is above");
  expect("row_count between 10 20", 21, "expected \"and\"");
  expect("row_count between 10% and 20", 10, "same unit");
  expect("row_count not > 5", 14, "expected a threshold");
  expect("missing_count(a b) = 0", 16, "double quotes");
  expect("missing_count(a", 15, "");
  expect("missing_count() = 0", 14, "name of a column");
  expect("change avg for row_count > 5", 11, "expected \"last\"");
  expect("change avg last 0 for row_count > 5", 16, "whole number from 1");
  expect("change avg last 1.5 for row_count > 5", 16, "whole number from 1");
  expect("change avg last x for row_count > 5", 16, "whole number from 1");
  expect("change row_count > 5", 7, "expected \"for\"");
  expect("change same day last year for row_count > 5", 21, "\"week\" or \"month\"");
  expect("change same week for row_count > 5", 12, "same day last week");
}

TEST(CheckZone, StartsWithWhen) {
  EXPECT_EQ(parse_zone("when < 10")->to_string(), "< 10");
  EXPECT_EQ(parse_zone("when not between 1 and 5")->to_string(), "not between 1 and 5");
  EXPECT_THAT(parse_zone("< 10").error().message, HasSubstr("\"when\""));
  EXPECT_EQ(parse_zone("when < ten").error().offset, 7U);
}

TEST(SectionHeader, ReadsTableNamesAndFilters) {
  const auto header = [](std::string_view text) { return parse_header(text, "checks for"); };
  EXPECT_THAT(header("checks for fct_orders")->table, ElementsAre("fct_orders"));
  EXPECT_THAT(header("checks for sales.fct_orders [recent]")->table, ElementsAre("sales", "fct_orders"));
  EXPECT_EQ(header("checks for sales.fct_orders [recent]")->filter, "recent");
  EXPECT_THAT(header(R"(checks for "odd.name")")->table, ElementsAre("odd.name"));
  EXPECT_THAT(header(R"(checks for sales."Fct Orders")")->table, ElementsAre("sales", "Fct Orders"));
  EXPECT_THAT(header(R"(checks for "my db".sales."Fct Orders")")->table, ElementsAre("my db", "sales", "Fct Orders"));
  EXPECT_THAT(header(R"(checks for x"; DROP TABLE x; --)").error().message, HasSubstr("has no end"));
  EXPECT_THAT(header("checks for").error().message, HasSubstr("name of a table"));
  EXPECT_EQ(header("checks for").error().offset, 10U);
  EXPECT_THAT(header("checks for a b").error().message, HasSubstr("double quotes"));
  EXPECT_THAT(header("checks for a..b").error().message, HasSubstr("empty part"));
  EXPECT_THAT(header("checks for a.b.c.d").error().message, HasSubstr("at most three"));
  EXPECT_THAT(header("checks for a [").error().message, HasSubstr("name of a filter"));
  EXPECT_THAT(header("checks for a [x").error().message, HasSubstr("\"]\""));
}

}  // namespace
}  // namespace weir::quality
