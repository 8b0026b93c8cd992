#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/series_source.h"
#include "core/time.h"
#include "promql/value.h"

namespace weir::promql {

struct Function;
struct Node;
using NodePtr = std::unique_ptr<const Node>;

/// A place in the expression's text; both count from 1.
struct Place {
  int line = 1;
  int column = 1;
};

struct NumberLiteral {
  double value = 0;
};

struct TextLiteral {
  std::string text;
};

/// `@ 1700000000.5`, `@ start()` or `@ end()`: evaluated there, whatever the step.
struct AtModifier {
  enum class Kind { time, start, end };
  Kind kind = Kind::time;
  core::Time time;
};

/// `name{matchers}`, with `[range]` a range vector.
struct Selector {
  std::vector<core::Matcher> matchers;  // the name too
  bool named = false;                   // the first matcher is a name that stands before the braces
  std::optional<core::Duration> range;
  core::Duration offset{0};
  std::optional<AtModifier> at;
};

/// `inner[range:step]`: a range vector of the values that `inner` has at the steps of the range.
struct Subquery {
  NodePtr inner;
  core::Duration range{0};
  std::optional<core::Duration> step;
  core::Duration offset{0};
  std::optional<AtModifier> at;
};

struct Unary {
  NodePtr operand;
  bool negated = true;  // false: unary plus, which does nothing
};

enum class Operator { add, sub, mul, div, mod, pow, atan2, eq, ne, lt, gt, le, ge, and_, or_, unless };

/// How the two sides of a binary operation find each other.
struct Matching {
  enum class Cardinality { one_to_one, many_to_one, one_to_many };
  bool on = false;  // match on `labels` alone; else on all but them
  std::vector<std::string> labels;
  Cardinality cardinality = Cardinality::one_to_one;
  std::vector<std::string> include;  // labels that group_left/group_right take from the "one" side
};

struct Binary {
  Operator op = Operator::add;
  bool return_bool = false;
  Matching matching;
  NodePtr left;
  NodePtr right;
};

enum class AggregateOp {
  sum,
  min,
  max,
  avg,
  count,
  group,
  stddev,
  stdvar,
  topk,
  bottomk,
  quantile,
  count_values,
  limitk,
  limit_ratio
};

struct Aggregate {
  AggregateOp op = AggregateOp::sum;
  bool without = false;
  std::vector<std::string> labels;
  NodePtr parameter;  // of topk, bottomk, limitk, limit_ratio, quantile, count_values; else null
  NodePtr operand;
};

struct Call {
  const Function* function = nullptr;
  std::vector<NodePtr> arguments;
};

/// Parentheses are kept so that an expression prints as it was written.
struct Paren {
  NodePtr inner;
};

struct Node {
  std::variant<NumberLiteral, TextLiteral, Selector, Subquery, Unary, Binary, Aggregate, Call, Paren> kind;
  ValueType type = ValueType::scalar;
  Place place;
};

}  // namespace weir::promql
