#include "notify/payload.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace weir::notify {
namespace {

/// What alerts are about, as labels and in words.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kSubjects{{{"consumergroup", "Consumer group"},
                                                                                   {"topic", "Topic"},
                                                                                   {"dataset", "Table"},
                                                                                   {"check", "Check"},
                                                                                   {"subject", "Subject"},
                                                                                   {"connector", "Connector"},
                                                                                   {"cluster", "Cluster"},
                                                                                   {"source", "Source"},
                                                                                   {"registry", "Registry"},
                                                                                   {"collector", "Collector"},
                                                                                   {"job", "Job"},
                                                                                   {"instance", "Instance"}}};

constexpr std::size_t kImpact = 400;

/// The values that an annotation has among the alerts, at most three: "orders; clicks".
std::string distinct(const core::Notification& notification, std::string_view annotation) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string_view> values;
  for (const core::Alert& alert : notification.alerts) {
    const std::string_view value = alert.annotations.get(annotation);
    if (value.empty() || std::ranges::find(values, value) != values.end()) continue;
    values.push_back(value);
    if (values.size() > kMost) break;
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(values.size(), kMost); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : "; ", values[i]);
  return values.size() > kMost ? text + "; …" : text;
}

int rank_of(std::string_view severity) {
  constexpr std::array<std::string_view, 6> kRanks{"", "none", "info", "warning", "error", "critical"};
  if (severity == "page") return 5;
  const auto* found = std::ranges::find(kRanks, severity);
  return found == kRanks.end() ? 1 : static_cast<int>(found - kRanks.begin());
}

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return line;
}

template <class Member>
core::Labels common(const std::vector<core::Alert>& alerts, Member member) {
  if (alerts.empty()) return {};
  core::LabelsBuilder builder(alerts.front().*member);
  for (const auto& [name, value] : alerts.front().*member) {
    for (const core::Alert& alert : alerts) {
      if ((alert.*member).get(name) != value) {
        builder.erase(name);
        break;
      }
    }
  }
  return builder.build();
}

}  // namespace

std::string_view status_of(const core::Alert& alert) {
  return alert.state == core::AlertState::firing ? "firing" : "resolved";
}

core::Labels common_labels(const std::vector<core::Alert>& alerts) { return common(alerts, &core::Alert::labels); }
core::Labels common_annotations(const std::vector<core::Alert>& alerts) {
  return common(alerts, &core::Alert::annotations);
}

std::string page_link(const std::string& external_url, const std::string& incident_id) {
  if (external_url.empty()) return {};
  return incident_id.empty() ? external_url + "/" : external_url + "/#incident/" + incident_id;
}

std::string title_of(const core::Notification& notification) {
  if (!notification.incident_title.empty()) return notification.incident_title;
  return notification.alerts.empty() ? "Weir" : std::string(notification.alerts.front().labels.get("alertname"));
}

bool incident_goes_on(const core::Notification& notification) {
  return notification.status == "resolved" && notification.incident_state == "open";
}

std::string_view cause_label(const core::Notification& notification) {
  if (notification.status != "resolved") return "Likely cause";
  return incident_goes_on(notification) ? "The incident goes on, likely cause" : "Likely cause was";
}

std::string plain_cause(const core::Notification& notification) {
  if (notification.status != "resolved" || notification.cause.empty()) return notification.cause;
  return (incident_goes_on(notification) ? "the incident goes on: " : "was: ") + notification.cause;
}

std::string headline(const core::Notification& notification) {
  const auto firing = std::ranges::count(notification.alerts, core::AlertState::firing, &core::Alert::state);
  const std::string state =
      notification.status == "resolved"
          ? "RESOLVED"
          : fmt::format("FIRING:{}", static_cast<std::size_t>(firing) + notification.truncated_alerts);
  return one_line(fmt::format("[{}] {}{}", state, title_of(notification),
                              incident_goes_on(notification) ? " (the incident goes on)" : ""));
}

std::string_view worst_severity(const std::vector<core::Alert>& alerts) {
  std::string_view worst;
  for (const bool firing : {true, false}) {
    for (const core::Alert& alert : alerts) {
      if ((alert.state == core::AlertState::firing) != firing) continue;
      const std::string_view severity = alert.labels.get("severity");
      if (worst.empty() || rank_of(severity) > rank_of(worst)) worst = severity;
    }
    if (!worst.empty()) break;
  }
  return worst == "page" ? "critical" : worst;
}

std::vector<std::pair<std::string, std::string>> subject_facts(const core::Notification& notification) {
  constexpr std::size_t kMost = 8;
  const core::Labels labels = common_labels(notification.alerts);
  std::vector<std::pair<std::string, std::string>> facts;
  for (const auto& [name, title] : kSubjects) {
    if (labels.has(name) && facts.size() < kMost) facts.emplace_back(title, one_line(labels.get(name)));
  }
  return facts;
}

std::vector<std::pair<std::string, std::string>> impact_facts(const core::Notification& notification) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const char* title, const std::string& value) {
    if (!value.empty()) facts.emplace_back(title, cut(one_line(value), kImpact));
  };
  add("Owner", notification.owner.empty() ? distinct(notification, "pipeline_owner") : notification.owner);
  add("Pipeline", distinct(notification, "pipeline"));
  if (notification.status != "resolved") add("Downstream", distinct(notification, "downstream"));
  add("Catalog", distinct(notification, "catalog"));
  return facts;
}

std::vector<std::pair<std::string, std::string>> impact_fields(const core::Notification& notification) {
  auto fields = impact_facts(notification);
  for (auto& [name, value] : fields) name[0] = static_cast<char>(name[0] + ('a' - 'A'));
  return fields;
}

std::string plain_subject(const core::Notification& notification) {
  std::string text;
  for (auto& [name, value] : subject_facts(notification)) {
    std::string word = name;
    word[0] = static_cast<char>(word[0] + ('a' - 'A'));
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, value);
  }
  return text.empty() ? title_of(notification) : text;
}

std::string plain_alerts(const core::Notification& notification, std::size_t most) {
  constexpr std::size_t kLine = 300;
  std::string lines;
  std::size_t shown = 0;
  for (const core::Alert& alert : notification.alerts) {
    if (shown == most) break;
    std::string_view text = alert.annotations.get("summary");
    if (text.empty()) text = alert.annotations.get("description");
    std::string line = fmt::format("{}{}{}{}", alert.labels.get("alertname"),
                                   alert.state == core::AlertState::firing ? "" : " (resolved)",
                                   text.empty() ? "" : ": ", one_line(text));
    if (text.empty()) line += " " + alert.labels.without("alertname").to_string();
    if (const std::string_view flapping = alert.annotations.get("flapping"); !flapping.empty())
      line += fmt::format(" (flapping: {})", flapping);
    lines += fmt::format("{}- {}", shown == 0 ? "" : "\n", cut(line, kLine));
    ++shown;
  }
  const std::size_t more = notification.alerts.size() - shown + notification.truncated_alerts;
  if (more > 0) lines += fmt::format("\nand {} more", more);
  return lines;
}

std::string dedup_key(const core::Notification& notification) {
  return fmt::format("{:016x}",
                     core::Labels{{"receiver", notification.receiver}, {"group", notification.group_key}}.hash());
}

std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most < 3 ? 0 : most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "…";
}

void not_applied(config::MapReader& reader, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const config::Node* given = reader.child(key))
      reader.diagnostics().hint(
          given->position(),
          fmt::format("{}: \"{}\" has no effect: messages have Weir's own layout", reader.what(), key));
  }
}

}  // namespace weir::notify
