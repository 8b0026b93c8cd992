#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/batch.h"

#include "lineage/pipeline.h"

namespace weir::lineage {

inline const core::Time kNow{std::chrono::seconds(1'700'000'000)};

inline core::Node node(const std::string& text) { return parse_node(text)->node; }

inline core::Edge edge(const std::string& from, const std::string& to, std::string seen_by = "kafka",
                       std::vector<core::ColumnLink> columns = {}) {
  return {node(from), node(to), std::move(seen_by), std::move(columns)};
}

inline core::Batch batch(std::vector<core::Edge> edges) {
  core::Batch batch;
  batch.edges = std::move(edges);
  return batch;
}

inline std::vector<Pipeline> pipelines(const std::string& yaml) {
  config::Diagnostics diagnostics;
  return parse_pipelines(config::parse_yaml(yaml, "weir.yml", diagnostics), diagnostics);
}

}  // namespace weir::lineage
