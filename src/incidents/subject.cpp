#include "incidents/subject.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace weir::incidents {
namespace {

struct Shape {
  std::string_view kind;
  std::string_view name;   // the label that names it
  std::string_view place;  // the label it is unique in, "" for none
};

// The first whose label an alert carries counts: a group's lag on a topic is the group's incident.
constexpr std::array kShapes{
    Shape{"consumer group", "consumergroup", "cluster"},
    Shape{"topic", "topic", "cluster"},
    Shape{"subject", "subject", "registry"},
    Shape{"table", "dataset", "source"},
    Shape{"job", "job_name", "job_namespace"},
    Shape{"connector", "connector", "cluster"},
    Shape{"pipeline", "pipeline", "system"},
    Shape{"DAG", "dag", ""},
    Shape{"collector", "collector", ""},
    Shape{"rule group", "rule_group", ""},
    Shape{"receiver", "receiver", ""},
    Shape{"cluster", "cluster", ""},
    Shape{"registry", "registry", ""},
    Shape{"source", "source", ""},
};

constexpr std::array<std::string_view, 5> kCritical{"critical", "page", "emergency", "fatal", "disaster"};
constexpr std::array<std::string_view, 5> kInfo{"", "info", "information", "none", "debug"};

}  // namespace

std::string Subject::text() const {
  const bool blank = std::ranges::all_of(name, [](unsigned char c) { return c <= ' ' || c == 0x7F; });
  const std::string shown = blank ? fmt::format("\"{}\"", name) : name;  // nobody could see it else
  return place.empty() ? fmt::format("{} {}", kind, shown) : fmt::format("{} {} in {}", kind, shown, place);
}

std::string Subject::key() const { return fmt::format("{} {}", kind, identity.to_string()); }

Subject subject_of(const core::Labels& alert_labels) {
  for (const Shape& shape : kShapes) {
    if (!alert_labels.has(shape.name)) continue;
    Subject subject{
        shape.kind, std::string(alert_labels.get(shape.name)), std::string(alert_labels.get(shape.place)), {}};
    subject.identity = core::Labels{{shape.name, subject.name}, {shape.place, subject.place}};
    return subject;
  }
  const std::string_view name = alert_labels.get("alertname");
  return {"alert", std::string(name), "", core::Labels{{"alertname", name}}};
}

core::Node node_of(const core::Labels& labels) {
  // A task of a connector is named by it too; the cluster it is in is Connect's.
  if (labels.has("connector"))
    return {"connector", std::string(labels.get("cluster")), std::string(labels.get("connector"))};
  const Subject subject = subject_of(labels);
  // A dataset of checks may be a part of its table: "orders [recent]".
  const std::size_t end = subject.kind == "table" ? subject.name.find(" [") : std::string::npos;
  return {std::string(subject.kind), subject.place, subject.name.substr(0, end)};
}

int severity_rank(std::string_view severity) {
  if (std::ranges::find(kCritical, severity) != kCritical.end()) return 2;
  return std::ranges::find(kInfo, severity) != kInfo.end() ? 0 : 1;
}

std::string_view severity_name(int rank) { return rank >= 2 ? "critical" : rank == 1 ? "warning" : "info"; }

}  // namespace weir::incidents
