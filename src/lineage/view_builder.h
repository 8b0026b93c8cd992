#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lineage/graph.h"
#include "lineage/table_names.h"

namespace weir::lineage {

/// What a view is made of.
struct EdgeDetail {
  std::set<std::string> seen_by;
  std::set<core::ColumnLink> columns;
};
using EdgeMap = std::map<std::pair<core::Node, core::Node>, EdgeDetail>;

/// Puts a View together: names of tables joined, declared patterns expanded, bounds kept, findings made. Used once.
class ViewBuilder {
 public:
  ViewBuilder(const std::vector<Pipeline>& pipelines, const GraphLimits& limits, const std::set<core::Node>& known,
              const Watch& watch)
      : pipelines_(pipelines), limits_(limits), known_(known), watch_(watch) {}

  std::shared_ptr<const View> build(const EdgeMap& discovered);

 private:
  void collect_names(const EdgeMap& discovered);
  const core::Node& canonical(const core::Node& node) const;
  std::vector<core::Node> expand(const NodePattern& pattern) const;
  void declare();
  void fill();
  void index();
  void mark_pipelines();
  void find_unclear();
  void find_repeated();
  void find_unknown();

  const std::vector<Pipeline>& pipelines_;
  const GraphLimits& limits_;
  const std::set<core::Node>& known_;
  const Watch& watch_;
  std::set<core::Node> mentioned_;  // by discovered edges, by the names that count
  TableNames names_;
  EdgeMap edges_;
  std::set<core::Node> lone_;                  // declared without an edge
  std::vector<std::set<core::Node>> members_;  // of each pipeline
  std::shared_ptr<View> view_ = std::make_shared<View>();
};

}  // namespace weir::lineage
