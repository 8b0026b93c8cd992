#include "app/lineage_upstream.h"

#include <algorithm>
#include <string_view>

#include "lineage/queries.h"

namespace weir::app {
namespace {

constexpr std::string_view kPipeline = "pipeline";
constexpr std::size_t kHops = 6;
constexpr std::size_t kMostUpstream = 200;
constexpr std::size_t kMostDownstream = 50;
constexpr std::size_t kMostAnswers = 10'000;

/// What is in the pipeline of that name, since what is wrong there breaks what was promised of it.
std::vector<core::Node> members(const lineage::View& view, const core::Node& pipeline, std::size_t limit) {
  std::vector<core::Node> found;
  const auto named = std::ranges::find(view.pipelines, pipeline.name, &lineage::Pipeline::name);
  if (pipeline.kind != kPipeline || !pipeline.place.empty() || named == view.pipelines.end()) return found;
  const auto index = static_cast<std::size_t>(named - view.pipelines.begin());
  for (const lineage::ViewNode& each : view.nodes) {
    if (found.size() < limit && std::ranges::find(each.pipelines, index) != each.pipelines.end())
      found.push_back(each.node);
  }
  return found;
}

std::vector<core::Node> ask(const lineage::View& view, const core::Node& node, lineage::Direction direction,
                            std::size_t limit) {
  std::vector<core::Node> nodes;
  const auto start = view.find(node);
  if (!start) return direction == lineage::Direction::upstream ? members(view, node, limit) : nodes;
  for (const lineage::Reached& reached : lineage::reach(view, *start, direction, kHops, limit))
    nodes.push_back(view.nodes[reached.node].node);
  if (direction == lineage::Direction::downstream) {
    for (const std::size_t pipeline : view.nodes[*start].pipelines)
      nodes.push_back({std::string(kPipeline), "", view.pipelines[pipeline].name});
  }
  return nodes;
}

std::vector<core::Node> remembered(std::map<core::Node, std::vector<core::Node>>& answers, const lineage::View& view,
                                   const core::Node& node, lineage::Direction direction, std::size_t limit) {
  if (const auto known = answers.find(node); known != answers.end()) return known->second;
  if (answers.size() >= kMostAnswers) answers.clear();
  return answers[node] = ask(view, node, direction, limit);
}

}  // namespace

core::Node LineageUpstream::canonical(const core::Node& node) const {
  const auto found = view_->find(node);
  return found ? view_->nodes[*found].node : node;
}

std::vector<core::Node> LineageUpstream::upstream(const core::Node& node) const {
  return remembered(upstream_, *view_, node, lineage::Direction::upstream, kMostUpstream);
}

std::vector<core::Node> LineageUpstream::downstream(const core::Node& node) const {
  return remembered(downstream_, *view_, node, lineage::Direction::downstream, kMostDownstream);
}

}  // namespace weir::app
