#include "rules/matching.h"

#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>

namespace weir::rules {

struct MatcherSet::Compiled {
  core::Matcher matcher;
  std::unique_ptr<const re2::RE2> pattern;

  bool holds(const core::Labels& labels) const {
    const std::string_view value = labels.get(matcher.name);
    switch (matcher.op) {
      case core::MatchOp::equal: return value == matcher.value;
      case core::MatchOp::not_equal: return value != matcher.value;
      case core::MatchOp::regex: return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *pattern);
      case core::MatchOp::not_regex:
        return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *pattern);
    }
    return false;
  }
};

core::Result<MatcherSet> MatcherSet::compile(const std::vector<core::Matcher>& matchers) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  auto compiled = std::make_shared<std::vector<Compiled>>();
  for (const core::Matcher& matcher : matchers) {
    Compiled one{matcher, nullptr};
    if (matcher.op == core::MatchOp::regex || matcher.op == core::MatchOp::not_regex) {
      one.pattern = std::make_unique<const re2::RE2>(matcher.value, options);
      if (!one.pattern->ok()) {
        return core::fail(core::ErrorKind::invalid,
                          fmt::format("\"{}\" is no regular expression: {}", matcher.value, one.pattern->error()));
      }
    }
    compiled->push_back(std::move(one));
  }
  MatcherSet set;
  set.matchers_ = std::move(compiled);
  return set;
}

bool MatcherSet::holds(const core::Labels& labels) const {
  return std::ranges::all_of(*matchers_, [&](const Compiled& matcher) { return matcher.holds(labels); });
}

}  // namespace weir::rules
