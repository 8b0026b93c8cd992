#include "rules/overlay.h"

#include <algorithm>

#include "rules/matching.h"

namespace weir::rules {

void Overlay::add(const core::Sample& sample) {
  const auto [known, fresh] = added_.try_emplace(sample.labels, core::Point{sample.time, sample.value});
  // One rule's end of a series does not take away what another rule has just said of it.
  if (!fresh && !core::is_stale_marker(sample.value)) known->second = {sample.time, sample.value};
}

core::Result<std::vector<core::SeriesView>> Overlay::select(const core::Selection& selection) const {
  auto views = base_.select(selection);  // an invalid pattern fails here
  if (!views || added_.empty()) return views;
  const auto matchers = MatcherSet::compile(selection.matchers);
  if (!matchers) return std::unexpected(matchers.error());
  std::unordered_map<core::Labels, std::size_t> known;
  for (std::size_t i = 0; i < views->size(); ++i) known.emplace((*views)[i].labels, i);
  for (const auto& [labels, point] : added_) {
    if (point.time < selection.from || point.time > selection.to) continue;
    if (!matchers->holds(labels)) continue;
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

core::Result<void> Overlay::visit(const core::Selection& selection, const Visitor& visitor) const {
  return added_.empty() ? base_.visit(selection, visitor) : SeriesSource::visit(selection, visitor);
}

}  // namespace weir::rules
