#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "promql/format.h"
#include "promql/functions.h"
#include "promql/parser.h"

namespace weir::promql {
namespace {

std::string join(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  core::append_escaped(out, text);
  return out + "\"";
}

std::string print(const Selector& selector) {
  std::string name;
  std::string matchers;
  for (const core::Matcher& matcher : selector.matchers) {
    if (matcher.name == core::kMetricName && matcher.op == core::MatchOp::equal && name.empty()) {
      name = matcher.value;
      continue;
    }
    static constexpr std::array<std::string_view, 4> kOps{"=", "!=", "=~", "!~"};
    if (!matchers.empty()) matchers += ',';
    matchers += matcher.name + std::string(kOps[static_cast<std::size_t>(matcher.op)]) + quoted(matcher.value);
  }
  std::string out = name;
  if (!matchers.empty() || name.empty()) out += "{" + matchers + "}";
  if (selector.range) out += "[" + core::format_duration(*selector.range) + "]";
  if (selector.offset.count() != 0) out += " offset " + core::format_duration(selector.offset);
  return out;
}

std::string print(const Binary& binary) {
  std::string op(to_string(binary.op));
  if (binary.return_bool) op += " bool";
  const Matching& matching = binary.matching;
  if (matching.on || !matching.labels.empty()) {
    op += fmt::format(" {} ({})", matching.on ? "on" : "ignoring", join(matching.labels));
  }
  if (matching.cardinality != Matching::Cardinality::one_to_one) {
    op += matching.cardinality == Matching::Cardinality::many_to_one ? " group_left (" : " group_right (";
    op += join(matching.include) + ")";
  }
  return to_string(*binary.left) + " " + op + " " + to_string(*binary.right);
}

std::string print(const Aggregate& aggregate) {
  std::string out(to_string(aggregate.op));
  if (aggregate.without || !aggregate.labels.empty()) {
    out += fmt::format(" {} ({}) ", aggregate.without ? "without" : "by", join(aggregate.labels));
  }
  out += "(";
  if (aggregate.parameter) out += to_string(*aggregate.parameter) + ", ";
  return out + to_string(*aggregate.operand) + ")";
}

std::string print(const Call& call) {
  std::string out(call.function->name);
  out += "(";
  for (std::size_t i = 0; i < call.arguments.size(); ++i) out += (i == 0 ? "" : ", ") + to_string(*call.arguments[i]);
  return out + ")";
}

std::string print(const NumberLiteral& literal) { return format_value(literal.value); }
std::string print(const TextLiteral& literal) { return quoted(literal.text); }
std::string print(const Unary& unary) { return "-" + to_string(*unary.operand); }
std::string print(const Paren& paren) { return "(" + to_string(*paren.inner) + ")"; }

}  // namespace

std::string format_value(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> buffer{};
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
  const auto [end, failed] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                           plain ? std::chars_format::fixed : std::chars_format::scientific);
  return failed == std::errc() ? std::string(buffer.data(), end) : fmt::format("{}", value);
}

std::string to_string(const Node& node) {
  return std::visit([](const auto& kind) { return print(kind); }, node.kind);
}

std::string to_string(const Expr& expr) { return to_string(expr.root()); }

}  // namespace weir::promql
