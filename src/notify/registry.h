#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/node.h"
#include "notify/global.h"
#include "notify/notifier.h"
#include "notify/routing.h"

#include "templates/template.h"

namespace weir::notify {

/// One entry of a receiver's list, read.
struct ParsedNotifier {
  bool send_resolved = true;
  MakeNotifier make;
};

/// What an entry is read with.
struct ParseContext {
  config::Diagnostics& diagnostics;
  std::string what;  // names the entry in messages: `receiver "team", slack_configs[0]`
  const GlobalSettings& global;
  const templates::TemplateLibrary& library;
};

/// A kind of notifier.
struct NotifierKind {
  std::string_view key;   // in the configuration: "webhook_configs"
  std::string_view name;  // "webhook"
  ParsedNotifier (*parse)(const config::Node& node, const ParseContext& context);
};

/// The table of all kinds. A new one is a new file and a line here.
std::span<const NotifierKind> notifier_kinds();

std::unique_ptr<Notifier> make_notifier(const Integration& integration, const NotifierTools& tools);

}  // namespace weir::notify
