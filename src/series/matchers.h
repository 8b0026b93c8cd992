#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/series_source.h"

namespace re2 {
class RE2;
}

namespace weir::series {

/// One label matcher, made ready to test many values. A regex that lists words (`a|b|c`), asks for anything (`.*`,
/// `.+`) or for a prefix (`a.*`) is not run as a regex.
class Matcher {
 public:
  /// Errors: a regex that RE2 refuses (invalid).
  static core::Result<Matcher> compile(const core::Matcher& matcher);

  const std::string& name() const { return name_; }
  /// Whether a label with this value matches; "" is an absent label.
  bool accepts(std::string_view value) const { return matches(value) != negated_; }
  /// Whether it matches no series without the label.
  bool demands_value() const { return demands_value_; }
  /// Whether every value matches, the absent one too.
  bool accepts_all() const { return kind_ == Kind::anything && !negated_; }
  /// Whether the words are the only values that match, or (where excludes()) that do not.
  bool lists_words() const { return kind_ == Kind::words; }
  bool excludes() const { return negated_; }
  const std::vector<std::string>& words() const { return words_; }

 private:
  enum class Kind { words, anything, something, prefix, regex };
  bool matches(std::string_view value) const;

  std::string name_;
  Kind kind_ = Kind::words;
  bool negated_ = false;
  bool demands_value_ = false;
  std::vector<std::string> words_;  // sorted; of a prefix the only one
  std::shared_ptr<const re2::RE2> regex_;
};

core::Result<std::vector<Matcher>> compile(std::span<const core::Matcher> matchers);

}  // namespace weir::series
