#include "rules/selectors.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

#include "promql/functions.h"

namespace weir::rules {
namespace {

// These need two points in their range to give anything.
constexpr std::array<std::string_view, 9> kNeedTwo{
    "rate",        "increase", "irate", "delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing",
    "holt_winters"};

class Walker {
 public:
  SelectorUses uses;

  void walk(const promql::Node& node, SelectorRole role, std::size_t least_points) {
    if (const auto* selector = std::get_if<promql::Selector>(&node.kind)) {
      uses.selectors.push_back({.matchers = selector->matchers,
                                .range = selector->range.value_or(core::Duration::zero()) + subquery_range_,
                                .offset = selector->offset + subquery_offset_,
                                .least_points = least_points,
                                .role = reads_alerts(*selector) || selector->at ? SelectorRole::irrelevant : role});
    } else if (const auto* subquery = std::get_if<promql::Subquery>(&node.kind)) {
      subquery_range_ += subquery->range;
      subquery_offset_ += subquery->offset;
      walk(*subquery->inner, role, 1);
      subquery_range_ -= subquery->range;
      subquery_offset_ -= subquery->offset;
    } else if (const auto* unary = std::get_if<promql::Unary>(&node.kind)) {
      walk(*unary->operand, role, 1);
    } else if (const auto* paren = std::get_if<promql::Paren>(&node.kind)) {
      walk(*paren->inner, role, least_points);
    } else if (const auto* binary = std::get_if<promql::Binary>(&node.kind)) {
      walk_binary(*binary, role);
    } else if (const auto* aggregate = std::get_if<promql::Aggregate>(&node.kind)) {
      if (aggregate->parameter) {
        note_rewritten(*aggregate->parameter);
        walk(*aggregate->parameter, role, 1);
      }
      walk(*aggregate->operand, role, 1);
    } else if (const auto* call = std::get_if<promql::Call>(&node.kind)) {
      walk_call(*call, role);
    }
  }

 private:
  void walk_binary(const promql::Binary& binary, SelectorRole role) {
    SelectorRole left = role;
    SelectorRole right = role;
    if (role != SelectorRole::irrelevant && binary.op == promql::Operator::or_) {
      left = right = SelectorRole::alternative;
    } else if (binary.op == promql::Operator::unless) {
      right = SelectorRole::irrelevant;
    }
    walk(*binary.left, left, 1);
    walk(*binary.right, right, 1);
  }

  void walk_call(const promql::Call& call, SelectorRole role) {
    const std::string_view name = call.function->name;
    const bool rewrites = name == "label_replace" || name == "label_join";
    if (rewrites && call.arguments.size() > 1) note_rewritten(*call.arguments[1]);
    const bool two = std::ranges::find(kNeedTwo, name) != kNeedTwo.end();
    for (const promql::NodePtr& argument : call.arguments) walk(*argument, role, two ? 2 : 1);
  }

  /// ALERTS and ALERTS_FOR_STATE are Weir's own word, no data.
  static bool reads_alerts(const promql::Selector& selector) {
    return std::ranges::any_of(selector.matchers, [](const core::Matcher& matcher) {
      return matcher.name == core::kMetricName && matcher.value.starts_with("ALERTS");
    });
  }

  void note_rewritten(const promql::Node& node) {
    if (const auto* text = std::get_if<promql::TextLiteral>(&node.kind)) uses.rewritten_labels.push_back(text->text);
  }

  // Of the subqueries around the node.
  core::Duration subquery_range_{};
  core::Duration subquery_offset_{};
};

}  // namespace

SelectorUses selector_uses(const promql::Expr& expr) {
  Walker walker;
  walker.walk(expr.root(), SelectorRole::required, 1);
  return std::move(walker.uses);
}

}  // namespace weir::rules
