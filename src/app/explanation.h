#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "promql/value.h"
#include "rules/expression_tree.h"

namespace weir::app {

/// A part of an expression with its value; without one for what was not asked, or could not be had.
struct ExplainedNode {
  std::string text;
  std::optional<promql::Value> value;
  std::optional<core::Error> error;
  std::vector<ExplainedNode> parts;
};

using InstantQuery = std::function<core::Result<promql::Value>(const std::string& expression)>;

/// Asks for the value of each part; literals are their own. Past 200 parts the rest is left without values.
ExplainedNode explain(const rules::ExpressionNode& expression, const InstantQuery& query);

/// The tree, two spaces a level; of each part up to 10 series are shown.
std::string format_explanation(const ExplainedNode& node);
std::string explanation_json(const ExplainedNode& node, core::Time at);

}  // namespace weir::app
