#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/relabel.h"

namespace weir::collectors {

/// One metric of a preset: what its name may be on the page (RE2, the whole name, upper or lower case) and what it is
/// called here (with $1 of the expression).
struct PresetMetric {
  std::string_view exposed;
  std::string_view name;
};

/// Metrics of one kind of program as its usual exporters name them, brought to one name each, so that rules and
/// dashboards need not know the exporter. What a preset does not list is not kept.
struct ScrapePreset {
  std::string_view name;
  std::string_view of;  // for people
  std::span<const PresetMetric> metrics;
};

std::span<const ScrapePreset> scrape_presets();

/// Keeps what any of the presets of these names lists, and renames it; no rules without presets.
std::vector<RelabelRule> preset_rules(const std::vector<std::string>& names);

}  // namespace weir::collectors
