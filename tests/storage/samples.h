#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include "core/alert.h"
#include "core/incident.h"
#include "storage/store.h"

namespace weir::storage::testing {

inline core::Time at(std::int64_t seconds) { return core::Time(std::chrono::seconds(1'700'000'000 + seconds)); }

/// A folder that goes away with its files.
class TempFolder {
 public:
  TempFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("weir-storage-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string file(const std::string& name = "weir.db") const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline core::Alert alert(const std::string& group, core::AlertState state = core::AlertState::firing) {
  core::Alert alert;
  alert.group = "kafka";
  alert.rule = "KafkaConsumerLagHigh";
  alert.labels =
      core::Labels{{"alertname", "KafkaConsumerLagHigh"}, {"consumergroup", group}, {"severity", "critical"}};
  alert.annotations = core::Labels{{"summary", "lag of " + group + " is \"high\""}};
  alert.fingerprint = alert.labels.hash();
  alert.state = state;
  alert.active_at = at(0);
  if (state == core::AlertState::firing) alert.fired_at = at(60);
  alert.value = 12000.25;
  return alert;
}

inline core::Transition fired(const core::Alert& alert, core::Time when) {
  return {.alert = alert, .from = core::AlertState::pending, .to = core::AlertState::firing, .at = when, .reason = ""};
}

inline core::Incident incident(const std::string& id, core::Time opened_at, std::vector<core::Alert> alerts) {
  core::Incident incident;
  incident.id = id;
  incident.key = "group/" + id;
  incident.title = "Consumer group " + id + " falls behind";
  incident.severity = "critical";
  incident.cause = "the group has no members";
  incident.labels = core::Labels{{"consumergroup", id}};
  incident.opened_at = opened_at;
  incident.alerts = std::move(alerts);
  incident.timeline = {{opened_at, "opened", "KafkaConsumerLagHigh fired"}};
  return incident;
}

inline core::OutboxMessage message(const std::string& key, const std::string& incident_id, core::Time when,
                                   const std::string& receiver = "team") {
  core::OutboxMessage message;
  message.idempotency_key = key;
  message.notification.receiver = receiver;
  message.notification.integration = "webhook/0";
  message.notification.status = "firing";
  message.notification.group_key = "{}:{incident_id=\"" + incident_id + "\"}";
  message.notification.group_labels = core::Labels{{"consumergroup", "billing"}};
  message.notification.incident_id = incident_id;
  message.notification.incident_title = "title";
  message.notification.cause = "cause";
  message.notification.alerts = {alert("billing")};
  message.created_at = when;
  message.next_attempt_at = when;
  return message;
}

}  // namespace weir::storage::testing
