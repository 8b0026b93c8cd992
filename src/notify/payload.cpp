#include "notify/payload.h"

namespace weir::notify {
namespace {

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

}  // namespace weir::notify
