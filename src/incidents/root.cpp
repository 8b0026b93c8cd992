#include "incidents/root.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <set>

#include "incidents/subject.h"

namespace weir::incidents {
namespace {

using core::Node;

constexpr std::size_t kNodes = 200;      // of one incident that are compared
constexpr std::size_t kClimbed = 20;     // of these that are examined as the root of others
constexpr std::size_t kInhibitors = 10;  // that are named

bool firing(const core::Alert& alert) { return alert.state == core::AlertState::firing; }

Node canonical(const Node& node, const Upstream* upstream) {
  return upstream == nullptr ? node : upstream->canonical(node);
}

void add(std::vector<Node>& to, Node node) {
  if (to.size() < kNodes && std::ranges::find(to, node) == to.end()) to.push_back(std::move(node));
}

/// What labels alone tell. A consumer group is below its topic only: that they share a cluster says nothing.
void add_above(std::vector<Node>& above, const core::Labels& labels, const Upstream* upstream) {
  const auto text = [&](std::string_view name) { return std::string(labels.get(name)); };
  const std::string cluster = text("cluster");
  const bool of_group = labels.has("consumergroup");
  constexpr std::string_view kCluster = "kafka/";
  // What a cluster does not give its collector cannot see.
  if (const std::string_view collector = labels.get("collector"); collector.starts_with(kCluster))
    add(above, {"cluster", "", std::string(collector.substr(kCluster.size()))});
  if (!cluster.empty() && of_group && labels.has("topic"))
    add(above, canonical({"topic", cluster, text("topic")}, upstream));
  if (!cluster.empty() && !of_group && labels.has("topic")) add(above, {"cluster", "", cluster});
  if (!cluster.empty()) add(above, {"collector", "", "kafka/" + cluster});
  if (labels.has("registry")) add(above, {"collector", "", "schema_registry/" + text("registry")});
  if (!labels.has("dataset") || !labels.has("source")) return;
  add(above, {"source", "", text("source")});
  add(above, {"collector", "", "checks/" + text("source")});
}

bool is_below(const Illness& up, const Illness& down, const Upstream* upstream) {
  // What many things are seen through or lie in explains them as the root only, not as a part of another fault.
  const auto ill = [&](const Node& node) {
    const bool wide = node.kind == "collector" || node.kind == "cluster" || node.kind == "source";
    return wide ? node == up.origin : std::ranges::find(up.nodes, node) != up.nodes.end();
  };
  if (std::ranges::any_of(down.above, ill)) return true;
  return upstream != nullptr && std::ranges::any_of(upstream->upstream(down.origin), ill);
}

/// What is above it by the labels and the graph.
std::vector<Node> above_of(const Illness& ill, const Upstream* upstream) {
  std::vector<Node> above = ill.above;
  if (upstream != nullptr) std::ranges::copy(upstream->upstream(ill.origin), std::back_inserter(above));
  return above;
}

/// What is not known to be wrong with a topic is rather its settings than its data.
Harm gives(const core::Incident& incident, const Node& origin) {
  const Hypothesis known = hypothesis(incident.reasons.hypothesis);
  const bool passes_on = origin.kind != "topic" && origin.kind != "cluster" && origin.kind != "collector";
  return known.name.empty() && !passes_on ? Harm::none : known.gives;
}

}  // namespace

Illness illness_of(const core::Incident& incident, const Upstream* upstream) {
  Illness ill;
  const auto first = std::ranges::find_if(incident.alerts, firing);
  if (incident.reasons.origin) {
    ill.origin = canonical(*incident.reasons.origin, upstream);
  } else if (first != incident.alerts.end()) {
    ill.origin = canonical(node_of(first->labels), upstream);
  }
  ill.named = true;
  std::optional<core::Time> since;
  add(ill.nodes, ill.origin);
  std::set<core::Labels> seen;
  for (const core::Alert& alert : incident.alerts) {
    const Node node = canonical(node_of(alert.labels), upstream);
    const bool own = node == ill.origin;
    if (own) ill.named = false;
    if (!firing(alert)) continue;
    add(ill.nodes, node);
    if (own) since = std::min(since.value_or(alert.active_at), alert.active_at);
  }
  for (const core::Alert& alert : incident.alerts) {
    if (!firing(alert)) continue;
    if (!since || ill.named) since = std::min(since.value_or(alert.active_at), alert.active_at);
    if (ill.named || canonical(node_of(alert.labels), upstream) == ill.origin)
      add_above(ill.above, alert.labels, upstream);
  }
  ill.since = since.value_or(incident.opened_at);
  ill.gives = gives(incident, ill.origin);
  ill.takes = hypothesis(incident.reasons.hypothesis).takes;
  return ill;
}

bool explains(const Illness& up, const Illness& down, const Upstream* upstream) {
  // Both causes come to the same thing, or one of them names what the other is about: whenever each was seen.
  if (up.origin == down.origin) return down.named;
  if (up.since > down.since + kSeenLater || up.since < down.since - kExplains) return false;
  return overlap(up.gives, down.takes) && is_below(up, down, upstream);
}

namespace {

/// The things of an incident that fire, each with its alerts and its own cause.
class Parts {
 public:
  using Explain = std::function<Cause(const std::vector<core::Alert>&)>;

  Parts(const core::Incident& incident, const Upstream* upstream, const Explain& explain)
      : upstream_(upstream), explain_(explain) {
    for (const core::Alert& alert : incident.alerts) {
      if (!firing(alert)) continue;
      const Node node = canonical(node_of(alert.labels), upstream);
      if (parts_.size() >= kNodes && !parts_.contains(node)) continue;
      parts_[node].alerts.push_back(alert);
    }
    const Node origin = canonical(*incident.reasons.origin, upstream);
    if (const auto known = parts_.find(origin); known != parts_.end()) {
      known->second.reasons.origin = origin;
      known->second.reasons.hypothesis = incident.reasons.hypothesis;
    }
  }

  std::size_t size() const { return parts_.size(); }
  bool contains(const Node& node) const { return parts_.contains(node); }
  const core::Reasons& reasons(const Node& node) { return examined(node).reasons; }

  /// What is wrong with the thing comes from there, the most upstream one that explains it.
  Node root_of(Node node) {
    for (std::set<Node> seen{node}; seen.size() < kClimbed;) {
      const Illness down = illness(node);
      const std::vector<Node> above = above_of(down, upstream_);
      const auto up = std::ranges::find_if(above, [&](const Node& each) {
        if (!parts_.contains(each) || !seen.insert(each).second) return false;
        const Illness ill = illness(each);
        return explains(ill, down, upstream_) && (ill.since < down.since || !explains(down, ill, upstream_));
      });
      if (up == above.end()) break;
      node = *up;
      if (reasons(node).origin != node) break;  // what the cause names is further up
    }
    return node;
  }

  /// The worst of those that are worse than this one and do not come from it: people may have put together what has
  /// nothing to do with each other.
  std::optional<Node> worse_than(const Node& node) {
    std::optional<Node> worst;
    int most = rank(node);
    std::size_t examined = 0;
    for (const auto& [each, part] : parts_) {
      if (rank(each) <= most || examined++ >= kClimbed) continue;
      if (explains(illness(node), illness(each), upstream_) || root_of(each) == node) continue;
      worst = each;
      most = rank(each);
    }
    return worst;
  }

 private:
  core::Incident& examined(const Node& node) {
    core::Incident& part = parts_[node];
    if (part.reasons.origin) return part;
    const Cause cause = explain_(part.alerts);
    part.reasons.origin = cause.origin ? canonical(*cause.origin, upstream_) : node;
    part.reasons.hypothesis = cause.hypothesis;
    return part;
  }

  Illness illness(const Node& node) { return illness_of(examined(node), upstream_); }

  int rank(const Node& node) const {
    int worst = 0;
    for (const core::Alert& alert : parts_.at(node).alerts)
      worst = std::max(worst, severity_rank(alert.labels.get("severity")));
    return worst;
  }

  const Upstream* upstream_;
  const Explain& explain_;
  std::map<Node, core::Incident> parts_;
};

}  // namespace

std::optional<core::Reasons> root_within(const core::Incident& incident, const Upstream* upstream,
                                         const std::function<Cause(const std::vector<core::Alert>&)>& explain) {
  Parts parts(incident, upstream, explain);
  const Node origin = canonical(*incident.reasons.origin, upstream);
  if (parts.size() < 2 || !parts.contains(origin)) return std::nullopt;
  Node root = parts.root_of(origin);
  if (const auto worse = parts.worse_than(root)) root = parts.root_of(*worse);
  if (root == origin) return std::nullopt;
  const core::Reasons& found = parts.reasons(root);
  return core::Reasons{.hypothesis = found.hypothesis, .origin = found.origin};
}

std::vector<Inhibition> inhibitions(const core::Incident& incident, const Upstream* upstream) {
  std::vector<Inhibition> found;
  if (!incident.open() || !incident.reasons.origin || incident.alerts.size() < 2) return found;
  const Node origin = canonical(*incident.reasons.origin, upstream);
  std::vector<std::uint64_t> by[3];  // by the least severity that they inhibit
  std::vector<const core::Alert*> below;
  for (const core::Alert& alert : incident.alerts) {
    if (!firing(alert)) continue;
    if (canonical(node_of(alert.labels), upstream) != origin) {
      below.push_back(&alert);
      continue;
    }
    for (int rank = severity_rank(alert.labels.get("severity")); rank >= 0; --rank) {
      if (by[rank].size() < kInhibitors) by[rank].push_back(alert.fingerprint);
    }
  }
  for (const core::Alert* alert : below) {
    const std::vector<std::uint64_t>& sources = by[severity_rank(alert->labels.get("severity"))];
    if (!sources.empty()) found.push_back({alert, sources});
  }
  return found;
}

void absorb(core::Incident& into, core::Incident& from, bool fresh, core::Time now) {
  for (const core::Alert& alert : from.alerts) {
    const auto known = std::ranges::find(into.alerts, alert.labels, &core::Alert::labels);
    if (known == into.alerts.end()) {
      into.alerts.push_back(alert);
    } else if (firing(alert)) {
      *known = alert;
    }
  }
  if (from.began_at) into.began_at = std::min(into.began_at.value_or(*from.began_at), *from.began_at);
  if (into.handling.owner.empty()) into.handling.owner = from.handling.owner;
  if (!into.handling.acknowledged_at) {
    into.handling.acknowledged_by = from.handling.acknowledged_by;
    into.handling.acknowledged_at = from.handling.acknowledged_at;
  }
  if (fresh) {
    for (core::TimelineEntry& entry : from.timeline) {
      if (entry.kind == "opened") entry.kind = "grew";
      into.timeline.push_back(std::move(entry));
    }
    from.timeline.clear();
    return;
  }
  into.timeline.push_back({now, "grew", fmt::format("is one with: {}", from.title)});
  from.timeline.push_back({now, "resolved", fmt::format("goes on in another incident: {}", into.title)});
  from.resolved_at = now;
  from.handling.merged_into = into.id;
}

}  // namespace weir::incidents
