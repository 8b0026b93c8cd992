#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "config/diagnostics.h"
#include "config/node.h"
#include "notify/notifier.h"
#include "notify/routing.h"

namespace weir::notify {

/// A kind of receiver. A new one is a file with these two functions and a row in registry.cpp.
struct NotifierKind {
  std::string_view name;        // "webhook"
  std::string_view config_key;  // "webhook_configs"
  EndpointSettings (*parse)(const config::Node& node, config::Diagnostics& diagnostics);
  std::unique_ptr<Notifier> (*make)(const EndpointSettings& settings, const NotifierTools& tools);
};

std::span<const NotifierKind> notifier_kinds();
std::unique_ptr<Notifier> make_notifier(const EndpointSettings& settings, const NotifierTools& tools);

EndpointSettings parse_webhook(const config::Node& node, config::Diagnostics& diagnostics);
std::unique_ptr<Notifier> make_webhook(const EndpointSettings& settings, const NotifierTools& tools);
EndpointSettings parse_slack(const config::Node& node, config::Diagnostics& diagnostics);
std::unique_ptr<Notifier> make_slack(const EndpointSettings& settings, const NotifierTools& tools);

}  // namespace weir::notify
