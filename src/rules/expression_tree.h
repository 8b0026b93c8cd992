#pragma once

#include <string>
#include <vector>

#include "promql/parser.h"

namespace weir::rules {

/// An expression with what it consists of: enough to ask for the value of each part.
struct ExpressionNode {
  std::string text;
  promql::ValueType type = promql::ValueType::scalar;
  bool literal = false;  // a number or a string: its value is its text
  std::vector<ExpressionNode> parts;
};

/// Without parentheses of their own. Parts of a subquery and arguments of a function are parts.
ExpressionNode expression_tree(const promql::Expr& expr);

}  // namespace weir::rules
