#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/labels.h"
#include "notify/matcher.h"
#include "notify/notifier.h"

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

/// A node of Alertmanager's route tree; what it does not say itself is inherited already.
struct Route {
  std::string receiver;
  std::vector<std::string> group_by;  // empty: the labels that the incident's alerts have in common
  std::vector<LabelMatcher> matchers;
  bool continue_matching = false;  // the next siblings are asked too
  std::vector<Route> routes;
  std::string key;  // from the root: `{}/{severity="critical"}`
};

struct RoutingSettings {
  std::vector<Receiver> receivers;
  std::optional<Route> root;  // none: nobody is told
  std::string external_url;   // of Weir's page, for links; set by whoever knows it

  const Receiver* find(std::string_view receiver) const;
};

/// The sections `receivers:` and `route:` with Alertmanager's keys and defaults; either may be absent (nullptr).
/// A key of Alertmanager's that Weir does not apply is a mistake too, rather than silently without effect.
RoutingSettings parse_routing(const config::Node* receivers, const config::Node* route,
                              config::Diagnostics& diagnostics);

/// Every integration with its name in logs and metrics: "team/webhook/0".
std::vector<std::pair<std::string, Integration>> endpoints(const RoutingSettings& settings);
std::string endpoint_name(std::string_view receiver, std::string_view integration);

/// The nodes that an alert with these labels reaches: depth first, the first match unless it continues, the node
/// itself where no child matches.
std::vector<const Route*> matching_routes(const Route& root, const core::Labels& labels);

}  // namespace weir::notify
