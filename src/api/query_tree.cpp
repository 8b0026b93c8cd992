#include "api/query_tree.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "api/json_values.h"
#include "api/parameters.h"
#include "api/prometheus_api.h"
#include "promql/format.h"
#include "promql/functions.h"
#include "promql/parser.h"

namespace weir::api {
namespace {

using nlohmann::json;

json tree(const promql::Node& node);
json tree(const promql::NodePtr& node) { return node ? tree(*node) : json(nullptr); }

/// As Prometheus's API names it.
std::string_view name_of(promql::ValueType type) {
  switch (type) {
    case promql::ValueType::scalar: return "scalar";
    case promql::ValueType::vector: return "vector";
    case promql::ValueType::matrix: return "matrix";
    case promql::ValueType::text: return "string";
  }
  return "none";
}

/// `offset`, `timestamp` and `startOrEnd` of a selector or a subquery.
template <class Kind>
json modifiers(const Kind& kind) {
  json out{{"offset", kind.offset.count()}, {"timestamp", nullptr}, {"startOrEnd", nullptr}};
  if (!kind.at) return out;
  using At = promql::AtModifier::Kind;
  switch (kind.at->kind) {
    case At::time: out["timestamp"] = kind.at->time.time_since_epoch().count(); break;
    case At::start: out["startOrEnd"] = "start"; break;
    case At::end: out["startOrEnd"] = "end"; break;
  }
  return out;
}

json matchers(const promql::Selector& selector) {
  static constexpr std::array<std::string_view, 4> kOps{"=", "!=", "=~", "!~"};
  json out = json::array();
  for (const core::Matcher& matcher : selector.matchers) {
    out.push_back(
        {{"name", matcher.name}, {"value", matcher.value}, {"type", kOps[static_cast<std::size_t>(matcher.op)]}});
  }
  // Prometheus adds the name that stands before the braces when it has read them.
  if (selector.named) std::rotate(out.begin(), out.begin() + 1, out.end());
  return out;
}

json describe(const promql::Selector& selector) {
  json out = modifiers(selector);
  out["type"] = selector.range ? "matrixSelector" : "vectorSelector";
  out["name"] = selector.named ? selector.matchers.front().value : "";
  out["matchers"] = matchers(selector);
  if (selector.range) out["range"] = selector.range->count();
  // Experimental in Prometheus, and refused by the parser here.
  out["anchored"] = out["smoothed"] = false;
  return out;
}

json describe(const promql::Subquery& subquery) {
  json out = modifiers(subquery);
  out["type"] = "subquery";
  out["expr"] = tree(subquery.inner);
  out["range"] = subquery.range.count();
  out["step"] = subquery.step ? subquery.step->count() : 0;
  return out;
}

std::string_view cardinality(const promql::Binary& binary) {
  using Cardinality = promql::Matching::Cardinality;
  if (binary.op >= promql::Operator::and_) return "many-to-many";
  switch (binary.matching.cardinality) {
    case Cardinality::one_to_one: return "one-to-one";
    case Cardinality::many_to_one: return "many-to-one";
    case Cardinality::one_to_many: return "one-to-many";
  }
  return "";
}

json describe(const promql::Binary& binary) {
  json matching;
  if (binary.left->type == promql::ValueType::vector && binary.right->type == promql::ValueType::vector) {
    matching = {{"card", cardinality(binary)},
                {"labels", binary.matching.labels},
                {"on", binary.matching.on},
                {"include", binary.matching.include},
                {"fillValues", {{"lhs", nullptr}, {"rhs", nullptr}}}};
  }
  return {{"type", "binaryExpr"},      {"op", to_string(binary.op)},      {"lhs", tree(binary.left)},
          {"rhs", tree(binary.right)}, {"matching", std::move(matching)}, {"bool", binary.return_bool}};
}

json describe(const promql::Aggregate& aggregate) {
  return {{"type", "aggregation"},           {"op", to_string(aggregate.op)},
          {"expr", tree(aggregate.operand)}, {"param", tree(aggregate.parameter)},
          {"grouping", aggregate.labels},    {"without", aggregate.without}};
}

json describe(const promql::Call& call) {
  const promql::Function& function = *call.function;
  json types = json::array();
  for (const promql::ValueType type : function.arguments) types.push_back(name_of(type));
  json arguments = json::array();
  for (const promql::NodePtr& argument : call.arguments) arguments.push_back(tree(argument));
  // -1: the last may be left out or repeat; else how many of the last may be left out.
  const int variadic = function.variadic ? -1 : static_cast<int>(function.optional);
  return {{"type", "call"},
          {"func",
           {{"name", function.name},
            {"argTypes", std::move(types)},
            {"variadic", variadic},
            {"returnType", name_of(function.result)}}},
          {"args", std::move(arguments)}};
}

json describe(const promql::NumberLiteral& literal) {
  return {{"type", "numberLiteral"}, {"val", promql::format_plain(literal.value)}};
}
json describe(const promql::TextLiteral& literal) { return {{"type", "stringLiteral"}, {"val", literal.text}}; }
json describe(const promql::Paren& paren) { return {{"type", "parenExpr"}, {"expr", tree(paren.inner)}}; }
json describe(const promql::Unary& unary) {
  return {{"type", "unaryExpr"}, {"op", unary.negated ? "-" : "+"}, {"expr", tree(unary.operand)}};
}

json tree(const promql::Node& node) {
  return std::visit([](const auto& kind) { return describe(kind); }, node.kind);
}

}  // namespace

net::ServerResponse parse_query(const Backend&, const net::ServerRequest& request) {
  const auto expr = promql::parse(Parameters(request).get("query"));
  if (!expr) return bad_data(invalid_parameter("query", expr.error().describe()).error());
  return api_success(dump(tree(expr->root())));
}

}  // namespace weir::api
