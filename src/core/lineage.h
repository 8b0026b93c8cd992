#pragma once

#include <compare>
#include <string>
#include <vector>

namespace weir::core {

/// What data lies in or passes through.
struct Node {
  std::string kind;   // "topic", "consumer group", "table", "connector", "job" …, as incidents name subjects
  std::string place;  // the cluster, source or service it is in, "" where there is none
  std::string name;

  auto operator<=>(const Node&) const = default;
};

/// A column of the edge's `from` that a column of its `to` is made of.
struct ColumnLink {
  std::string from;
  std::string to;

  auto operator<=>(const ColumnLink&) const = default;
};

/// Data goes from one to the other.
struct Edge {
  Node from;
  Node to;
  std::string seen_by;                   // "kafka", "connect", "dbt", "openlineage", "declared" …
  std::vector<ColumnLink> columns = {};  // where they are known; ascending

  auto operator<=>(const Edge&) const = default;
};

}  // namespace weir::core
