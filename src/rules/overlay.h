#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "core/batch.h"
#include "core/series_source.h"

namespace weir::rules {

/// A source with samples laid over it that are not in it yet: rules of a group see what earlier rules of the same
/// evaluation recorded. For one evaluation, on one thread; the base must outlive it.
class Overlay : public core::SeriesSource {
 public:
  explicit Overlay(const core::SeriesSource& base) : base_(base) {}
  void add(const core::Sample& sample);
  core::Result<std::vector<core::SeriesView>> select(const core::Selection& selection) const override;
  core::Result<void> visit(const core::Selection& selection, const Visitor& visitor) const override;

 private:
  const core::SeriesSource& base_;
  std::unordered_map<core::Labels, core::Point> added_;
};

}  // namespace weir::rules
