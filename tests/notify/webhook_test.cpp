#include "notify/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "notify/payload.h"

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using nlohmann::json;

TEST(WebhookPayload, IsAlertmanagersVersion4WithTwoFieldsMore) {
  core::Notification notification = message(1).notification;
  core::Alert over = resolved("audit", "warning");
  over.annotations = core::Labels{{"summary", "audit is fine"}, {"runbook", "https://runbooks/lag"}};
  notification.alerts.push_back(over);
  notification.group_labels = core::Labels{{"cluster", "prod"}};
  notification.incident_state = "open";
  const json expected = json::parse(R"({
    "receiver": "team", "status": "firing",
    "alerts": [
      {"status": "firing",
       "labels": {"alertname": "KafkaConsumerLagHigh", "cluster": "prod", "consumergroup": "billing", "severity": "critical"},
       "annotations": {"runbook": "https://runbooks/lag", "summary": "billing is behind"},
       "startsAt": "2023-11-14T22:14:20.000Z", "endsAt": "0001-01-01T00:00:00Z",
       "generatorURL": "http://weir:9877/#incident/00000000000000aa", "fingerprint": "FP1"},
      {"status": "resolved",
       "labels": {"alertname": "KafkaConsumerLagHigh", "cluster": "prod", "consumergroup": "audit", "severity": "warning"},
       "annotations": {"runbook": "https://runbooks/lag", "summary": "audit is fine"},
       "startsAt": "2023-11-14T22:14:20.000Z", "endsAt": "2023-11-14T22:18:20.000Z",
       "generatorURL": "http://weir:9877/#incident/00000000000000aa", "fingerprint": "FP2"}],
    "groupLabels": {"cluster": "prod"},
    "commonLabels": {"alertname": "KafkaConsumerLagHigh", "cluster": "prod"},
    "commonAnnotations": {"runbook": "https://runbooks/lag"},
    "externalURL": "http://weir:9877", "version": "4",
    "groupKey": "{}:{incident_id=\"00000000000000aa\"}", "truncatedAlerts": 0,
    "incident_id": "00000000000000aa", "incident_state": "open", "cause": "the group has no members"})");
  json payload = json::parse(webhook_payload(notification, 0, "http://weir:9877"));
  for (int i = 0; i < 2; ++i) {
    const std::string print = payload["alerts"][i]["fingerprint"];
    EXPECT_EQ(print.size(), 16U);
    EXPECT_EQ(std::stoull(print, nullptr, 16), notification.alerts.at(static_cast<std::size_t>(i)).fingerprint);
    payload["alerts"][i]["fingerprint"] = "FP" + std::to_string(i + 1);
  }
  EXPECT_EQ(payload, expected) << payload.dump(2);
}

TEST(WebhookPayload, TheCauseOfWhatResolvedIsWhatItWas) {
  core::Notification notification = message(1).notification;
  notification.status = "resolved";
  notification.alerts = {resolved("billing")};
  notification.incident_state = "resolved";
  EXPECT_EQ(json::parse(webhook_payload(notification, 0, ""))["cause"], "was: the group has no members");
  notification.incident_state = "open";
  const json goes_on = json::parse(webhook_payload(notification, 0, ""));
  EXPECT_EQ(goes_on["cause"], "the incident goes on: the group has no members");
  EXPECT_EQ(goes_on["status"], "resolved") << "of the alerts, as Alertmanager's";
  EXPECT_EQ(goes_on["incident_state"], "open");
  notification.cause = "";
  EXPECT_EQ(json::parse(webhook_payload(notification, 0, ""))["cause"], "");
}

TEST(WebhookPayload, MaxAlertsCutsAndCounts) {
  core::Notification notification = message(1).notification;
  for (int i = 0; i < 9; ++i) notification.alerts.push_back(alert("g" + std::to_string(i)));
  notification.truncated_alerts = 5;
  const json all = json::parse(webhook_payload(notification, 0, ""));
  EXPECT_EQ(all["alerts"].size(), 10U);
  EXPECT_EQ(all["truncatedAlerts"], 5);
  const json cut = json::parse(webhook_payload(notification, 1, ""));
  EXPECT_EQ(cut["alerts"].size(), 1U);
  EXPECT_EQ(cut["truncatedAlerts"], 14);
  EXPECT_EQ(cut["commonLabels"]["consumergroup"], "billing") << "of the alerts that are in it";
  EXPECT_EQ(cut["alerts"][0]["generatorURL"], "") << "without an external URL";
}

TEST(WebhookPayload, EmptySetsAreObjectsAndOddBytesAreReplaced) {
  core::Notification notification;
  notification.cause = "caf\xe9";
  const json empty = json::parse(webhook_payload(notification, 0, ""));
  EXPECT_EQ(empty["alerts"], json::array());
  EXPECT_EQ(empty["groupLabels"], json::object());
  EXPECT_EQ(empty["commonLabels"], json::object());
  EXPECT_EQ(empty["cause"], "caf\xef\xbf\xbd");
}

TEST(Webhook, PostsWithTheKeyOfTheMessage) {
  config::Diagnostics diagnostics;
  const RoutingSettings routing = parse(
      "receivers: [{name: team, webhook_configs: [{url: 'http://a/hook', max_alerts: 1, http_config: {authorization: "
      "{credentials: tok}}}]}]\nroute: {receiver: team}",
      diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  FakeHttp http;
  const auto notifier = routing.receivers[0].integrations[0].make({http, "http://weir"});
  const auto delivered = notifier->deliver(message(7), {.now = at(0)});
  ASSERT_TRUE(delivered);
  EXPECT_EQ(delivered->status, 200);
  const net::HttpRequest& request = http.requests.at(0);
  EXPECT_EQ(request.url, "http://a/hook");
  EXPECT_EQ(request.bearer.reveal(), "tok");
  EXPECT_THAT(request.headers, ::testing::Contains(std::pair{"Idempotency-Key", "key-7"}));
  EXPECT_EQ(json::parse(request.body)["externalURL"], "http://weir");
}

TEST(Payload, LinksToTheIncidentOrThePage) {
  EXPECT_EQ(page_link("http://weir", "aa"), "http://weir/#incident/aa");
  EXPECT_EQ(page_link("http://weir", ""), "http://weir/");
  EXPECT_EQ(page_link("", "aa"), "");
}

}  // namespace
}  // namespace weir::notify
