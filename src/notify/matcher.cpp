#include "notify/matcher.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <re2/re2.h>
#include <utility>

namespace weir::notify {
namespace {

constexpr std::array<std::pair<std::string_view, core::MatchOp>, 4> kOperators{{{"=~", core::MatchOp::regex},
                                                                                {"!~", core::MatchOp::not_regex},
                                                                                {"!=", core::MatchOp::not_equal},
                                                                                {"=", core::MatchOp::equal}}};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kSpace) - start + 1);
}

bool is_matched_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::unexpected<core::Error> bad(std::string_view token, std::string_view why) {
  return core::fail(core::ErrorKind::invalid, fmt::format("matcher {} {}", token, why));
}

/// The value after the operator: quoted or bare, with \" \\ and \n; other backslashes stand for themselves.
core::Result<std::string> parse_value(std::string_view raw, std::string_view token) {
  const bool quoted = raw.starts_with('"');
  if (quoted && (raw.size() < 2 || !raw.ends_with('"'))) return bad(token, "has no closing quote");
  if (quoted) raw = raw.substr(1, raw.size() - 2);
  std::string value;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '"') return bad(token, "has a double quote inside its value; write it as \\\"");
    if (raw[i] != '\\') {
      value += raw[i];
      continue;
    }
    const char next = i + 1 < raw.size() ? raw[i + 1] : '\0';
    if (next == 'n' || next == '"' || next == '\\') {
      value += next == 'n' ? '\n' : next;
      ++i;
    } else if (quoted && next == '\0') {
      return bad(token, "has no closing quote");
    } else {
      value += '\\';
    }
  }
  return value;
}

core::Result<LabelMatcher> parse_one(std::string_view token) {
  const std::size_t at = token.find_first_of("=!");
  if (at == std::string_view::npos) return bad(token, "has no operator; expected name=\"value\"");
  const auto* found =
      std::ranges::find_if(kOperators, [&](const auto& entry) { return token.substr(at).starts_with(entry.first); });
  if (found == kOperators.end()) return bad(token, "has no operator; expected =, !=, =~ or !~");
  const std::string_view name = trim(token.substr(0, at));
  if (!is_matched_name(name)) return bad(token, "does not begin with a label name");
  auto value = parse_value(trim(token.substr(at + found->first.size())), token);
  if (!value) return std::unexpected(value.error());
  return LabelMatcher::make({.name = std::string(name), .op = found->second, .value = std::move(*value)});
}

/// Splits at the commas outside of quotes.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> tokens;
  std::size_t start = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      tokens.push_back(trim(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  // One comma may end the list.
  const std::string_view last = trim(text.substr(std::min(start, text.size())));
  if (!last.empty() || tokens.empty()) tokens.push_back(last);
  return tokens;
}

}  // namespace

struct LabelMatcher::Regex {
  explicit Regex(const std::string& pattern) : re2(pattern, RE2::Quiet) {}
  RE2 re2;
};

LabelMatcher::LabelMatcher(core::Matcher spec, std::shared_ptr<const Regex> regex)
    : spec_(std::move(spec)), regex_(std::move(regex)) {}

core::Result<LabelMatcher> LabelMatcher::make(core::Matcher spec) {
  std::shared_ptr<const Regex> regex;
  if (spec.op == core::MatchOp::regex || spec.op == core::MatchOp::not_regex) {
    regex = std::make_shared<const Regex>(spec.value);
    if (!regex->re2.ok()) {
      return core::fail(core::ErrorKind::invalid,
                        fmt::format("regex \"{}\" is not valid: {}", spec.value, regex->re2.error()));
    }
  }
  return LabelMatcher(std::move(spec), std::move(regex));
}

bool LabelMatcher::matches(const core::Labels& labels) const {
  const std::string_view value = labels.get(spec_.name);
  const auto fits = [&] { return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), regex_->re2); };
  switch (spec_.op) {
    case core::MatchOp::equal: return value == spec_.value;
    case core::MatchOp::not_equal: return value != spec_.value;
    case core::MatchOp::regex: return fits();
    case core::MatchOp::not_regex: return !fits();
  }
  return false;
}

std::string LabelMatcher::to_string() const {
  std::string out = spec_.name;
  for (const auto& [text, op] : kOperators) {
    if (op == spec_.op) out += text;
  }
  out += '"';
  core::append_escaped(out, spec_.value);
  return out += '"';
}

core::Result<std::vector<LabelMatcher>> parse_matchers(std::string_view text) {
  text = trim(text);
  if (text.starts_with('{')) text.remove_prefix(1);
  if (text.ends_with('}')) text.remove_suffix(1);
  std::vector<LabelMatcher> matchers;
  if (trim(text).empty()) return matchers;
  for (const std::string_view token : split(text)) {
    auto matcher = parse_one(token);
    if (!matcher) return std::unexpected(matcher.error());
    matchers.push_back(std::move(*matcher));
  }
  return matchers;
}

std::string to_string(const std::vector<LabelMatcher>& matchers) {
  std::string out = "{";
  for (const LabelMatcher& matcher : matchers) out += (out.size() > 1 ? "," : "") + matcher.to_string();
  return out += "}";
}

bool all_match(const std::vector<LabelMatcher>& matchers, const core::Labels& labels) {
  return std::ranges::all_of(matchers, [&](const LabelMatcher& matcher) { return matcher.matches(labels); });
}

}  // namespace weir::notify
