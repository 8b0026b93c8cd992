#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"

#include "lineage/graph.h"

namespace weir::lineage {

enum class Direction { upstream, downstream };

struct Reached {
  std::size_t node = 0;   // index
  std::size_t depth = 0;  // edges from the start
};

/// What lies up- or downstream of a node, the nearest first, the node itself not among it; at most `limit`.
std::vector<Reached> reach(const View& view, std::size_t start, Direction direction, std::size_t depth,
                           std::size_t limit = 1'000);

/// The nearest node upstream of which `anomalous` holds.
std::optional<Reached> nearest_upstream(const View& view, std::size_t start,
                                        const std::function<bool(const ViewNode&)>& anomalous);

/// What else suffers when a node does; looked for among the nearest 1000.
struct Impact {
  std::vector<core::Node> downstream;  // the nearest first, 50 at most
  std::size_t more = 0;                // that are not listed
  std::vector<std::size_t> pipelines;  // it and what is downstream of it are in: indexes, the most critical first
};

Impact impact(const View& view, std::size_t node);

/// Texts that tell of it in an alert's annotations: pipeline, pipeline_owner, pipeline_criticality, downstream. Empty
/// for what is not in the graph.
core::Labels impact_annotations(const View& view, const core::Node& node);

/// How a node is, told by alerts and checks.
struct Health {
  int rank = -1;                    // of the worst alert that fires: 2 critical, 1 warning, 0 info; -1 none
  bool pending = false;             // an alert is
  std::vector<std::string> alerts;  // names of those that fire, each once
  std::optional<int> check;         // the worst outcome: 0 pass, 1 warn, 2 fail, 3 could not be evaluated

  /// "critical", "warning", "info", "ok", or "unknown" where nothing tells.
  std::string_view status(bool known) const;
};

struct Firing {
  core::Node node;
  std::string alert;
  int rank = 0;
  bool pending = false;
};
struct CheckOutcome {
  core::Node node;
  int outcome = 0;
};

/// By index of the view's nodes.
std::vector<Health> health(const View& view, const std::vector<Firing>& alerts,
                           const std::vector<CheckOutcome>& checks);

/// The largest sum of a number of each node along any way within a pipeline. Ways that come back to where they were are
/// followed once. Nothing where no node has a number.
std::optional<double> slowest_way(const View& view, std::size_t pipeline,
                                  const std::function<std::optional<double>(const core::Node&)>& seconds);

}  // namespace weir::lineage
