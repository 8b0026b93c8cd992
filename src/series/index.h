#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/series_source.h"

namespace weir::series {

using SeriesId = std::uint32_t;

/// Which series have which label values: label name → value → ascending ids.
class LabelIndex {
 public:
  void add(SeriesId id, const core::Labels& labels);
  /// Forgets ids for which `gone` is true.
  void remove_if(const std::function<bool(SeriesId)>& gone);

  /// Ids that may match: those that satisfy every matcher that demands a value. Without such a matcher,
  /// nullopt: all series are candidates.
  std::optional<std::vector<SeriesId>> candidates(std::span<const core::Matcher> matchers) const;

  std::vector<std::string> label_names() const;
  std::vector<std::string> label_values(std::string_view name) const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Values = std::unordered_map<std::string, std::vector<SeriesId>, TextHash, std::equal_to<>>;
  std::map<std::string, Values, std::less<>> names_;
};

/// Matchers with their regexes compiled.
class CompiledMatchers {
 public:
  /// Errors: a regex that RE2 refuses (invalid).
  static core::Result<CompiledMatchers> compile(std::span<const core::Matcher> matchers);
  bool match(const core::Labels& labels) const;

 private:
  std::vector<std::function<bool(const core::Labels&)>> tests_;
};

}  // namespace weir::series
