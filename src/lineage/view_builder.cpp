#include "lineage/view_builder.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "lineage/cycles.h"

namespace weir::lineage {
namespace {

constexpr std::size_t kMostFindings = 1'000;
constexpr std::string_view kDeclared = "declared";
// What some collector of Weir sees; anything else may exist without one.
constexpr std::array<std::string_view, 5> kWatched{"topic", "consumer group", "table", "subject", "connector"};

/// All nodes that can be reached from some of them.
std::vector<bool> reached(const View& view, const std::vector<std::size_t>& from, bool downstream) {
  std::vector<bool> seen(view.nodes.size());
  std::vector<std::size_t> todo = from;
  for (const std::size_t node : from) seen[node] = true;
  while (!todo.empty()) {
    const std::size_t at = todo.back();
    todo.pop_back();
    for (const std::size_t edge : downstream ? view.nodes[at].out : view.nodes[at].in) {
      const std::size_t next = downstream ? view.edges[edge].to : view.edges[edge].from;
      if (!seen[next]) todo.push_back(next);
      seen[next] = true;
    }
  }
  return seen;
}

/// The one collector that sees all nodes of a kind and place; "" where there is no such.
std::string whole_of(const core::Node& node) {
  if (node.kind == "topic" || node.kind == "consumer group") return "kafka/" + node.place;
  return node.kind == "subject" ? "schema_registry/" + node.place : std::string();
}

/// Of what has no such collector.
bool may_tell(std::string_view collector, const core::Node& node) {
  for (const std::string_view other : {"kafka/", "canary/", "schema_registry/", "schema_drift/", "scrape/"}) {
    if (collector.starts_with(other)) return false;
  }
  if (!collector.starts_with("checks/")) return true;
  // The further ones of a source have a number: checks/warehouse-2.
  return node.kind == "table" && collector.starts_with("checks/" + node.place);
}

}  // namespace

bool looked_for(const core::Node& node, const Watch& complete) {
  const bool in_many = node.place.find_first_of("*?[") != std::string::npos;
  if (const auto whole = complete.find(whole_of(node)); whole != complete.end() && !in_many) return whole->second;
  bool any = false;
  bool every = !complete.empty();
  bool asked = true;
  for (const auto& [collector, seen] : complete) {
    every = every && seen;
    if (in_many || !may_tell(collector, node)) continue;
    any = true;
    asked = asked && seen;
  }
  return any ? asked : every;
}

std::shared_ptr<const View> ViewBuilder::build(const EdgeMap& discovered) {
  view_->pipelines = pipelines_;
  collect_names(discovered);
  for (const auto& [way, detail] : discovered) {
    EdgeDetail& known = edges_[{canonical(way.first), canonical(way.second)}];
    known.seen_by.insert(detail.seen_by.begin(), detail.seen_by.end());
    known.columns.insert(detail.columns.begin(), detail.columns.end());
  }
  for (const auto& [way, detail] : edges_) {
    mentioned_.insert(way.first);
    mentioned_.insert(way.second);
  }
  declare();
  fill();
  index();
  mark_pipelines();
  for (std::vector<std::size_t>& cycle : cycles(*view_, kMostFindings)) {
    Finding finding{.kind = "cycle", .pipeline = {}, .text = cycle_text(*view_, cycle), .nodes = {}};
    for (const std::size_t node : cycle) finding.nodes.push_back(view_->nodes[node].node);
    view_->findings.push_back(std::move(finding));
  }
  find_unclear();
  find_repeated();
  find_unknown();
  if (view_->findings.size() > kMostFindings) view_->findings.resize(kMostFindings);
  return view_;
}

void ViewBuilder::collect_names(const EdgeMap& discovered) {
  std::set<core::Node> tables;
  const auto take = [&](const core::Node& node) {
    if (node.kind == "table") tables.insert(node);
  };
  for (const core::Node& node : known_) take(node);
  for (const auto& [way, detail] : discovered) {
    take(way.first);
    take(way.second);
  }
  for (const Pipeline& pipeline : pipelines_) {
    for (const NodePattern& pattern : pipeline.nodes) {
      if (!pattern.glob) take(pattern.node);
    }
  }
  names_ = join_table_names(tables, known_);
}

const core::Node& ViewBuilder::canonical(const core::Node& node) const {
  const auto found = names_.canonical.find(node);
  return found == names_.canonical.end() ? node : found->second;
}

std::vector<core::Node> ViewBuilder::expand(const NodePattern& pattern) const {
  if (!pattern.glob) return {canonical(pattern.node)};
  std::set<core::Node> found;
  for (const std::set<core::Node>* nodes : {&known_, &mentioned_}) {
    for (auto node = nodes->lower_bound({pattern.node.kind, "", ""});
         node != nodes->end() && node->kind == pattern.node.kind && found.size() < limits_.nodes; ++node) {
      if (pattern.matches(*node)) found.insert(canonical(*node));
    }
  }
  return {found.begin(), found.end()};
}

void ViewBuilder::declare() {
  for (const Pipeline& pipeline : pipelines_) {
    std::set<core::Node>& members = members_.emplace_back();
    std::map<core::Node, std::vector<core::Node>> expanded;
    for (const NodePattern& pattern : pipeline.nodes) {
      std::vector<core::Node> nodes = expand(pattern);
      members.insert(nodes.begin(), nodes.end());
      expanded.emplace(pattern.node, std::move(nodes));
    }
    lone_.insert(members.begin(), members.end());
    for (const auto& [from, to] : pipeline.edges) {
      for (const core::Node& start : expanded[from.node]) {
        for (const core::Node& end : expanded[to.node]) {
          if (edges_.size() > 2 * limits_.edges) break;  // as good as any: the rest is refused anyway
          edges_[{start, end}].seen_by.insert(std::string(kDeclared));
        }
      }
    }
  }
}

/// What was declared goes first, so that what is discovered beyond the limits is left out.
void ViewBuilder::fill() {
  std::set<core::Node> nodes;
  std::set<core::Node> refused;
  const auto admit = [&](const core::Node& node) {
    if (nodes.contains(node)) return true;
    if (nodes.size() < limits_.nodes) return nodes.insert(node).second;
    refused.insert(node);
    return false;
  };
  for (const core::Node& node : lone_) (void)admit(node);
  std::vector<EdgeMap::const_iterator> kept;
  for (const bool declared : {true, false}) {
    for (auto edge = edges_.cbegin(); edge != edges_.cend(); ++edge) {
      if (edge->second.seen_by.contains(std::string(kDeclared)) != declared) continue;
      const bool room = kept.size() < limits_.edges;
      if (room && admit(edge->first.first) && admit(edge->first.second)) {
        kept.push_back(edge);
      } else {
        ++view_->refused_edges;
      }
    }
  }
  view_->refused_nodes = refused.size();
  std::ranges::sort(
      kept, {}, [](const auto& edge) -> const auto& { return edge->first; });
  for (const core::Node& node : nodes) {
    view_->index_.emplace(node, view_->nodes.size());
    view_->nodes.push_back({.node = node,
                            .known = known_.contains(node) || mentioned_.contains(node),
                            .in = {},
                            .out = {},
                            .pipelines = {}});
  }
  for (const auto& edge : kept) {
    const std::size_t from = view_->index_.at(edge->first.first);
    const std::size_t to = view_->index_.at(edge->first.second);
    view_->nodes[from].out.push_back(view_->edges.size());
    view_->nodes[to].in.push_back(view_->edges.size());
    view_->edges.push_back({.from = from,
                            .to = to,
                            .seen_by = {edge->second.seen_by.begin(), edge->second.seen_by.end()},
                            .columns = {edge->second.columns.begin(), edge->second.columns.end()}});
  }
}

void ViewBuilder::index() {
  for (std::size_t i = 0; i < view_->nodes.size(); ++i) {
    const core::Node& node = view_->nodes[i].node;
    if (node.kind == "table") view_->tables_[{"table", node.place, last_part(node.name)}].push_back(i);
  }
  for (const auto& [other, counts] : names_.canonical) {
    const auto found = view_->index_.find(counts);
    if (found != view_->index_.end()) view_->index_.emplace(other, found->second);
  }
}

/// Its members, and what lies on a way from one of them to another.
void ViewBuilder::mark_pipelines() {
  for (std::size_t pipeline = 0; pipeline < members_.size(); ++pipeline) {
    std::vector<std::size_t> members;
    for (const core::Node& node : members_[pipeline]) {
      const auto found = view_->index_.find(node);
      if (found != view_->index_.end()) members.push_back(found->second);
    }
    const std::vector<bool> after = reached(*view_, members, true);
    const std::vector<bool> before = reached(*view_, members, false);
    for (std::size_t node = 0; node < view_->nodes.size(); ++node) {
      if (after[node] && before[node]) view_->nodes[node].pipelines.push_back(pipeline);
    }
  }
}

void ViewBuilder::find_unclear() {
  for (const auto& [name, may_be] : names_.unclear) {
    std::string others;
    for (const core::Node& other : may_be) others += (others.empty() ? "" : " or ") + other.name;
    Finding finding{.kind = "duplicate",
                    .pipeline = {},
                    .text = fmt::format("{} may be {}: write the name in full", describe(name), others),
                    .nodes = {name}};
    finding.nodes.insert(finding.nodes.end(), may_be.begin(), may_be.end());
    view_->findings.push_back(std::move(finding));
  }
}

void ViewBuilder::find_repeated() {
  for (const Pipeline& pipeline : pipelines_) {
    for (const auto& [from, to] : pipeline.repeated) {
      view_->findings.push_back({.kind = "duplicate",
                                 .pipeline = pipeline.name,
                                 .text = fmt::format("pipeline {} has the way from {} to {} twice", pipeline.name,
                                                     describe(from.node), describe(to.node)),
                                 .nodes = {from.node, to.node}});
    }
  }
}

void ViewBuilder::find_unknown() {
  for (const Pipeline& pipeline : pipelines_) {
    for (const NodePattern& pattern : pipeline.nodes) {
      const core::Node& node = canonical(pattern.node);
      const bool watched = std::ranges::find(kWatched, node.kind) != kWatched.end();
      const bool known = known_.contains(node) || mentioned_.contains(node);
      const bool absent = pattern.glob ? expand(pattern).empty() : watched && !known;
      if (!absent || !looked_for(pattern.node, watch_)) continue;
      view_->findings.push_back({.kind = "unknown_node",
                                 .pipeline = pipeline.name,
                                 .text = fmt::format("pipeline {} names {}, which no collector sees", pipeline.name,
                                                     pattern.glob ? "\"" + pattern.text + "\"" : describe(node)),
                                 .nodes = {node}});
    }
  }
}

}  // namespace weir::lineage
