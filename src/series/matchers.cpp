#include "series/matchers.h"

#include <algorithm>
#include <optional>
#include <re2/re2.h>
#include <utility>

namespace weir::series {
namespace {

/// The words of a pattern that is nothing but words with `|` between them, in a pair of parentheses or not.
std::optional<std::vector<std::string>> words_of(std::string_view pattern) {
  for (const std::string_view open : {"(?:", "("}) {
    if (pattern.starts_with(open) && pattern.ends_with(')') && !pattern.ends_with("\\)")) {
      pattern.remove_prefix(open.size());
      pattern.remove_suffix(1);
      break;
    }
  }
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '|') {
      words.emplace_back();
      continue;
    }
    if (c == '\\' && i + 1 < pattern.size()) {
      c = pattern[++i];
      if (std::string_view(R"(.-+*?()[]{}^$|\/_)").find(c) == std::string_view::npos) return std::nullopt;
    } else if (std::string_view(R"(.+*?()[]{}^$\)").find(c) != std::string_view::npos) {
      return std::nullopt;
    }
    // Text beyond ASCII is RE2's, which refuses what is not UTF-8.
    if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    words.back() += c;
  }
  std::ranges::sort(words);
  words.erase(std::ranges::unique(words).begin(), words.end());
  return words;
}

core::Result<std::shared_ptr<const RE2>> compile_regex(const std::string& pattern) {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(true);  // as Prometheus 3 does
  auto regex = std::make_shared<const RE2>(pattern, options);
  if (regex->ok()) return regex;
  return core::fail(core::ErrorKind::invalid, "\"" + pattern + "\" is not a regular expression: " + regex->error());
}

}  // namespace

core::Result<Matcher> Matcher::compile(const core::Matcher& given) {
  Matcher matcher;
  matcher.name_ = given.name;
  matcher.negated_ = given.op == core::MatchOp::not_equal || given.op == core::MatchOp::not_regex;
  if (given.op == core::MatchOp::equal || given.op == core::MatchOp::not_equal) {
    matcher.words_ = {given.value};
  } else if (given.value == ".*") {
    matcher.kind_ = Kind::anything;
  } else if (given.value == ".+") {
    matcher.kind_ = Kind::something;
  } else if (auto words = words_of(given.value)) {
    matcher.words_ = std::move(*words);
  } else if (auto prefix =
                 given.value.ends_with(".*") ? words_of(given.value.substr(0, given.value.size() - 2)) : std::nullopt;
             prefix && prefix->size() == 1 && !given.value.starts_with('(')) {
    matcher.kind_ = Kind::prefix;
    matcher.words_ = std::move(*prefix);
  } else {
    auto regex = compile_regex(given.value);
    if (!regex) return std::unexpected(regex.error());
    matcher.kind_ = Kind::regex;
    matcher.regex_ = std::move(*regex);
  }
  matcher.demands_value_ = !matcher.accepts("");
  return matcher;
}

bool Matcher::matches(std::string_view value) const {
  switch (kind_) {
    case Kind::words: return std::ranges::binary_search(words_, value, std::less<>());
    case Kind::anything: return true;
    case Kind::something: return !value.empty();
    case Kind::prefix: return value.starts_with(words_.front());
    case Kind::regex: return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  return false;
}

core::Result<std::vector<Matcher>> compile(std::span<const core::Matcher> matchers) {
  std::vector<Matcher> compiled;
  compiled.reserve(matchers.size());
  for (const core::Matcher& matcher : matchers) {
    auto made = Matcher::compile(matcher);
    if (!made) return std::unexpected(made.error());
    compiled.push_back(std::move(*made));
  }
  return compiled;
}

}  // namespace weir::series
