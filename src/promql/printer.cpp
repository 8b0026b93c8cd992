#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "promql/format.h"
#include "promql/functions.h"
#include "promql/parser.h"

namespace weir::promql {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  core::append_escaped(out, text);
  return out + "\"";
}

bool is_plain(std::string_view name, bool colons) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::ranges::all_of(name, [&](unsigned char c) {
           return (c < 0x80 && std::isalnum(c) != 0) || c == '_' || (colons && c == ':');
         });
}

/// A label's name, quoted where it must be.
std::string label(const std::string& name) { return is_plain(name, false) ? name : quoted(name); }

std::string join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + label(name);
  return out;
}

/// Without range and modifiers.
std::string bare(const Selector& selector) {
  std::string name;
  std::string matchers;
  for (const core::Matcher& matcher : selector.matchers) {
    if (matcher.name == core::kMetricName && matcher.op == core::MatchOp::equal && name.empty()) {
      name = matcher.value;
      if (!is_plain(name, true)) matchers = quoted(name) + (matchers.empty() ? "" : "," + matchers);
      continue;
    }
    static constexpr std::array<std::string_view, 4> kOps{"=", "!=", "=~", "!~"};
    if (!matchers.empty()) matchers += ',';
    matchers += label(matcher.name) + std::string(kOps[static_cast<std::size_t>(matcher.op)]) + quoted(matcher.value);
  }
  std::string out = is_plain(name, true) ? name : "";
  if (!matchers.empty() || name.empty()) out += "{" + matchers + "}";
  return out;
}

std::string modifiers(const std::optional<AtModifier>& at, core::Duration offset) {
  std::string out;
  if (at) {
    switch (at->kind) {
      case AtModifier::Kind::start: out += " @ start()"; break;
      case AtModifier::Kind::end: out += " @ end()"; break;
      case AtModifier::Kind::time: out += fmt::format(" @ {:.3f}", core::to_seconds(at->time)); break;
    }
  }
  if (offset.count() != 0) out += " offset " + core::format_duration(offset);
  return out;
}

std::string print(const Selector& selector) {
  std::string out = bare(selector);
  if (selector.range) out += "[" + core::format_duration(*selector.range) + "]";
  return out + modifiers(selector.at, selector.offset);
}

std::string subquery_range(const Subquery& subquery) {
  return "[" + core::format_duration(subquery.range) + ":" +
         (subquery.step ? core::format_duration(*subquery.step) : "") + "]" + modifiers(subquery.at, subquery.offset);
}

std::string print(const Subquery& subquery) { return to_string(*subquery.inner) + subquery_range(subquery); }

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
std::string print(const Unary& unary) { return (unary.negated ? "-" : "+") + to_string(*unary.operand); }
std::string print(const Paren& paren) { return "(" + to_string(*paren.inner) + ")"; }

}  // namespace

std::string format_plain(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // The shortest digits, with zeros where Go writes zeros; std::to_chars would write out the exact value.
  std::array<char, 40> buffer{};
  const auto [end, failed] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  if (failed != std::errc()) return fmt::format("{}", value);
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  std::string out = negative ? "-" : "";
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0');
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string format_value(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value) || size == 0 || (size >= 1e-6 && size < 1e21)) return format_plain(value);
  std::array<char, 40> buffer{};
  const auto [end, failed] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string text(buffer.data(), failed == std::errc() ? end : buffer.data());
  // As Go's JSON: "1e-7", not "1e-07".
  if (const std::size_t e = text.find("e-0"); e != std::string::npos) text.erase(e + 2, 1);
  return text;
}

std::string to_string(const Node& node) {
  return std::visit([](const auto& kind) { return print(kind); }, node.kind);
}

std::string to_string(const Expr& expr) { return to_string(expr.root()); }

}  // namespace weir::promql
