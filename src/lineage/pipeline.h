#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/error.h"
#include "core/lineage.h"
#include "core/time.h"

namespace weir::lineage {

/// A node as a person writes it, "topic:prod/orders": kind, place, name, with * ? [ ] in place and name.
struct NodePattern {
  core::Node node;
  bool glob = false;
  std::string text;  // as written

  bool matches(const core::Node& other) const;
};

/// Reads "kind:place/name", or "kind:name" of what is in no place. The place ends at the first slash, of a URL
/// ("job:airflow://prod/load") at the first behind its host. Kinds: topic, group, table, connector, subject, job,
/// model, dataset, and any other word of letters. Errors: invalid.
core::Result<NodePattern> parse_node(std::string_view text);
/// The shortest form of a node: "group:prod/billing".
std::string to_text(const core::Node& node);
/// "consumer group billing in prod"
std::string describe(const core::Node& node);

/// What was promised of a pipeline.
struct Sla {
  std::optional<core::Duration> freshness;  // of the stalest of its tables
  std::optional<core::Duration> latency;    // time lag of its consumer groups, summed along the slowest way
};

/// One entry of `pipelines:`.
struct Pipeline {
  std::string name;
  std::string owner;
  std::string criticality;  // "critical", "high", "medium", "low"; "" where not said
  std::string description;
  Sla sla;
  std::vector<NodePattern> nodes;  // each once, those of `edges` too
  std::vector<std::pair<NodePattern, NodePattern>> edges;
  std::vector<std::pair<NodePattern, NodePattern>> repeated;  // that were written more than once
};

/// 3 critical … 0 low; without a word 1.
int criticality_rank(std::string_view criticality);

/// Reads the list under `pipelines:`:
///
///     - name: orders
///       owner: shop-team
///       criticality: critical | high | medium | low
///       description: …
///       sla: {freshness: 1h, latency: 5m}
///       flow: [topic:prod/orders, [group:prod/billing, group:prod/fraud], table:warehouse/orders]
///       edges: [{from: topic:prod/orders, to: topic:prod/orders.dlt}]
///       nodes: ["topic:prod/audit.*"]
///
/// A list within `flow` stands side by side: each of it follows each of what comes before.
std::vector<Pipeline> parse_pipelines(const config::Node& section, config::Diagnostics& diagnostics);

struct GraphLimits {
  std::size_t nodes = 20'000;
  std::size_t edges = 100'000;
  core::Duration expire = std::chrono::days(7);  // an edge that no source has told of for so long goes
};

/// Reads `lineage: {max_nodes: 20000, max_edges: 100000, expire: 7d}`.
GraphLimits parse_lineage_section(const config::Node& section, config::Diagnostics& diagnostics);

}  // namespace weir::lineage
