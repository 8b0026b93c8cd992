#include "app/step_log.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "core/retry_note.h"
#include "runtime/log.h"

namespace weir::app {
namespace {

constexpr std::size_t kMostLines = 50;

template <class Items, class Log>
void log_each(const Items& items, std::string_view what, Log log) {
  const std::size_t shown = std::min(items.size(), kMostLines);
  for (std::size_t i = 0; i < shown; ++i) log(items[i]);
  if (items.size() > shown)
    runtime::log_info("more of the same at once", {{"what", what}, {"more", items.size() - shown}});
}

void log_alert(const core::Transition& transition) {
  const core::Alert& alert = transition.alert;
  const std::string labels = alert.labels.without("alertname").without("severity").to_string();
  const std::string_view severity = alert.labels.get("severity");
  if (transition.to == core::AlertState::firing) {
    runtime::log_info("alert fires", {{"alert", alert.rule},
                                      {"severity", severity},
                                      {"labels", labels},
                                      {"summary", alert.annotations.get("summary")}});
  } else {
    runtime::log_info("alert resolved", {{"alert", alert.rule},
                                         {"severity", severity},
                                         {"labels", labels},
                                         {"reason", transition.reason.empty() ? "recovered" : transition.reason}});
  }
}

void log_incident(const IncidentNote& note) {
  if (note.lasted) {
    const auto lasted = std::chrono::floor<std::chrono::seconds>(*note.lasted);
    runtime::log_info("incident closed",
                      {{"incident", note.id}, {"title", note.title}, {"lasted", core::format_duration(lasted)}});
  } else {
    runtime::log_info(
        note.reopened ? "incident reopened" : "incident opened",
        {{"incident", note.id}, {"title", note.title}, {"severity", note.severity}, {"cause", note.cause}});
  }
}

void log_fault(std::string_view source, const FaultLog::Line& line) {
  const std::string about = line.fault.scope.to_string();
  const std::string error = line.fault.error.describe();
  if (line.ended) {
    runtime::log_info(line.fault.no_value ? "has a value again" : "can be seen again",
                      {{"collector", source}, {"what", about}});
  } else if (line.fault.no_value) {
    runtime::log_info("has no value", {{"collector", source}, {"what", about}, {"error", error}});
  } else {
    runtime::log_warn("cannot be seen", {{"collector", source}, {"what", about}, {"error", error}});
  }
}

/// What stays the same while a fault does.
std::string stem(const core::Fault& fault) {
  std::string text = fault.no_value ? "no value: " : "unseen: ";
  for (const char c : core::without_retry_notes(fault.error.message)) {
    if (c < '0' || c > '9') text += c;
  }
  return text;
}

void log_delivery(const notify::Report& report) {
  if (report.outcome == notify::Outcome::delivered) {
    runtime::log_info("notification sent",
                      {{"receiver", report.receiver}, {"status", report.status}, {"incident", report.incident}});
  } else if (report.outcome == notify::Outcome::dead) {
    runtime::log_warn("notification given up", {{"receiver", report.receiver},
                                                {"status", report.status},
                                                {"incident", report.incident},
                                                {"error", report.error}});
  }
}

}  // namespace

void log_step(const JudgeStep& step) {
  log_each(step.notable, "alerts", log_alert);
  log_each(step.incident_notes, "incidents", log_incident);
}

void DeliveryLog::note(const notify::Report& report) {
  log_delivery(report);
  // Each retry of a receiver that is down would be a line; what changes is whether it works.
  std::string& last = errors_[report.receiver];
  if (report.error != last && report.outcome != notify::Outcome::dead) {
    report.error.empty()
        ? runtime::log_info("receiver works again", {{"receiver", report.receiver}})
        : runtime::log_warn(
              "notification not delivered",
              {{"receiver", report.receiver}, {"outcome", notify::to_string(report.outcome)}, {"error", report.error}});
  }
  last = report.error;
  std::string& problems = template_problems_[report.receiver];
  if (problems != report.template_problems && !report.template_problems.empty())
    runtime::log_warn("a template failed: Weir's own text was told instead",
                      {{"receiver", report.receiver}, {"error", report.template_problems}});
  if (report.outcome != notify::Outcome::retried) problems = report.template_problems;
}

std::vector<FaultLog::Line> FaultLog::changes(std::string_view source, const std::vector<core::Fault>& faults) {
  std::map<core::Labels, core::Fault> now;
  for (const core::Fault& fault : faults) {
    if (!fault.scope.has("column")) now.try_emplace(fault.scope, fault);
  }
  std::map<core::Labels, core::Fault>& before = present_[std::string(source)];
  std::vector<Line> lines;
  std::set<std::tuple<bool, core::Labels, std::string>> told;  // of several metrics of one thing it is one line
  const auto tell = [&](bool ended, const core::Fault& fault) {
    if (told.emplace(ended, fault.scope.without(core::kMetricName), stem(fault)).second)
      lines.push_back({ended, fault});
  };
  for (const auto& [scope, fault] : now) {
    const auto known = before.find(scope);
    if (known == before.end() || stem(known->second) != stem(fault)) tell(false, fault);
  }
  for (const auto& [scope, fault] : before) {
    if (!now.contains(scope)) tell(true, fault);
  }
  before = std::move(now);
  return lines;
}

void FaultLog::note(std::string_view source, const std::vector<core::Fault>& faults) {
  log_each(changes(source, faults), source, [&](const Line& line) { log_fault(source, line); });
}

}  // namespace weir::app
