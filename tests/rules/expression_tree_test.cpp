#include "rules/expression_tree.h"

#include <gmock/gmock.h>

namespace weir::rules {
namespace {

/// "text[part, part]" of each node.
std::string show(const ExpressionNode& node) {
  std::string out = node.text + (node.literal ? "!" : "");
  for (const ExpressionNode& part : node.parts) out += " <" + show(part) + ">";
  return out;
}

std::string tree(const std::string& text) {
  const auto expr = promql::parse(text);
  EXPECT_TRUE(expr) << text;
  return expr ? show(expression_tree(*expr)) : "";
}

TEST(ExpressionTree, OperatorsHaveTwoParts) {
  EXPECT_EQ(tree("a > 5"), "a > 5 <a> <5!>");
  EXPECT_EQ(tree("a + b * c"), "a + b * c <a> <b * c <b> <c>>");
}

TEST(ExpressionTree, ParenthesesAreNoPart) { EXPECT_EQ(tree("((a)) == (b)"), "((a)) == (b) <a> <b>"); }

TEST(ExpressionTree, FunctionsAndAggregationsHaveTheirArguments) {
  EXPECT_EQ(tree("rate(a[5m])"), "rate(a[5m]) <a[5m]>");
  EXPECT_EQ(tree("topk(3, a)"), "topk(3, a) <3!> <a>");
  EXPECT_EQ(tree("-a"), "-a <a>");
}

TEST(ExpressionTree, TypesAreKept) {
  const auto expr = promql::parse("rate(a[5m])");
  ASSERT_TRUE(expr);
  const ExpressionNode node = expression_tree(*expr);
  EXPECT_EQ(node.type, promql::ValueType::vector);
  EXPECT_EQ(node.parts.at(0).type, promql::ValueType::matrix);
}

}  // namespace
}  // namespace weir::rules
