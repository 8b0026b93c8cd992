#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "quality/dbt_artifacts.h"

// Any bytes as dbt's manifest.json and run_results.json: what is read has names, and as many nodes as are allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  weir::quality::ImportSettings settings{
      .source = "dbt", .manifest = text, .warehouse = "w", .tables = {"orders", "a.b"}};
  settings.limits = {.bytes = 1U << 16U, .depth = 20, .results = 50};
  if (const auto edges = weir::quality::dbt_edges(settings)) {
    for (const weir::core::Edge& edge : *edges) {
      if (edge.from == edge.to || edge.from.kind.empty() || edge.to.kind.empty()) std::abort();
    }
  }
  if (const auto runs = weir::quality::dbt_runs(text, settings)) {
    if (runs->nodes.size() > settings.limits.results) std::abort();
    for (const weir::quality::DbtNodeRun& run : runs->nodes) {
      if (run.id.empty()) std::abort();
    }
  }
  return 0;
}
