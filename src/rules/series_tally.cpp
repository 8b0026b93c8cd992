#include "rules/series_tally.h"

#include <algorithm>

namespace weir::rules {
namespace {

core::Labels project(const core::Labels& labels, const std::vector<std::string>& names) {
  std::vector<core::Labels::Pair> pairs;
  pairs.reserve(names.size());
  for (const std::string& name : names) pairs.emplace_back(name, labels.get(name));
  return core::Labels(std::span<const core::Labels::Pair>(pairs));
}

}  // namespace

SeriesTally::SeriesTally(const std::vector<FoundSeries>& series, const std::vector<std::string>& names) {
  for (const FoundSeries& found : series) {
    std::vector<std::string> present;
    std::ranges::copy_if(names, std::back_inserter(present), [&](const auto& name) { return found.labels.has(name); });
    Counts& counts = tables_[present][project(found.labels, present)];
    counts.fresh += found.condition == SeriesCondition::fresh ? 1 : 0;
    counts.lapsed += found.condition == SeriesCondition::lapsed ? 1 : 0;
    counts.deleted += found.condition == SeriesCondition::deleted ? 1 : 0;
  }
}

SeriesTally::Counts SeriesTally::matching(const core::Labels& alert_labels) const {
  Counts sum;
  for (const auto& [names, table] : tables_) {
    const auto found = table.find(project(alert_labels, names));
    if (found == table.end()) continue;
    sum.fresh += found->second.fresh;
    sum.lapsed += found->second.lapsed;
    sum.deleted += found->second.deleted;
  }
  return sum;
}

}  // namespace weir::rules
