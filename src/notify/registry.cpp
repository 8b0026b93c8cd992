#include "notify/registry.h"

#include <array>

#include "notify/slack.h"
#include "notify/webhook.h"

namespace weir::notify {

std::span<const NotifierKind> notifier_kinds() {
  static constexpr std::array kKinds{
      NotifierKind{.key = "webhook_configs", .name = "webhook", .parse = parse_webhook},
      NotifierKind{.key = "slack_configs", .name = "slack", .parse = parse_slack},
  };
  return kKinds;
}

std::unique_ptr<Notifier> make_notifier(const Integration& integration, const NotifierTools& tools) {
  return integration.make(tools);
}

}  // namespace weir::notify
