#include "notify/registry.h"

#include <algorithm>
#include <array>

namespace weir::notify {
namespace {

constexpr std::array<NotifierKind, 2> kKinds{{
    {"webhook", "webhook_configs", parse_webhook, make_webhook},
    {"slack", "slack_configs", parse_slack, make_slack},
}};

}  // namespace

std::span<const NotifierKind> notifier_kinds() { return kKinds; }

std::unique_ptr<Notifier> make_notifier(const EndpointSettings& settings, const NotifierTools& tools) {
  const auto* kind = std::ranges::find(kKinds, settings.kind, &NotifierKind::name);
  return kind == kKinds.end() ? nullptr : kind->make(settings, tools);
}

}  // namespace weir::notify
