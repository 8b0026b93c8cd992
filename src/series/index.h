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

#include "core/labels.h"
#include "series/matchers.h"

namespace weir::series {

using SeriesId = std::uint32_t;

/// Which series have which label values: label name → value → ascending ids.
class LabelIndex {
 public:
  using Ids = std::vector<SeriesId>;
  using LabelsOf = std::function<const core::Labels&(SeriesId)>;

  void add(SeriesId id, const core::Labels& labels);
  /// Forgets ids for which `gone` is true.
  void remove_if(const std::function<bool(SeriesId)>& gone);

  /// The series that satisfy every matcher, ascending. Lists are intersected from the shortest on; a matcher that
  /// must be tried is tried on the label's values, or on the series left, whichever are fewer. `labels_of` is asked
  /// for the latter only.
  Ids find(std::span<const Matcher> matchers, const LabelsOf& labels_of) const;

  std::vector<std::string> label_names() const;
  std::vector<std::string> label_values(std::string_view name) const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Label {
    std::unordered_map<std::string, Ids, TextHash, std::equal_to<>> values;
    std::size_t series = 0;  // that have the label
  };
  struct Lists {
    std::vector<const Ids*> of;
    std::size_t total = 0;
    void add(const Ids& ids) {
      of.push_back(&ids);
      total += ids.size();
    }
  };

  const Label* label(std::string_view name) const;
  Lists lists_of_words(const Matcher& matcher) const;
  Lists lists_of_values(const Label& label, const Matcher& matcher) const;
  void keep(std::optional<Ids>& ids, const Lists& lists) const;
  void drop(std::optional<Ids>& ids, const Lists& lists) const;
  void narrow(std::optional<Ids>& ids, const Matcher& matcher, const LabelsOf& labels_of) const;
  std::vector<std::uint64_t> marks(const Lists& lists) const;

  Ids all_;
  std::map<std::string, Label, std::less<>> names_;
};

}  // namespace weir::series
