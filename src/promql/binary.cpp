#include "promql/binary.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "promql/aggregate.h"
#include "promql/parser.h"

namespace weir::promql {
namespace {

bool is_comparison(Operator op) { return op >= Operator::eq && op <= Operator::ge; }

double arithmetic(Operator op, double a, double b) {
  switch (op) {
    case Operator::add: return a + b;
    case Operator::sub: return a - b;
    case Operator::mul: return a * b;
    case Operator::div: return a / b;
    case Operator::mod: return std::fmod(a, b);
    case Operator::pow: return std::pow(a, b);
    default: return std::atan2(a, b);
  }
}

bool compare(Operator op, double a, double b) {
  switch (op) {
    case Operator::eq: return a == b;
    case Operator::ne: return a != b;
    case Operator::lt: return a < b;
    case Operator::gt: return a > b;
    case Operator::le: return a <= b;
    default: return a >= b;
  }
}

/// The result for one pair, or nothing where a comparison filters it out. A filter keeps `kept`.
std::optional<double> operate(const Binary& node, double a, double b, double kept) {
  if (!is_comparison(node.op)) return arithmetic(node.op, a, b);
  const bool holds = compare(node.op, a, b);
  if (node.return_bool) return holds ? 1 : 0;
  return holds ? std::optional(kept) : std::nullopt;
}

bool drops_name(const Binary& node) { return !is_comparison(node.op) || node.return_bool; }

Vector with_scalar(const Binary& node, const Vector& samples, double scalar, bool scalar_left, core::Time at) {
  Vector result;
  for (const VectorSample& sample : samples) {
    const double a = scalar_left ? scalar : sample.value;
    const double b = scalar_left ? sample.value : scalar;
    const auto value = operate(node, a, b, sample.value);
    if (!value) continue;
    result.push_back({drops_name(node) ? sample.labels.without(core::kMetricName) : sample.labels, at, *value});
  }
  return result;
}

core::Labels signature(const Matching& matching, const core::Labels& labels) {
  return grouping_labels(labels, matching.labels, matching.on);
}

Vector set_operation(const Binary& node, Vector left, Vector right) {
  const auto signatures = [&](const Vector& samples) {
    std::unordered_set<core::Labels> set;
    for (const VectorSample& sample : samples) set.insert(signature(node.matching, sample.labels));
    return set;
  };
  if (node.op == Operator::or_) {
    const auto known = signatures(left);
    for (VectorSample& sample : right) {
      if (!known.contains(signature(node.matching, sample.labels))) left.push_back(std::move(sample));
    }
    return left;
  }
  const auto known = signatures(right);
  std::erase_if(left, [&](const VectorSample& sample) {
    return known.contains(signature(node.matching, sample.labels)) == (node.op == Operator::unless);
  });
  return left;
}

core::Labels result_labels(const Binary& node, const core::Labels& many, const core::Labels& one) {
  core::LabelsBuilder builder(many);
  if (drops_name(node)) builder.erase(core::kMetricName);
  const Matching& matching = node.matching;
  if (matching.cardinality == Matching::Cardinality::one_to_one) {
    if (matching.on) return grouping_labels(builder.build(), matching.labels, true);
    for (const std::string& label : matching.labels) builder.erase(label);
    return builder.build();
  }
  for (const std::string& label : matching.include) {
    const std::string_view value = one.get(label);
    value.empty() ? builder.erase(label) : builder.set(label, value);
  }
  return builder.build();
}

core::Result<Vector> match(const Binary& node, const Vector& left, const Vector& right, core::Time at) {
  const Matching& matching = node.matching;
  const bool one_left = matching.cardinality == Matching::Cardinality::one_to_many;
  const Vector& many = one_left ? right : left;
  const Vector& one = one_left ? left : right;
  std::unordered_map<core::Labels, const VectorSample*> partners;
  for (const VectorSample& sample : one) {
    const core::Labels key = signature(matching, sample.labels);
    if (partners.emplace(key, &sample).second) continue;
    return core::fail(core::ErrorKind::invalid,
                      "found duplicate series for the match group " + key.to_string() + " on the " +
                          (one_left ? "left" : "right") + " hand-side of the operation: [" + sample.labels.to_string() +
                          ", " + partners.at(key)->labels.to_string() +
                          "];many-to-many matching not allowed: matching labels must be unique on one side");
  }
  Vector result;
  std::unordered_set<core::Labels> matched;
  for (const VectorSample& sample : many) {
    const core::Labels key = signature(matching, sample.labels);
    const auto partner = partners.find(key);
    if (partner == partners.end()) continue;
    const double a = one_left ? partner->second->value : sample.value;
    const double b = one_left ? sample.value : partner->second->value;
    const auto value = operate(node, a, b, a);
    if (!value) continue;
    if (matching.cardinality == Matching::Cardinality::one_to_one && !matched.insert(key).second) {
      return core::fail(core::ErrorKind::invalid,
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
    }
    result.push_back({result_labels(node, sample.labels, partner->second->labels), at, *value});
  }
  return result;
}

}  // namespace

core::Result<Value> apply(const Binary& node, Value left, Value right, core::Time at) {
  const auto* scalar_left = std::get_if<Scalar>(&left);
  const auto* scalar_right = std::get_if<Scalar>(&right);
  if (scalar_left != nullptr && scalar_right != nullptr) {
    return Scalar{operate(node, scalar_left->value, scalar_right->value, scalar_left->value).value_or(0)};
  }
  if (scalar_left != nullptr) return Value(with_scalar(node, std::get<Vector>(right), scalar_left->value, true, at));
  if (scalar_right != nullptr) return Value(with_scalar(node, std::get<Vector>(left), scalar_right->value, false, at));
  Vector& a = std::get<Vector>(left);
  Vector& b = std::get<Vector>(right);
  if (node.op >= Operator::and_) return Value(set_operation(node, std::move(a), std::move(b)));
  auto matched = match(node, a, b, at);
  if (!matched) return std::unexpected(matched.error());
  return Value(std::move(*matched));
}

}  // namespace weir::promql
