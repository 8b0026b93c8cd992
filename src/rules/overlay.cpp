#include "rules/overlay.h"

#include <algorithm>
#include <memory>
#include <re2/re2.h>

namespace weir::rules {
namespace {

/// A matcher with its pattern compiled.
struct Compiled {
  const core::Matcher* matcher;
  std::shared_ptr<const re2::RE2> pattern;

  bool holds(const core::Labels& labels) const {
    const std::string_view value = labels.get(matcher->name);
    switch (matcher->op) {
      case core::MatchOp::equal: return value == matcher->value;
      case core::MatchOp::not_equal: return value != matcher->value;
      case core::MatchOp::regex: return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *pattern);
      case core::MatchOp::not_regex:
        return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *pattern);
    }
    return false;
  }
};

std::vector<Compiled> compile(const std::vector<core::Matcher>& matchers) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  std::vector<Compiled> compiled;
  for (const core::Matcher& matcher : matchers) {
    const bool regex = matcher.op == core::MatchOp::regex || matcher.op == core::MatchOp::not_regex;
    compiled.push_back({&matcher, regex ? std::make_shared<const re2::RE2>(matcher.value, options) : nullptr});
  }
  return compiled;
}

}  // namespace

void Overlay::add(const core::Sample& sample) { added_[sample.labels] = {sample.time, sample.value}; }

core::Result<std::vector<core::SeriesView>> Overlay::select(const core::Selection& selection) const {
  auto views = base_.select(selection);  // an invalid pattern fails here
  if (!views || added_.empty()) return views;
  const std::vector<Compiled> matchers = compile(selection.matchers);
  std::unordered_map<core::Labels, std::size_t> known;
  for (std::size_t i = 0; i < views->size(); ++i) known.emplace((*views)[i].labels, i);
  for (const auto& [labels, point] : added_) {
    if (point.time < selection.from || point.time > selection.to) continue;
    if (!std::ranges::all_of(matchers, [&](const Compiled& matcher) { return matcher.holds(labels); })) continue;
    const auto found = known.find(labels);
    if (found == known.end()) {
      views->push_back({labels, {point}});
      continue;
    }
    std::vector<core::Point>& points = (*views)[found->second].points;
    std::erase_if(points, [&](const core::Point& old) { return old.time >= point.time; });
    if (selection.newest_only) points.clear();
    points.push_back(point);
  }
  return views;
}

}  // namespace weir::rules
