#include "rules/absence.h"

#include <fmt/format.h>

namespace weir::rules {
namespace {

using core::AlertState;

core::Alert absence_of(const ActiveAlert& original, const core::Labels& labels, core::Time now,
                       const AbsenceOptions& options) {
  core::Alert alert;
  alert.fingerprint = labels.hash();
  alert.group = options.group;
  alert.rule = std::string(kDataAbsent);
  alert.labels = labels;
  alert.annotations = core::Labels{
      {"summary", fmt::format("No data for {} since {}: it stays {}, whatever has become of it, until data are back",
                              original.alert.rule, core::format_rfc3339(*original.absent_since),
                              core::to_string(original.alert.state))}};
  alert.state = AlertState::firing;
  alert.active_at = *original.absent_since;
  alert.fired_at = now;
  return alert;
}

bool active(const AlertMap& alerts, const core::Labels& labels) {
  const auto found = alerts.find(labels);
  return found != alerts.end() && found->second.alert.state != AlertState::inactive;
}

}  // namespace

bool is_data_absent(const core::Alert& alert) {
  return alert.rule == kDataAbsent && !alert.labels.get(kAbsentAlert).empty();
}

core::Labels absent_labels(const core::Labels& original) {
  core::LabelsBuilder labels(original);
  labels.set("alertname", kDataAbsent);
  labels.set("severity", "warning");
  labels.set(kAbsentAlert, original.get("alertname"));
  labels.set(kAbsentSeverity, original.get("severity"));
  return labels.build();
}

core::Labels original_labels(const core::Labels& absent) {
  core::LabelsBuilder labels(absent);
  labels.set("alertname", absent.get(kAbsentAlert));
  labels.set("severity", absent.get(kAbsentSeverity));
  labels.set(kAbsentAlert, "");
  labels.set(kAbsentSeverity, "");
  return labels.build();
}

StepResult step_absences(const Rule& rule, const AlertMap& alerts, const AlertMap& previous, core::Time now,
                         const AbsenceOptions& options) {
  StepResult result;
  for (const auto& [labels, entry] : alerts) {
    if (entry.alert.state == AlertState::inactive || !entry.absent_since || rule.no_data != NoData::keep) continue;
    const core::Labels own = absent_labels(labels);
    const bool known = active(previous, own);
    if (!known && now - *entry.absent_since < options.after) continue;
    core::Alert alert = known ? previous.at(own).alert : absence_of(entry, own, now, options);
    alert.value = core::to_seconds(now - alert.active_at);
    if (!known) result.transitions.push_back({alert, AlertState::inactive, alert.state, now, "no data"});
    result.alerts.emplace(own, ActiveAlert{std::move(alert), std::nullopt, false});
  }
  for (const auto& [labels, entry] : previous) {
    if (result.alerts.contains(labels)) continue;
    core::Alert alert = entry.alert;
    if (alert.state != AlertState::inactive) {
      const bool back = active(alerts, original_labels(labels));
      alert.state = AlertState::inactive;
      alert.resolved_at = now;
      result.transitions.push_back(
          {alert, AlertState::firing, alert.state, now, back ? "data are back" : "the alert ended"});
    } else if (!alert.resolved_at || now - *alert.resolved_at > options.resolved_retention) {
      continue;
    }
    result.alerts.emplace(labels, ActiveAlert{std::move(alert), std::nullopt, false});
  }
  return result;
}

}  // namespace weir::rules
