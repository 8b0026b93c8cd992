#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace re2 {
class RE2;
}

namespace weir::kafka {

/// Regular expressions (RE2) any of which may match anywhere in a name: anchor with ^ and $ to mean
/// the whole. Immutable; copies share the compiled expressions.
class Patterns {
 public:
  Patterns() = default;
  /// Errors: the first expression that RE2 refuses (invalid).
  static core::Result<Patterns> compile(const std::vector<std::string>& expressions);
  core::Result<void> add(const std::string& expression);
  bool empty() const { return patterns_.empty(); }
  bool match(std::string_view name) const;

 private:
  std::vector<std::shared_ptr<const re2::RE2>> patterns_;
};

/// Which names are looked at: those in `names` when it is given, else those that some `allow` matches
/// (all, when it is empty) and no `deny` does.
struct NameFilter {
  Patterns allow;
  Patterns deny;
  std::vector<std::string> names;  // sorted

  bool admits(std::string_view name) const;
};

}  // namespace weir::kafka
