#include "kafka/filter.h"

#include <algorithm>
#include <re2/re2.h>
#include <utility>

namespace weir::kafka {

core::Result<Patterns> Patterns::compile(const std::vector<std::string>& expressions) {
  Patterns patterns;
  for (const std::string& expression : expressions) {
    if (auto added = patterns.add(expression); !added) return std::unexpected(std::move(added.error()));
  }
  return patterns;
}

core::Result<void> Patterns::add(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  auto pattern = std::make_shared<const re2::RE2>(expression, options);
  if (!pattern->ok()) {
    return core::fail(core::ErrorKind::invalid, "\"" + expression + "\" is no regular expression: " + pattern->error());
  }
  patterns_.push_back(std::move(pattern));
  return {};
}

bool Patterns::match(std::string_view name) const {
  return std::ranges::any_of(patterns_, [&](const auto& pattern) {
    return re2::RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), *pattern);
  });
}

bool NameFilter::admits(std::string_view name) const {
  if (!names.empty()) return std::ranges::binary_search(names, name);
  return (allow.empty() || allow.match(name)) && !deny.match(name);
}

}  // namespace weir::kafka
