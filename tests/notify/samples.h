#pragma once

#include <deque>
#include <string>
#include <vector>

#include "config/node.h"
#include "core/alert.h"
#include "core/incident.h"
#include "net/http_client.h"
#include "notify/routing.h"

namespace weir::notify::testing {

inline core::Time at(std::int64_t seconds) { return core::Time(std::chrono::seconds(1'700'000'000 + seconds)); }

inline core::Alert alert(const std::string& group, const std::string& severity = "critical",
                         core::AlertState state = core::AlertState::firing) {
  core::Alert alert;
  alert.group = "kafka";
  alert.rule = "KafkaConsumerLagHigh";
  alert.labels =
      core::Labels{{"alertname", alert.rule}, {"cluster", "prod"}, {"consumergroup", group}, {"severity", severity}};
  alert.annotations = core::Labels{{"summary", group + " is behind"}, {"runbook", "https://runbooks/lag"}};
  alert.fingerprint = alert.labels.hash();
  alert.state = state;
  alert.active_at = at(0);
  alert.fired_at = at(60);
  if (state != core::AlertState::firing) alert.resolved_at = at(300);
  alert.value = 12000;
  return alert;
}

inline core::Alert resolved(const std::string& group, const std::string& severity = "critical") {
  return alert(group, severity, core::AlertState::inactive);
}

inline core::Transition fired(const core::Alert& alert, core::Time when = at(60)) {
  return {.alert = alert, .from = core::AlertState::pending, .to = core::AlertState::firing, .at = when, .reason = ""};
}

inline core::Transition ended(const core::Alert& alert, core::Time when = at(300)) {
  return {.alert = alert, .from = core::AlertState::firing, .to = core::AlertState::inactive, .at = when, .reason = ""};
}

inline core::Incident incident(std::vector<core::Alert> alerts, const std::string& id = "00000000000000aa") {
  core::Incident incident;
  incident.id = id;
  incident.key = "group/billing";
  incident.title = "Consumer group billing falls behind";
  incident.severity = "critical";
  incident.cause = "the group has no members";
  incident.labels = core::Labels{{"cluster", "prod"}, {"consumergroup", "billing"}};
  incident.opened_at = at(60);
  incident.alerts = std::move(alerts);
  return incident;
}

inline core::OutboxMessage message(std::int64_t sequence, const std::string& receiver = "team",
                                   const std::string& integration = "webhook/0") {
  core::OutboxMessage message;
  message.sequence = sequence;
  message.idempotency_key = "key-" + std::to_string(sequence);
  message.notification.receiver = receiver;
  message.notification.integration = integration;
  message.notification.status = "firing";
  message.notification.group_key = "{}:{incident_id=\"00000000000000aa\"}";
  message.notification.incident_id = "00000000000000aa";
  message.notification.incident_title = "Consumer group billing falls behind";
  message.notification.cause = "the group has no members";
  message.notification.alerts = {alert("billing")};
  message.created_at = at(0);
  message.next_attempt_at = at(0);
  return message;
}

/// Routing from YAML with the keys receivers and route.
inline RoutingSettings parse(const std::string& yaml, config::Diagnostics& diagnostics) {
  const config::Node root = config::parse_yaml(yaml, "weir.yml", diagnostics);
  return parse_routing({.receivers = root.find("receivers"),
                        .route = root.find("route"),
                        .global = root.find("global"),
                        .inhibit_rules = root.find("inhibit_rules"),
                        .time_intervals = root.find("time_intervals"),
                        .mute_time_intervals = root.find("mute_time_intervals"),
                        .templates = root.find("templates"),
                        .notifications = root.find("notifications")},
                       diagnostics);
}

/// Answers what it is told to and remembers what it was asked.
class FakeHttp final : public net::HttpClient {
 public:
  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token) override {
    requests.push_back(request);
    if (answers.empty()) return net::HttpResponse{.status = 200, .headers = {}, .body = "ok"};
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  void answer(int status, std::string body = {}, std::vector<std::pair<std::string, std::string>> headers = {}) {
    answers.emplace_back(net::HttpResponse{.status = status, .headers = std::move(headers), .body = std::move(body)});
  }
  void fail(core::Error error) { answers.emplace_back(std::unexpected(std::move(error))); }

  std::vector<net::HttpRequest> requests;
  std::deque<core::Result<net::HttpResponse>> answers;
};

}  // namespace weir::notify::testing
