#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/incident.h"
#include "incidents/causes.h"
#include "incidents/root.h"

namespace weir::incidents {

/// What is known of an incident besides itself when its cause is looked for.
struct Occasion {
  bool reopened = false;  // what it was about before may be over
  bool fresh = false;     // nobody knows of it yet: its timeline need not tell that there was another cause
};

/// Finds the causes of incidents within one step, and keeps those that hold. Pure; what it is given must outlive it.
class CauseKeeper {
 public:
  CauseKeeper(const Surroundings& surroundings, const Upstream* upstream)
      : surroundings_(surroundings), upstream_(upstream) {}

  /// What an alert is about, by the name that the graph has for it.
  core::Node node_of_alert(const core::Alert& alert) const;

  /// The alerts at the origin of an incident that has one; none where its cause names another thing than any alert is
  /// about.
  std::vector<core::Alert> alerts_at_origin(const core::Incident& incident) const;

  /// Brings `cause`, `reasons` and `earlier` up to date by the alerts that fire; another cause enters the timeline.
  /// Returns whether anything about the cause is another.
  bool find(core::Incident& incident, const Occasion& occasion) const;

  /// Notes that the cause has become another than `before`. The timeline has every cause then, the first one too.
  void note_another(core::Incident& incident, const std::string& before) const;

  /// It does not heal: the cause that goes on is another one, of which the timeline tells now.
  void forget_earlier(core::Incident& incident) const;

 private:
  using Alerts = std::vector<core::Alert>;

  core::Node canonical(const core::Node& node) const;
  Cause explain(const Alerts& alerts, const std::function<bool(const Cause&)>& preferred = {}) const;
  Alerts telling(core::Incident& incident) const;
  bool holds(const core::Incident& incident, const Cause& cause) const;
  bool is_over(const core::Incident& incident, const std::optional<core::Node>& node) const;
  bool recovered_since_told(const core::Incident& incident, const core::Reasons& reasons) const;
  void say_earlier(core::Incident& incident) const;
  std::vector<core::Node> affected(const core::Incident& incident) const;

  Surroundings surroundings_;
  const Upstream* upstream_;
};

}  // namespace weir::incidents
