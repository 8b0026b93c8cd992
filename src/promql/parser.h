#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "promql/ast.h"

namespace weir::promql {

/// A parsed and type-checked expression. Movable; evaluating does not change it.
class Expr {
 public:
  explicit Expr(NodePtr root) : root_(std::move(root)) {}
  const Node& root() const { return *root_; }
  ValueType type() const { return root_->type; }

 private:
  NodePtr root_;
};

/// Parses PromQL. Errors (invalid): where is "line:col" in the text, the message says what was expected;
/// (limit): longer than 64 KiB or nested deeper than 100.
core::Result<Expr> parse(std::string_view text);

/// The expression on one line, as Prometheus's Expr.String() writes it: matchers sorted, strings as Go's %q, numbers as
/// its %v. It parses to the same again.
std::string to_string(const Expr& expr);
std::string to_string(const Node& node);

/// The same, but what is longer than 100 bytes is split over lines, two spaces a level, as Prometheus's Prettify does.
std::string pretty(const Expr& expr);

/// Names of the metrics that it reads, sorted; "" stands for a selector without a name.
std::vector<std::string> metric_names(const Expr& expr);

/// Every selector in it, in the order written.
std::vector<const Selector*> selectors(const Expr& expr);

/// The tokens that name operators and aggregations.
std::string_view to_string(Operator op);
std::string_view to_string(AggregateOp op);

}  // namespace weir::promql
