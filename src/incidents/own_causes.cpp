#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "incidents/causes.h"

namespace weir::incidents {
namespace {

using namespace std::chrono_literals;

/// A part of Weir that tells its errors, and the alert about it.
struct Part {
  std::string_view alert;
  std::string_view part;   // what the error's place begins with
  std::string_view label;  // whose value completes it, "" for none
  std::string_view sentence;
};

constexpr std::array kParts{
    Part{"WeirRuleEvaluationFailing", kOwnRules, "rule_group",
         "Rules of group {} could not be evaluated, and their alerts keep their last state: "},
    Part{"WeirNotificationsFailing", kOwnReceiver, "receiver",
         "Receiver {} did not take what it was to be told; it is tried again: "},
    Part{"WeirNotificationsLost", kOwnLoss, "receiver", "Receiver {} was not told, and will not be: "},
    Part{"WeirHeartbeatFailing", kOwnHeartbeat, "heartbeat", "The dead man's switch {} did not hear Weir: "},
    Part{"WeirSeriesSnapshotFailing", kOwnSnapshot, "operation", "The snapshot of the series ({}) failed: "},
    Part{"OpenLineageEventsNotDelivered", kOwnEvents, "", "Whom Weir tells its events did not take them: "},
    Part{"CatalogEventsNotDelivered", kOwnCatalog, "catalog", "Catalog {} did not take what Weir tells it: "},
    Part{"WeirStorageFailing", kStorageFault, "", "Weir's own storage does not take what happens: "},
    Part{"WeirStorageDropping", kStorageFault, "", "Weir's own storage does not take what happens: "},
    Part{"WeirStorageSetAside", kOwnSetAside, "", "Weir's own database was damaged: "},
    Part{"WeirStorageRewritten", kOwnRewritten, "", "Weir's own database is another one than before: "},
};

std::string_view without_stop(std::string_view text) {
  while (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

/// " Receiver a/webhook/0: connection refused; …", of those that refused something lately.
std::string refusals(const Evidence& evidence) {
  constexpr std::size_t kShown = 3;
  std::string text;
  std::size_t shown = 0;
  for (const core::SeriesView& series : evidence.points("weir_notifications_total", {{"outcome", "retried"}}, 15min)) {
    if (series.points.back().value <= series.points.front().value) continue;
    const std::string receiver(series.labels.get("receiver"));
    const core::Fault* fault = evidence.fault_of(kOwnReceiver + receiver);
    if (fault == nullptr || shown++ >= kShown) continue;
    text += fmt::format("{} {}: {}", text.empty() ? "" : ";", receiver, without_stop(fault->error.message));
  }
  return text;
}

}  // namespace

std::optional<Cause> own_part_fails(const Evidence& evidence) {
  const auto part = std::ranges::find(kParts, evidence.label("alertname"), &Part::alert);
  if (part == kParts.end()) return std::nullopt;
  const std::string name(part->label.empty() ? std::string_view() : evidence.label(part->label));
  const core::Fault* fault = evidence.fault_of(std::string(part->part) + name);
  if (fault == nullptr) return std::nullopt;
  const std::string head = fmt::format(fmt::runtime(part->sentence), name);
  return Cause{fmt::format("{}{}.", head, without_stop(fault->error.message)), 0.95};
}

std::optional<Cause> own_outbox_waits(const Evidence& evidence) {
  if (evidence.label("alertname") != "WeirOutboxStuck") return std::nullopt;
  const auto waiting = evidence.newest("weir_outbox_messages", {});
  const std::string why = refusals(evidence);
  if (!waiting || why.empty()) return std::nullopt;
  return Cause{fmt::format("{} notifications wait, since receivers do not take them.{}.", number_text(*waiting), why),
               0.9};
}

std::optional<Cause> own_series_refused(const Evidence& evidence) {
  if (evidence.label("alertname") != "WeirSeriesRefused") return std::nullopt;
  const auto held = evidence.newest("weir_series", {});
  if (!held) return std::nullopt;
  return Cause{
      fmt::format("Weir holds {} series, as many as series.max_series lets it: new ones of {} are refused, and "
                  "no alert can fire on them.",
                  number_text(*held), evidence.label("metric")),
      0.9};
}

std::optional<Cause> own_network_gone(const Evidence& evidence) {
  if (evidence.label("alertname") != "WeirOffline") return std::nullopt;
  const auto collectors = evidence.points("weir_collector_success", {}, 5min);
  const bool all = std::ranges::all_of(collectors, [](const auto& each) { return each.points.back().value == 0; });
  if (collectors.empty() || !all) return std::nullopt;
  std::string first;
  for (const core::SeriesView& series : collectors) {
    const std::string_view collector = series.labels.get("collector");
    const core::Fault* fault = evidence.fault_of(collector);
    if (first.empty() && fault != nullptr)
      first = fmt::format(" The first of them, {}: {}.", collector, without_stop(fault->error.message));
  }
  return Cause{
      fmt::format("All {} collectors fail at once: most likely Weir's own link is down rather than all that it "
                  "watches.{}",
                  collectors.size(), first),
      0.96};
}

}  // namespace weir::incidents
