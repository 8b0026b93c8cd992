#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/labels.h"
#include "core/secret.h"

namespace weir::notify {

/// One way to reach a receiver: an entry of `webhook_configs`, `slack_configs` …
struct EndpointSettings {
  std::string kind;  // "webhook", "slack": a row of the table in registry.cpp
  core::Secret url;  // holds tokens, so it is never shown
  bool send_resolved = true;
  std::size_t max_alerts = 0;  // 0: all
  std::string channel;         // Slack
  std::string username;        // basic auth
  core::Secret password;
  core::Secret bearer;
};

struct ReceiverSettings {
  std::string name;
  std::vector<EndpointSettings> endpoints;
};

/// `severity="critical"`, with =, !=, =~ or !~ (RE2, fully anchored).
struct RouteMatcher {
  std::string label;
  std::string op;
  std::string value;
};
bool matches(const RouteMatcher& matcher, const core::Labels& labels);

/// A node of the route tree, with Alertmanager's meaning: the first child that matches takes the alert,
/// further ones only where it says `continue`; where none does, the node itself.
struct Route {
  std::string receiver;
  std::vector<std::string> group_by;
  std::vector<RouteMatcher> matchers;
  bool continue_matching = false;
  std::vector<Route> routes;
};

struct RoutingSettings {
  std::vector<ReceiverSettings> receivers;
  std::optional<Route> root;  // absent: nobody is told
  std::string external_url;   // of Weir's page, for links
};

/// The sections `receivers:` and `route:`; either may be null. A route to a receiver that is not there is
/// a diagnostic at its place.
RoutingSettings parse_routing(const config::Node* receivers, const config::Node* route,
                              config::Diagnostics& diagnostics);

/// The routes that take an alert with these labels, in order.
std::vector<const Route*> routes_for(const Route& root, const core::Labels& labels);

}  // namespace weir::notify
