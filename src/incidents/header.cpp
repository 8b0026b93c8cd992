#include "incidents/header.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "incidents/subject.h"

namespace weir::incidents {
namespace {

using Alerts = std::vector<core::Alert>;

core::Labels in_common(const Alerts& alerts) {
  core::LabelsBuilder common(alerts.front().labels);
  common.erase("alertname");
  common.erase("severity");
  for (const core::Alert& alert : alerts) {
    for (const auto& [name, value] : common.build()) {
      if (alert.labels.get(name) != value) common.erase(name);
    }
  }
  return common.build();
}

/// "consumer group fulfilment in prod"; of a part of a table, as its check names it.
std::string subject_text(const core::Node& origin, const Alerts& own) {
  if (own.empty()) return Subject{origin.kind, origin.name, origin.place, {}}.text();
  return subject_of(own.front().labels).text();
}

/// "Consumer group fulfilment in prod: KafkaConsumerLagHigh, KafkaMessagesLost"
std::string title_of(const core::Node& origin, const Alerts& own, const Alerts& all) {
  std::string title = subject_text(origin, own);
  title[0] = static_cast<char>(title[0] >= 'a' && title[0] <= 'z' ? title[0] - 32 : title[0]);
  std::vector<std::string> names;
  for (const Alerts* alerts : {&own, &all}) {
    for (const core::Alert& alert : *alerts) {
      if (std::ranges::find(names, alert.rule) == names.end()) names.push_back(alert.rule);
    }
  }
  if (origin.kind == "alert") return title;
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) title += (i == 0 ? ": " : ", ") + names[i];
  if (names.size() > kShown) title += fmt::format(" and {} more", names.size() - kShown);
  return title;
}

/// Those that fire; all where none does.
Alerts live(const Alerts& alerts) {
  Alerts found;
  std::ranges::copy_if(alerts, std::back_inserter(found),
                       [](const core::Alert& alert) { return alert.state == core::AlertState::firing; });
  return found.empty() ? alerts : found;
}

}  // namespace

std::string summary_of(const core::Alert& alert) {
  const std::string_view summary = alert.annotations.get("summary");
  return summary.empty() ? alert.rule : fmt::format("{}: {}", alert.rule, summary);
}

std::string name_of(const core::Alert& alert) {
  const Subject subject = subject_of(alert.labels);
  if (subject.kind == "alert") return alert.rule;
  std::string text = alert.rule + " of ";
  for (const std::string_view name : {"check", "topic", "partition", "column"}) {
    if (!alert.labels.has(name) || subject.identity.has(name)) continue;
    const std::string_view quote = name == "check" ? "\"" : "";
    text += fmt::format("{0} {2}{1}{2}, ", name, alert.labels.get(name), quote);
  }
  return text + subject.text();
}

void write_header(core::Incident& incident, const std::vector<core::Alert>& own) {
  if (incident.alerts.empty()) return;
  const Alerts all = live(incident.alerts);
  const Alerts at_origin = live(own);
  int rank = 0;
  for (const core::Alert& alert : all) rank = std::max(rank, severity_rank(alert.labels.get("severity")));
  incident.severity = severity_name(rank);
  incident.labels = in_common(at_origin.empty() ? all : at_origin);
  incident.title = title_of(*incident.reasons.origin, at_origin, all);
}

}  // namespace weir::incidents
