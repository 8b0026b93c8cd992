#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/series_source.h"

namespace weir::notify {

/// A label matcher as Alertmanager has it. Regexes are RE2 and fully anchored; an absent label matches as "".
class LabelMatcher {
 public:
  /// Errors (invalid): a regex that RE2 does not take.
  static core::Result<LabelMatcher> make(core::Matcher spec);
  bool matches(const core::Labels& labels) const;
  /// `severity="critical"`
  std::string to_string() const;
  const core::Matcher& spec() const { return spec_; }

 private:
  struct Regex;
  explicit LabelMatcher(core::Matcher spec, std::shared_ptr<const Regex> regex);
  core::Matcher spec_;
  std::shared_ptr<const Regex> regex_;
};

/// Alertmanager's syntax: `severity="critical"`, `{team=data, topic=~"orders.*"}`; quotes are optional, commas
/// separate. Errors (invalid): a matcher without operator, a bad label name, a stray quote, a bad regex.
core::Result<std::vector<LabelMatcher>> parse_matchers(std::string_view text);

/// `{a="b",c=~"d"}`, as in a group key.
std::string to_string(const std::vector<LabelMatcher>& matchers);
bool all_match(const std::vector<LabelMatcher>& matchers, const core::Labels& labels);

}  // namespace weir::notify
