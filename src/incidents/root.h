#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/alert.h"
#include "core/incident.h"
#include "core/lineage.h"
#include "incidents/causes.h"

namespace weir::incidents {

/// What the graph of data's ways says of a thing. What is not in it has nothing up- or downstream.
class Upstream {
 public:
  virtual ~Upstream() = default;
  /// As the graph calls it: a table may have several names.
  virtual core::Node canonical(const core::Node& node) const = 0;
  /// The nearest first, bounded in hops and number; without the node itself.
  virtual std::vector<core::Node> upstream(const core::Node& node) const = 0;
  virtual std::vector<core::Node> downstream(const core::Node& node) const = 0;
};

/// An upstream fault may be seen that much later than what it leads to, and explains what begins within a day.
inline constexpr core::Duration kSeenLater = std::chrono::minutes(15);
inline constexpr core::Duration kExplains = std::chrono::hours(24);

/// What an open incident is when it is held against others.
struct Illness {
  core::Node origin;
  bool named = false;             // the origin is what the cause named, no alert's own thing
  std::vector<core::Node> nodes;  // of the alerts that fire, and the origin; each once
  std::vector<core::Node> above;  // what the labels say is upstream: a group's topic, a topic's cluster
  Harm gives = Harm::none;
  Harm takes = Harm::none;
  core::Time since;  // when the first condition that still holds at the origin came to hold
};

/// Of an incident with an alert that fires; nodes are canonical. `upstream` may be null.
Illness illness_of(const core::Incident& incident, const Upstream* upstream);

/// Whether both are one fault, with its root in `up`: data goes from one to the other (by the graph, or by the labels),
/// what is wrong above leads to what is wrong below, and the times fit. Sharing a cluster is not enough.
bool explains(const Illness& up, const Illness& down, const Upstream* upstream);

/// Of an incident whose origin has alerts that fire: hypothesis and origin of the thing among those with such alerts
/// that explains what is wrong there, the most upstream one; or that of the worst thing, where that has severer alerts
/// and does not come from it. Nothing where the origin is the root. `explain` gives the cause of alerts of one thing.
std::optional<core::Reasons> root_within(const core::Incident& incident, const Upstream* upstream,
                                         const std::function<Cause(const std::vector<core::Alert>&)>& explain);

/// An alert that need not be told while those that fire at its incident's origin are.
struct Inhibition {
  const core::Alert* alert = nullptr;
  std::vector<std::uint64_t> by;  // fingerprints, at most 10
};

/// Of one incident: alerts downstream of its origin while an alert fires there that is at least as severe.
std::vector<Inhibition> inhibitions(const core::Incident& incident, const Upstream* upstream);

/// Makes `into` go on with the alerts of `from`, which ends by that: its timeline says so and Handling::merged_into
/// names the other. One that nobody knows of yet (`fresh`) leaves its timeline and no trace.
void absorb(core::Incident& into, core::Incident& from, bool fresh, core::Time now);

}  // namespace weir::incidents
