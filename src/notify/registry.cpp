#include "notify/registry.h"

#include <array>

#include "notify/email.h"
#include "notify/msteams.h"
#include "notify/opsgenie.h"
#include "notify/pagerduty.h"
#include "notify/slack.h"
#include "notify/webhook.h"

namespace weir::notify {

std::span<const NotifierKind> notifier_kinds() {
  static constexpr std::array kKinds{
      NotifierKind{.key = "webhook_configs", .name = "webhook", .parse = parse_webhook},
      NotifierKind{.key = "slack_configs", .name = "slack", .parse = parse_slack},
      NotifierKind{.key = "email_configs", .name = "email", .parse = parse_email},
      NotifierKind{.key = "pagerduty_configs", .name = "pagerduty", .parse = parse_pagerduty},
      NotifierKind{.key = "msteams_configs", .name = "msteams", .parse = parse_msteams},
      NotifierKind{.key = "msteamsv2_configs", .name = "msteamsv2", .parse = parse_msteams},
      NotifierKind{.key = "opsgenie_configs", .name = "opsgenie", .parse = parse_opsgenie},
  };
  return kKinds;
}

std::unique_ptr<Notifier> make_notifier(const Integration& integration, const NotifierTools& tools) {
  return integration.make(tools);
}

}  // namespace weir::notify
