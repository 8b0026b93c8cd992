#include "lineage/graph.h"

#include <algorithm>
#include <utility>

#include "lineage/view_builder.h"

namespace weir::lineage {

std::optional<std::size_t> View::find(const core::Node& node) const {
  if (const auto found = index_.find(node); found != index_.end()) return found->second;
  if (node.kind != "table") return std::nullopt;
  const auto alike = tables_.find({"table", node.place, last_part(node.name)});
  if (alike == tables_.end()) return std::nullopt;
  std::optional<std::size_t> only;
  for (const std::size_t each : alike->second) {
    if (!may_be_same(nodes[each].node.name, node.name)) continue;
    if (only) return std::nullopt;
    only = each;
  }
  return only;
}

Graph::Graph(std::vector<Pipeline> pipelines, GraphLimits limits) : pipelines_(std::move(pipelines)), limits_(limits) {}

std::size_t Graph::size() const {
  std::size_t size = 0;
  for (const auto& [source, told] : told_) size += told.edges.size();
  return size;
}

/// A source that tells the same again, as most do, costs a comparison.
bool Graph::told_again(std::string_view source, const core::Batch& batch, core::Time now) {
  const auto known = told_.find(source);
  if (known == told_.end() || !batch.faults.empty() || batch.edges.empty() || known->second.newest != batch.edges)
    return false;
  for (auto& [key, seen] : known->second.edges) seen.last = now;
  return true;
}

void Graph::take(std::string_view source, const core::Batch& batch, core::Time now) {
  if (told_again(source, batch, now)) return;
  const auto known = told_.find(source);
  if (known == told_.end() && batch.edges.empty()) return;
  Told before = known == told_.end() ? Told() : std::move(known->second);
  if (known != told_.end()) told_.erase(known);
  const std::size_t others = size();
  const std::size_t room = limits_.edges > others ? limits_.edges - others : 0;
  std::size_t refused = 0;
  Told told;
  bool changed = false;
  const auto keep = [&](const auto& key, const std::vector<core::ColumnLink>& columns, core::Time last) {
    const auto old = before.edges.find(key);
    if (told.edges.size() >= room && !told.edges.contains(key)) return void(++refused);
    changed = changed || old == before.edges.end() || old->second.columns != columns;
    told.edges.insert_or_assign(key, Seen{columns, last});
  };
  for (const core::Edge& edge : batch.edges) keep(std::pair(Way(edge.from, edge.to), edge.seen_by), edge.columns, now);
  if (std::ranges::any_of(batch.faults, [](const core::Fault& fault) { return !fault.no_value; })) {
    for (const auto& [key, seen] : before.edges) {
      if (!told.edges.contains(key)) keep(key, seen.columns, seen.last);
    }
  }
  std::size_t& refused_before = refused_[std::string(source)];
  if (changed || told.edges.size() != before.edges.size() || refused != refused_before) view_.reset();
  refused_before = refused;
  if (refused == 0 && batch.faults.empty()) told.newest = batch.edges;
  if (!told.edges.empty()) told_.emplace(source, std::move(told));
}

void Graph::know(std::set<core::Node> nodes) {
  if (nodes == known_) return;
  known_ = std::move(nodes);
  view_.reset();
}

void Graph::watch(Watch complete) {
  if (complete == watch_) return;
  watch_ = std::move(complete);
  view_.reset();
}

void Graph::expire(core::Time now) {
  for (auto& [source, told] : told_) {
    const auto old = [&](const auto& edge) { return edge.second.last + limits_.expire < now; };
    if (std::erase_if(told.edges, old) > 0) view_.reset();
  }
  std::erase_if(told_, [](const auto& entry) { return entry.second.edges.empty(); });
}

std::shared_ptr<const View> Graph::view(core::Time now) {
  expire(now);
  if (view_) return view_;
  EdgeMap merged;
  for (const auto& [source, told] : told_) {
    for (const auto& [key, seen] : told.edges) {
      EdgeDetail& detail = merged[key.first];
      detail.seen_by.insert(key.second);
      detail.columns.insert(seen.columns.begin(), seen.columns.end());
    }
  }
  std::shared_ptr<const View> made = ViewBuilder(pipelines_, limits_, known_, watch_).build(merged);
  std::size_t refused = 0;
  for (const auto& [source, count] : refused_) refused += count;
  if (refused > 0) {
    auto counted = std::make_shared<View>(*made);
    counted->refused_edges += refused;
    made = std::move(counted);
  }
  view_ = std::move(made);
  return view_;
}

}  // namespace weir::lineage
