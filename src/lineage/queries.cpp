#include "lineage/queries.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <set>

namespace weir::lineage {
namespace {

constexpr std::size_t kMostListed = 50;
constexpr std::size_t kMostAffected = 1'000;
constexpr std::size_t kMostNamed = 5;  // in one sentence

/// Calls `visit` for what can be reached, the nearest first, until it says that it is enough.
void walk(const View& view, std::size_t start, Direction direction, std::size_t depth,
          const std::function<bool(Reached)>& visit) {
  std::vector<bool> seen(view.nodes.size());
  seen[start] = true;
  std::deque<Reached> todo{{start, 0}};
  while (!todo.empty()) {
    const Reached at = todo.front();
    todo.pop_front();
    if (at.depth >= depth) continue;
    const ViewNode& node = view.nodes[at.node];
    for (const std::size_t edge : direction == Direction::upstream ? node.in : node.out) {
      const std::size_t next = direction == Direction::upstream ? view.edges[edge].from : view.edges[edge].to;
      if (seen[next]) continue;
      seen[next] = true;
      const Reached reached{next, at.depth + 1};
      if (!visit(reached)) return;
      todo.push_back(reached);
    }
  }
}

std::string listed(const std::vector<std::string>& names, std::size_t more) {
  std::string text;
  const std::size_t shown = std::min(names.size(), kMostNamed);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  more += names.size() - shown;
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

/// Longest sums by depth-first search that remembers.
class SlowestWay {
 public:
  SlowestWay(const View& view, std::vector<std::optional<double>> seconds, std::vector<bool> within)
      : view_(view), seconds_(std::move(seconds)), within_(std::move(within)), best_(view.nodes.size()) {}

  double from(std::size_t start) {
    // A stack of its own: a chain may be as long as the graph.
    std::vector<std::pair<std::size_t, std::size_t>> path;
    const auto enter = [&](std::size_t node) {
      entered_.insert(node);
      path.emplace_back(node, 0);
    };
    if (!best_[start]) enter(start);
    while (!path.empty()) {
      auto& [node, next] = path.back();
      const std::vector<std::size_t>& out = view_.nodes[node].out;
      if (next < out.size()) {
        const std::size_t to = view_.edges[out[next++]].to;
        if (within_[to] && !entered_.contains(to)) enter(to);
        continue;
      }
      double after = 0;
      for (const std::size_t edge : out) after = std::max(after, best_[view_.edges[edge].to].value_or(0));
      best_[node] = after + seconds_[node].value_or(0);
      path.pop_back();
    }
    return *best_[start];
  }

 private:
  const View& view_;
  std::vector<std::optional<double>> seconds_;
  std::vector<bool> within_;
  std::vector<std::optional<double>> best_;
  std::set<std::size_t> entered_;
};

}  // namespace

std::vector<Reached> reach(const View& view, std::size_t start, Direction direction, std::size_t depth,
                           std::size_t limit) {
  std::vector<Reached> found;
  walk(view, start, direction, depth, [&](Reached reached) {
    if (found.size() < limit) found.push_back(reached);
    return found.size() < limit;
  });
  return found;
}

std::optional<Reached> nearest_upstream(const View& view, std::size_t start,
                                        const std::function<bool(const ViewNode&)>& anomalous) {
  std::optional<Reached> found;
  walk(view, start, Direction::upstream, view.nodes.size(), [&](Reached reached) {
    if (anomalous(view.nodes[reached.node])) found = reached;
    return !found;
  });
  return found;
}

Impact impact(const View& view, std::size_t node) {
  Impact impact;
  std::set<std::size_t> pipelines(view.nodes[node].pipelines.begin(), view.nodes[node].pipelines.end());
  walk(view, node, Direction::downstream, view.nodes.size(), [&](Reached reached) {
    const ViewNode& found = view.nodes[reached.node];
    pipelines.insert(found.pipelines.begin(), found.pipelines.end());
    if (impact.downstream.size() < kMostListed) {
      impact.downstream.push_back(found.node);
    } else {
      ++impact.more;
    }
    return impact.downstream.size() + impact.more < kMostAffected;
  });
  impact.pipelines.assign(pipelines.begin(), pipelines.end());
  std::ranges::stable_sort(impact.pipelines, std::greater(), [&](std::size_t pipeline) {
    return criticality_rank(view.pipelines[pipeline].criticality);
  });
  return impact;
}

core::Labels impact_annotations(const View& view, const core::Node& node) {
  const auto found = view.find(node);
  if (!found) return {};
  const Impact of = impact(view, *found);
  std::vector<std::string> downstream;
  for (const core::Node& each : of.downstream) downstream.push_back(describe(each));
  std::vector<std::string> names;
  std::vector<std::string> owners;
  for (const std::size_t pipeline : of.pipelines) {
    names.push_back(view.pipelines[pipeline].name);
    const std::string& owner = view.pipelines[pipeline].owner;
    if (!owner.empty() && std::ranges::find(owners, owner) == owners.end()) owners.push_back(owner);
  }
  core::LabelsBuilder labels;
  labels.set("downstream", listed(downstream, of.more));
  labels.set("pipeline", listed(names, 0));
  labels.set("pipeline_owner", listed(owners, 0));
  if (!of.pipelines.empty()) labels.set("pipeline_criticality", view.pipelines[of.pipelines.front()].criticality);
  return labels.build();
}

std::string_view Health::status(bool known) const {
  if (rank >= 2 || (check && *check == 2)) return "critical";
  if (rank == 1 || (check && *check != 0)) return "warning";
  if (rank == 0) return "info";
  return known || check ? "ok" : "unknown";
}

std::vector<Health> health(const View& view, const std::vector<Firing>& alerts,
                           const std::vector<CheckOutcome>& checks) {
  // An outcome that could not be had is worse than a warning and not as bad as a failure.
  constexpr std::array<int, 4> kWorse{0, 1, 3, 2};
  std::vector<Health> all(view.nodes.size());
  for (const Firing& alert : alerts) {
    const auto node = view.find(alert.node);
    if (!node) continue;
    Health& of = all[*node];
    if (alert.pending) {
      of.pending = true;
      continue;
    }
    of.rank = std::max(of.rank, alert.rank);
    if (std::ranges::find(of.alerts, alert.alert) == of.alerts.end()) of.alerts.push_back(alert.alert);
  }
  const auto worse = [&](int outcome) { return kWorse[static_cast<std::size_t>(std::clamp(outcome, 0, 3))]; };
  for (const CheckOutcome& check : checks) {
    const auto node = view.find(check.node);
    if (!node) continue;
    std::optional<int>& known = all[*node].check;
    if (!known || worse(check.outcome) > worse(*known)) known = check.outcome;
  }
  return all;
}

std::optional<double> slowest_way(const View& view, std::size_t pipeline,
                                  const std::function<std::optional<double>(const core::Node&)>& seconds) {
  std::vector<std::optional<double>> of(view.nodes.size());
  std::vector<bool> within(view.nodes.size());
  bool any = false;
  for (std::size_t node = 0; node < view.nodes.size(); ++node) {
    const std::vector<std::size_t>& pipelines = view.nodes[node].pipelines;
    within[node] = std::ranges::find(pipelines, pipeline) != pipelines.end();
    if (within[node]) of[node] = seconds(view.nodes[node].node);
    any = any || of[node];
  }
  if (!any) return std::nullopt;
  SlowestWay ways(view, std::move(of), within);
  double most = 0;
  for (std::size_t node = 0; node < view.nodes.size(); ++node) {
    if (within[node]) most = std::max(most, ways.from(node));
  }
  return most;
}

}  // namespace weir::lineage
