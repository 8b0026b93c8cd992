#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/lineage.h"

#include "lineage/pipeline.h"

namespace weir::lineage {

/// Something in the graph that a person should look at.
struct Finding {
  std::string kind;      // "cycle", "duplicate", "unknown_node"
  std::string pipeline;  // that it was found in, "" for none
  std::string text;      // one sentence
  std::vector<core::Node> nodes;
};

struct ViewNode {
  core::Node node;
  bool known = false;                  // some collector sees it
  std::vector<std::size_t> in;         // indexes of edges
  std::vector<std::size_t> out;        // likewise
  std::vector<std::size_t> pipelines;  // that it is in, or lies on a way within: indexes
};

struct ViewEdge {
  std::size_t from = 0;
  std::size_t to = 0;
  std::vector<std::string> seen_by;  // ascending, each once
  std::vector<core::ColumnLink> columns;
};

/// The graph at one moment; immutable, so that any thread may read it.
class View {
 public:
  std::vector<ViewNode> nodes;  // ascending by node
  std::vector<ViewEdge> edges;  // ascending by from, to
  std::vector<Pipeline> pipelines;
  std::vector<Finding> findings;
  std::size_t refused_nodes = 0;  // past the limits
  std::size_t refused_edges = 0;

  /// The index of a node. A table is found by any of its names that leaves no doubt: "orders" for "public.orders", in
  /// any case.
  std::optional<std::size_t> find(const core::Node& node) const;

 private:
  friend class ViewBuilder;
  std::map<core::Node, std::size_t> index_;                // other names of tables too
  std::map<core::Node, std::vector<std::size_t>> tables_;  // by the last part of the name, in lower case
};

/// Collectors by name, and whether the last cycle of each saw everything.
using Watch = std::map<std::string, bool, std::less<>>;

/// Whether the collectors that may tell of the node (of a topic or group its cluster's, of a subject its registry's, of
/// a table its source's and those that tell of ways) all saw everything, so that it would be known if it existed.
bool looked_for(const core::Node& node, const Watch& complete);

/// Merges the edges of all sources with those that are declared. Used by one thread.
class Graph {
 public:
  explicit Graph(std::vector<Pipeline> pipelines = {}, GraphLimits limits = {});

  /// Replaces what a source told. What it no longer tells stays while its batch has a fault (other than that something
  /// has no value), until it expires.
  void take(std::string_view source, const core::Batch& batch, core::Time now);
  /// Replaces what is known to exist: what has series.
  void know(std::set<core::Node> nodes);
  /// Replaces which collectors there are, and whether they saw everything: what none of those sees that would does not
  /// exist.
  void watch(Watch complete);
  /// The graph as of now; the same object as before while nothing has changed.
  std::shared_ptr<const View> view(core::Time now);

 private:
  struct Seen {
    std::vector<core::ColumnLink> columns;
    core::Time last;
  };
  using Way = std::pair<core::Node, core::Node>;
  struct Told {
    std::map<std::pair<Way, std::string>, Seen> edges;  // by way and who saw it
    std::vector<core::Edge> newest;                     // as the source told them, where `edges` is just these
  };

  bool told_again(std::string_view source, const core::Batch& batch, core::Time now);

  void expire(core::Time now);
  std::size_t size() const;

  const std::vector<Pipeline> pipelines_;
  const GraphLimits limits_;
  std::map<std::string, Told, std::less<>> told_;
  std::map<std::string, std::size_t, std::less<>> refused_;  // edges, of each source's newest batch
  std::set<core::Node> known_;
  Watch watch_;
  std::shared_ptr<const View> view_;  // null: to be made anew
};

}  // namespace weir::lineage
