#include "lineage/cycles.h"

#include <algorithm>
#include <deque>
#include <limits>

namespace weir::lineage {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// Tarjan's algorithm with a stack of its own, since a chain may be as long as the graph.
class Components {
 public:
  explicit Components(const View& view)
      : view_(view), number_(view.nodes.size(), kNone), low_(view.nodes.size()), component_(view.nodes.size(), kNone) {
    for (std::size_t node = 0; node < view.nodes.size(); ++node) {
      if (number_[node] == kNone) walk(node);
    }
  }
  std::size_t of(std::size_t node) const { return component_[node]; }
  std::size_t count() const { return count_; }

 private:
  struct Step {
    std::size_t node;
    std::size_t next = 0;  // of its outgoing edges
  };

  void enter(std::size_t node) {
    number_[node] = low_[node] = numbered_++;
    open_.push_back(node);
    path_.push_back({node});
  }

  void walk(std::size_t start) {
    enter(start);
    while (!path_.empty()) {
      Step& step = path_.back();
      const std::vector<std::size_t>& out = view_.nodes[step.node].out;
      if (step.next == out.size()) {
        leave(step.node);
        continue;
      }
      const std::size_t to = view_.edges[out[step.next++]].to;
      if (number_[to] == kNone) {
        enter(to);
      } else if (component_[to] == kNone) {
        low_[step.node] = std::min(low_[step.node], number_[to]);
      }
    }
  }

  void leave(std::size_t node) {
    path_.pop_back();
    if (!path_.empty()) low_[path_.back().node] = std::min(low_[path_.back().node], low_[node]);
    if (low_[node] != number_[node]) return;
    while (true) {
      const std::size_t member = open_.back();
      open_.pop_back();
      component_[member] = count_;
      if (member == node) break;
    }
    ++count_;
  }

  const View& view_;
  std::vector<std::size_t> number_, low_, component_;
  std::vector<std::size_t> open_;
  std::vector<Step> path_;
  std::size_t numbered_ = 0;
  std::size_t count_ = 0;
};

/// The shortest way from a node back to it within its component; empty without one.
std::vector<std::size_t> way_back(const View& view, const Components& components, std::size_t start) {
  std::vector<std::size_t> came_from(view.nodes.size(), kNone);
  std::deque<std::size_t> todo{start};
  while (!todo.empty()) {
    const std::size_t at = todo.front();
    todo.pop_front();
    for (const std::size_t edge : view.nodes[at].out) {
      const std::size_t to = view.edges[edge].to;
      if (to == start) {
        std::vector<std::size_t> way{at};
        while (way.back() != start) way.push_back(came_from[way.back()]);
        std::ranges::reverse(way);
        return way;
      }
      if (components.of(to) != components.of(start) || came_from[to] != kNone) continue;
      came_from[to] = at;
      todo.push_back(to);
    }
  }
  return {};
}

}  // namespace

std::vector<std::vector<std::size_t>> cycles(const View& view, std::size_t limit) {
  const Components components(view);
  std::vector<std::size_t> size(components.count());
  for (std::size_t node = 0; node < view.nodes.size(); ++node) ++size[components.of(node)];
  std::vector<bool> done(components.count());
  std::vector<std::vector<std::size_t>> found;
  for (std::size_t node = 0; node < view.nodes.size() && found.size() < limit; ++node) {
    const std::size_t component = components.of(node);
    const bool to_itself =
        std::ranges::any_of(view.nodes[node].out, [&](std::size_t edge) { return view.edges[edge].to == node; });
    if (done[component] || (size[component] < 2 && !to_itself)) continue;
    done[component] = true;
    found.push_back(way_back(view, components, node));
  }
  return found;
}

std::string cycle_text(const View& view, const std::vector<std::size_t>& cycle) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(cycle.size(), kShown); ++i) text += describe(view.nodes[cycle[i]].node) + " → ";
  if (cycle.size() > kShown) text += "… → ";
  return text + describe(view.nodes[cycle.front()].node);
}

}  // namespace weir::lineage
