#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/labels.h"
#include "core/time.h"
#include "notify/matcher.h"
#include "notify/notifier.h"
#include "notify/suppression.h"
#include "notify/time_interval.h"

namespace weir::notify {

/// One configuration of a receiver, with its own place in the outbox.
struct Integration {
  std::string id;  // unique within the receiver: "webhook/0"
  bool send_resolved = true;
  MakeNotifier make;
};

struct Receiver {
  std::string name;
  std::vector<Integration> integrations;  // none: messages to it are dropped on purpose
};

/// A node of Alertmanager's route tree; what it does not say itself is inherited already (the time intervals are not).
struct Route {
  std::string receiver;
  bool group_by_incident = true;      // until group_by is given: each incident is a group
  bool group_by_all = false;          // "...": each set of labels is a group
  std::vector<std::string> group_by;  // labels' names
  core::Duration group_wait = std::chrono::seconds(30);
  core::Duration group_interval = std::chrono::minutes(5);
  core::Duration repeat_interval = std::chrono::hours(4);
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  std::vector<LabelMatcher> matchers;
  bool continue_matching = false;  // the next siblings are asked too
  std::vector<Route> routes;
  std::string key;  // from the root: `{}/{severity="critical"}`; unique within the tree
};

/// What keeps a storm from becoming one of notifications, the section `notifications:`.
struct NotificationLimits {
  std::optional<core::Duration> start_delay;  // nobody is told before; without it until every source was seen twice
  double burst = 30;                          // messages an integration may get at once
  double per_minute = 60;                     // and from then on; the rest becomes one message of "N more"
  int flap_changes = 6;                       // an alert that changes as often within the window flaps; 0: never
  int flap_calm = 2;                          // and no more once it changed no oftener than that
  core::Duration flap_window = std::chrono::minutes(30);
};

struct RoutingSettings {
  std::vector<Receiver> receivers;
  std::optional<Route> root;  // none: nobody is told
  std::vector<InhibitRule> inhibit_rules;
  std::vector<NamedIntervals> intervals;
  NotificationLimits limits;
  std::string external_url;  // of Weir's page, for links; set by whoever knows it

  const Receiver* find(std::string_view receiver) const;
  /// Whether the route's time intervals let anybody be told at that time.
  bool tells_at(const Route& route, core::Time now) const;
};

/// The sections that an alertmanager.yml has, and `notifications:`; each may be absent (nullptr).
struct RoutingSections {
  const config::Node* receivers = nullptr;
  const config::Node* route = nullptr;
  const config::Node* global = nullptr;
  const config::Node* inhibit_rules = nullptr;
  const config::Node* time_intervals = nullptr;
  const config::Node* mute_time_intervals = nullptr;
  const config::Node* templates = nullptr;
  const config::Node* notifications = nullptr;
};

/// The sections with Alertmanager's keys and defaults. A key of Alertmanager's that Weir does not apply is a mistake
/// too, rather than silently without effect.
RoutingSettings parse_routing(const RoutingSections& sections, config::Diagnostics& diagnostics);

/// Every integration with its name in logs and metrics: "team/webhook/0".
std::vector<std::pair<std::string, Integration>> endpoints(const RoutingSettings& settings);
std::string endpoint_name(std::string_view receiver, std::string_view integration);

/// The nodes that an alert with these labels reaches: depth first, the first match unless it continues, the node
/// itself where no child matches.
std::vector<const Route*> matching_routes(const Route& root, const core::Labels& labels);

/// The tree without what receivers are given, as an alertmanager.yml (in JSON, which YAML takes): what `amtool config
/// routes` reads.
std::string routing_yaml(const RoutingSettings& settings);

}  // namespace weir::notify
