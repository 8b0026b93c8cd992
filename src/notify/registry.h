#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/node.h"
#include "notify/notifier.h"
#include "notify/routing.h"

namespace weir::notify {

/// One entry of a receiver's list, read.
struct ParsedNotifier {
  bool send_resolved = true;
  MakeNotifier make;
};

/// A kind of notifier. `what` names the entry in messages: `receiver "team", slack_configs[0]`.
struct NotifierKind {
  std::string_view key;   // in the configuration: "webhook_configs"
  std::string_view name;  // "webhook"
  ParsedNotifier (*parse)(const config::Node& node, config::Diagnostics& diagnostics, const std::string& what);
};

/// The table of all kinds. A new one is a new file and a line here.
std::span<const NotifierKind> notifier_kinds();

std::unique_ptr<Notifier> make_notifier(const Integration& integration, const NotifierTools& tools);

}  // namespace weir::notify
