#include "rules/expression_tree.h"

#include <variant>

namespace weir::rules {
namespace {

ExpressionNode read(const promql::Node& node);

// Asks each kind of node for the members that hold others, so that a new kind needs nothing here.
template <class Kind>
std::vector<ExpressionNode> parts_of(const Kind& kind) {
  std::vector<ExpressionNode> parts;
  const auto add = [&](const promql::NodePtr& part) {
    if (part) parts.push_back(read(*part));
  };
  if constexpr (requires { kind.parameter; }) add(kind.parameter);
  if constexpr (requires { kind.operand; }) add(kind.operand);
  if constexpr (requires { kind.inner; }) add(kind.inner);
  if constexpr (requires { kind.left; }) add(kind.left);
  if constexpr (requires { kind.right; }) add(kind.right);
  if constexpr (requires { kind.arguments; }) {
    for (const promql::NodePtr& argument : kind.arguments) add(argument);
  }
  return parts;
}

ExpressionNode read(const promql::Node& node) {
  if (const auto* paren = std::get_if<promql::Paren>(&node.kind)) return read(*paren->inner);
  ExpressionNode found;
  found.text = promql::to_string(node);
  found.type = node.type;
  found.literal = std::holds_alternative<promql::NumberLiteral>(node.kind) ||
                  std::holds_alternative<promql::TextLiteral>(node.kind);
  found.parts = std::visit([](const auto& kind) { return parts_of(kind); }, node.kind);
  return found;
}

}  // namespace

ExpressionNode expression_tree(const promql::Expr& expr) { return read(expr.root()); }

}  // namespace weir::rules
