#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <iterator>
#include <re2/re2.h>

#include "promql/format.h"
#include "promql/functions.h"
#include "promql/parser.h"

namespace weir::promql {
namespace {

constexpr std::size_t kLongestLine = 100;  // bytes that pretty() leaves on one line

/// How many bytes the UTF-8 character at the front has, 0 where the bytes are none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !follows(1)) return 0;
  if (first < 0xE0) return 2;
  if (!follows(2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool outside = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
  return follows(3) && !outside ? 4 : 0;
}

char32_t code_point(std::string_view character) {
  static constexpr std::array<unsigned, 5> kFirst{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = static_cast<unsigned char>(character[0]) & kFirst[character.size()];
  for (const char c : character.substr(1)) code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

/// As Go's strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
bool is_printable(std::string_view character) {
  if (character.size() == 1) return character[0] >= 0x20 && character[0] < 0x7F;
  static const RE2 printable(R"([\pL\pM\pN\pP\pS])");
  return RE2::FullMatch(character, printable);
}

/// As Go's strconv.Quote, which is its %q.
void append_quoted(std::string& out, std::string_view text) {
  static constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\\"";
  static constexpr std::string_view kLetters = "abfnrtv\\\"";
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    text.remove_prefix(character.size());
    const unsigned first = static_cast<unsigned char>(character[0]);
    if (const std::size_t at = kEscaped.find(character[0]); at != std::string_view::npos) {
      out += '\\';
      out += kLetters[at];
    } else if (size == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", first);
    } else if (is_printable(character)) {
      out += character;
    } else if (size == 1) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", first);
    } else {
      const auto code = static_cast<std::uint32_t>(code_point(character));
      out += code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
    }
  }
  out += '"';
}

/// As Go's %v: shortest digits, with an exponent below 1e-4 and from 1e+06 on.
std::string number(double value) {
  if (!std::isfinite(value) || value == 0) return format_plain(value);
  std::array<char, 40> buffer{};
  const auto [end, failed] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  if (failed != std::errc()) return format_plain(value);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  return exponent < -4 || exponent >= 6 ? std::string(text) : format_plain(value);
}

bool is_plain(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::ranges::all_of(name, [](unsigned char c) { return (c < 0x80 && std::isalnum(c) != 0) || c == '_'; });
}

/// A label's name, quoted where it must be.
void append_label(std::string& out, std::string_view name) {
  if (is_plain(name)) {
    out += name;
  } else {
    append_quoted(out, name);
  }
}

void append_list(std::string& out, const std::vector<std::string>& names) {
  out += '(';
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ", ";
    append_label(out, names[i]);
  }
  out += ')';
}

void append_modifiers(std::string& out, const std::optional<AtModifier>& at, core::Duration offset) {
  if (at) {
    switch (at->kind) {
      case AtModifier::Kind::start: out += " @ start()"; break;
      case AtModifier::Kind::end: out += " @ end()"; break;
      case AtModifier::Kind::time:
        fmt::format_to(std::back_inserter(out), " @ {:.3f}", core::to_seconds(at->time));
        break;
    }
  }
  if (offset.count() != 0) out += " offset " + core::format_duration(offset);
}

/// The operator with everything between the two sides but the spaces around it.
void append_operator(std::string& out, const Binary& binary) {
  out += to_string(binary.op);
  if (binary.return_bool) out += " bool";
  const Matching& matching = binary.matching;
  const bool grouped = matching.cardinality != Matching::Cardinality::one_to_one;
  // Without ignoring () what follows would not parse again.
  if (matching.on || !matching.labels.empty() || grouped) {
    out += matching.on ? " on " : " ignoring ";
    append_list(out, matching.labels);
  }
  if (!grouped) return;
  out += matching.cardinality == Matching::Cardinality::many_to_one ? " group_left " : " group_right ";
  append_list(out, matching.include);
}

/// What is before the arguments.
void append_head(std::string& out, const Aggregate& aggregate) {
  out += to_string(aggregate.op);
  if (!aggregate.without && aggregate.labels.empty()) return;
  out += aggregate.without ? " without " : " by ";
  append_list(out, aggregate.labels);
  out += ' ';
}

/// `[range:step]` and what follows.
void append_tail(std::string& out, const Subquery& subquery) {
  out += '[' + core::format_duration(subquery.range) + ':';
  if (subquery.step) out += core::format_duration(*subquery.step);
  out += ']';
  append_modifiers(out, subquery.at, subquery.offset);
}

void print(std::string& out, const Node& node);

void print(std::string& out, const Selector& selector) {
  static constexpr std::array<std::string_view, 4> kOps{"=", "!=", "=~", "!~"};
  std::vector<std::string> matchers;
  for (const core::Matcher& matcher : selector.matchers) {
    if (selector.named && &matcher == &selector.matchers.front()) {
      out += matcher.value;
      continue;
    }
    std::string& text = matchers.emplace_back();
    append_label(text, matcher.name);
    text += kOps[static_cast<std::size_t>(matcher.op)];
    append_quoted(text, matcher.value);
  }
  std::ranges::sort(matchers);
  for (std::size_t i = 0; i < matchers.size(); ++i) out += (i == 0 ? "{" : ",") + matchers[i];
  if (!matchers.empty()) out += '}';
  if (selector.range) out += '[' + core::format_duration(*selector.range) + ']';
  append_modifiers(out, selector.at, selector.offset);
}

void print(std::string& out, const Subquery& subquery) {
  print(out, *subquery.inner);
  append_tail(out, subquery);
}

void print(std::string& out, const Binary& binary) {
  print(out, *binary.left);
  out += ' ';
  append_operator(out, binary);
  out += ' ';
  print(out, *binary.right);
}

void print(std::string& out, const Aggregate& aggregate) {
  append_head(out, aggregate);
  out += '(';
  if (aggregate.parameter) {
    print(out, *aggregate.parameter);
    out += ", ";
  }
  print(out, *aggregate.operand);
  out += ')';
}

void print(std::string& out, const Call& call) {
  out += call.function->name;
  out += '(';
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (i > 0) out += ", ";
    print(out, *call.arguments[i]);
  }
  out += ')';
}

void print(std::string& out, const NumberLiteral& literal) { out += number(literal.value); }
void print(std::string& out, const TextLiteral& literal) { append_quoted(out, literal.text); }

void print(std::string& out, const Unary& unary) {
  out += unary.negated ? '-' : '+';
  print(out, *unary.operand);
}

void print(std::string& out, const Paren& paren) {
  out += '(';
  print(out, *paren.inner);
  out += ')';
}

void print(std::string& out, const Node& node) {
  std::visit([&](const auto& kind) { print(out, kind); }, node.kind);
}

/// Writes a node over several lines where one would be too long. Each node indents itself.
class Pretty {
 public:
  void write(const Node& node, std::size_t level) {
    const std::string line = to_string(node);
    const bool fits = line.size() <= kLongestLine;
    if (std::holds_alternative<Unary>(node.kind) || !fits) {
      std::visit([&](const auto& kind) { split(kind, line, level); }, node.kind);
    } else {
      // Prometheus does not indent a subquery that fits.
      if (!std::holds_alternative<Subquery>(node.kind)) indent(level);
      out_ += line;
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void indent(std::size_t level) { out_.append(2 * level, ' '); }

  void close(std::size_t level) {
    out_ += '\n';
    indent(level);
    out_ += ')';
  }

  // Selectors and literals stay on one line, however long.
  void split(const auto& /*kind*/, const std::string& line, std::size_t level) {
    indent(level);
    out_ += line;
  }

  void split(const Aggregate& aggregate, const std::string& /*line*/, std::size_t level) {
    indent(level);
    append_head(out_, aggregate);
    out_ += "(\n";
    if (aggregate.parameter) {
      write(*aggregate.parameter, level + 1);
      out_ += ",\n";
    }
    write(*aggregate.operand, level + 1);
    close(level);
  }

  void split(const Binary& binary, const std::string& /*line*/, std::size_t level) {
    write(*binary.left, level + 1);
    out_ += '\n';
    indent(level);
    append_operator(out_, binary);
    out_ += '\n';
    write(*binary.right, level + 1);
  }

  void split(const Call& call, const std::string& /*line*/, std::size_t level) {
    indent(level);
    out_ += call.function->name;
    out_ += "(\n";
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      if (i > 0) out_ += ",\n";
      write(*call.arguments[i], level + 1);
    }
    close(level);
  }

  void split(const Paren& paren, const std::string& /*line*/, std::size_t level) {
    indent(level);
    out_ += "(\n";
    write(*paren.inner, level + 1);
    close(level);
  }

  void split(const Subquery& subquery, const std::string& /*line*/, std::size_t level) {
    write(*subquery.inner, level);
    append_tail(out_, subquery);
  }

  void split(const Unary& unary, const std::string& /*line*/, std::size_t level) {
    indent(level);
    out_ += unary.negated ? '-' : '+';
    const std::size_t begin = out_.size();
    write(*unary.operand, level);
    // The operand follows its sign at once.
    out_.erase(begin, out_.find_first_not_of(' ', begin) - begin);
  }

  std::string out_;
};

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
  std::string out;
  print(out, node);
  return out;
}

std::string to_string(const Expr& expr) { return to_string(expr.root()); }

std::string pretty(const Expr& expr) {
  Pretty pretty;
  pretty.write(expr.root(), 0);
  return pretty.take();
}

}  // namespace weir::promql
