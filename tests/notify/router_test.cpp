#include "notify/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;

RoutingSettings settings(const std::string& yaml) {
  config::Diagnostics diagnostics;
  RoutingSettings parsed = parse(yaml, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return parsed;
}

RoutingSettings one_webhook() {
  return settings("receivers: [{name: team, webhook_configs: [{url: http://a}]}]\nroute: {receiver: team}");
}

using Messages = std::vector<core::OutboxMessage>;

TEST(Router, AnAlertThatFiresIsToldOfWithItsIncident) {
  const core::Alert firing = alert("billing");
  const Messages messages = route(one_webhook(), {incident({firing})}, {fired(firing)}, at(61));
  ASSERT_EQ(messages.size(), 1U);
  const core::Notification& notification = messages[0].notification;
  EXPECT_EQ(notification.receiver, "team");
  EXPECT_EQ(notification.integration, "webhook/0");
  EXPECT_EQ(notification.status, "firing");
  EXPECT_EQ(notification.incident_id, "00000000000000aa");
  EXPECT_EQ(notification.incident_title, "Consumer group billing falls behind");
  EXPECT_EQ(notification.cause, "the group has no members");
  EXPECT_EQ(notification.group_key, "{}:{incident_id=\"00000000000000aa\"}");
  EXPECT_EQ(notification.group_labels, (core::Labels{{"cluster", "prod"}, {"consumergroup", "billing"}}));
  ASSERT_EQ(notification.alerts.size(), 1U);
  EXPECT_EQ(notification.alerts[0].labels, firing.labels);
  EXPECT_EQ(messages[0].created_at, at(61));
  EXPECT_EQ(messages[0].next_attempt_at, at(61));
  EXPECT_EQ(messages[0].attempts, 0);
}

TEST(Router, TheEndOfTheLastAlertIsResolvedAndHasItsTime) {
  core::Alert over = resolved("billing");
  over.resolved_at.reset();
  const Messages messages = route(one_webhook(), {incident({over})}, {ended(over, at(400))}, at(401));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.status, "resolved");
  EXPECT_EQ(messages[0].notification.alerts[0].resolved_at, at(400));
}

TEST(Router, PendingChangesTellNobody) {
  core::Transition began = fired(alert("billing", "critical", core::AlertState::pending));
  began.from = core::AlertState::inactive;
  began.to = core::AlertState::pending;
  core::Transition withdrawn = ended(resolved("billing"));
  withdrawn.from = core::AlertState::pending;
  core::Transition none = fired(alert("billing"));
  none.from = core::AlertState::firing;
  EXPECT_TRUE(route(one_webhook(), {incident({})}, {began, withdrawn, none}, at(1)).empty());
}

TEST(Router, AllOfOneStepInOneIncidentIsOneMessageAndOtherIncidentsHaveTheirs) {
  const core::Alert a = alert("a");
  const core::Alert b = alert("b");
  const core::Alert c = alert("c");
  const Messages messages =
      route(one_webhook(), {incident({a, b}, "aa"), incident({c}, "cc")}, {fired(a), fired(c), fired(b)}, at(61));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.incident_id, "aa");
  EXPECT_EQ(messages[0].notification.alerts.size(), 2U);
  EXPECT_EQ(messages[1].notification.incident_id, "cc");
}

TEST(Router, WhileAnotherAlertOfTheIncidentFiresTheStatusIsNotResolved) {
  const core::Alert over = resolved("a");
  const core::Alert still = alert("b");
  const Messages messages = route(one_webhook(), {incident({over, still})}, {ended(over)}, at(301));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.status, "firing");
  ASSERT_EQ(messages[0].notification.alerts.size(), 2U);
  EXPECT_EQ(messages[0].notification.alerts[0].state, core::AlertState::inactive);
  EXPECT_EQ(messages[0].notification.alerts[1].labels, still.labels);
}

TEST(Router, WhatFiresComesBeforeWhatResolvedInTheSameStep) {
  const core::Alert over = resolved("a");
  const core::Alert firing = alert("b");
  const Messages messages =
      route(one_webhook(), {incident({over, firing})}, {ended(over, at(300)), fired(firing, at(300))}, at(300));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.alerts[0].labels, firing.labels);
  EXPECT_EQ(messages[0].notification.alerts[1].labels, over.labels);
}

TEST(Router, OfTwoChangesOfOneAlertTheLastCounts) {
  const core::Alert over = resolved("a");
  const Messages messages =
      route(one_webhook(), {incident({over})}, {fired(alert("a"), at(60)), ended(over, at(61))}, at(61));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.status, "resolved");
  EXPECT_EQ(messages[0].notification.alerts.size(), 1U);
}

TEST(Router, WithoutSendResolvedOnlyWhatFiresIsTold) {
  const RoutingSettings routing = settings(
      "receivers: [{name: team, webhook_configs: [{url: http://a, send_resolved: false}, {url: http://b}]}]\n"
      "route: {receiver: team}");
  const core::Alert over = resolved("a");
  const core::Alert firing = alert("b");
  Messages messages = route(routing, {incident({over})}, {ended(over)}, at(301));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.integration, "webhook/1");
  messages = route(routing, {incident({over, firing})}, {ended(over), fired(firing)}, at(301));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.integration, "webhook/0");
  EXPECT_EQ(messages[0].notification.alerts.size(), 1U);
  EXPECT_EQ(messages[1].notification.alerts.size(), 2U);
}

constexpr const char* kBySeverity = R"(
receivers:
  - {name: all, webhook_configs: [{url: http://a}]}
  - {name: pager, webhook_configs: [{url: http://b}]}
  - {name: nobody}
route:
  receiver: all
  group_by: [cluster]
  routes:
    - {matchers: [severity="critical"], receiver: pager, continue: true}
    - {matchers: [severity="critical"], receiver: all, group_by: [alertname, nothing]}
    - {matchers: [severity="info"], receiver: nobody}
)";

TEST(Router, EachAlertGoesWhereItsLabelsLead) {
  const core::Alert critical = alert("a", "critical");
  const core::Alert warning = alert("b", "warning");
  const core::Alert info = alert("c", "info");
  const Messages messages = route(settings(kBySeverity), {incident({critical, warning, info})},
                                  {fired(critical), fired(warning), fired(info)}, at(61));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.receiver, "pager");
  EXPECT_EQ(messages[0].notification.alerts.size(), 1U);
  EXPECT_EQ(messages[1].notification.receiver, "all");
  EXPECT_EQ(messages[1].notification.alerts.size(), 2U);
}

TEST(Router, AReceiverIsNotToldWhatConcernsOthersOnly) {
  const core::Alert critical = alert("a", "critical");
  const core::Alert over = resolved("b", "warning");
  const Messages messages = route(settings(kBySeverity), {incident({critical, over})}, {ended(over)}, at(301));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.receiver, "all");
}

TEST(Router, ReceiversKnowNothingOfAlertsThatDoNotReachThem) {
  const core::Alert warning = alert("a", "warning");
  const core::Alert over = resolved("b", "critical");
  const Messages messages = route(settings(kBySeverity), {incident({warning, over})}, {ended(over)}, at(301));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.receiver, "pager");
  EXPECT_EQ(messages[0].notification.status, "resolved") << "for the pager nothing fires any more";
  EXPECT_EQ(messages[1].notification.status, "firing");
}

TEST(Router, GroupLabelsAreThoseOfGroupByThatTheIncidentHas) {
  const core::Alert critical = alert("a", "critical");
  core::Incident one = incident({critical});
  one.labels = core::Labels{{"alertname", "KafkaConsumerLagHigh"}, {"cluster", "prod"}};
  const Messages messages = route(settings(kBySeverity), {one}, {fired(critical)}, at(61));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.group_labels, (core::Labels{{"cluster", "prod"}}));
  EXPECT_EQ(messages[0].notification.group_key, "{}/{severity=\"critical\"}:{incident_id=\"00000000000000aa\"}");
  EXPECT_EQ(messages[1].notification.group_labels, (core::Labels{{"alertname", "KafkaConsumerLagHigh"}}));
}

TEST(Router, AnAlertWithoutIncidentIsStillToldOf) {
  const core::Alert lonely = alert("a");
  const Messages messages = route(one_webhook(), {incident({alert("b")})}, {fired(lonely), fired(alert("c"))}, at(61));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.incident_id, "");
  EXPECT_EQ(messages[0].notification.group_key, "{}:" + lonely.labels.to_string());
  EXPECT_NE(messages[0].notification.group_key, messages[1].notification.group_key);
}

TEST(Router, TheNewestIncidentOfAnAlertIsTheOneToldOf) {
  const core::Alert firing = alert("a");
  core::Incident older = incident({firing}, "older");
  older.opened_at = at(1);
  older.resolved_at = at(2);
  const Messages messages = route(one_webhook(), {incident({firing}, "newer"), older}, {fired(firing)}, at(61));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.incident_id, "newer");
}

TEST(Router, AlertsOfDifferentRulesWithTheSameLabelsAreNotMixedUp) {
  const core::Alert one = alert("a");
  core::Alert other = one;
  other.rule = "Other";
  const Messages messages =
      route(one_webhook(), {incident({one}, "one"), incident({other}, "other")}, {fired(one), fired(other)}, at(61));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].notification.incident_id, "one");
  EXPECT_EQ(messages[1].notification.incident_id, "other");
}

TEST(Router, KeysAreStableAndDifferForWhateverDiffers) {
  const RoutingSettings routing = settings(
      "receivers: [{name: team, webhook_configs: [{url: http://a}, {url: http://b}]}]\nroute: {receiver: team}");
  const core::Alert a = alert("a");
  const core::Alert b = alert("b");
  const core::Alert over = resolved("a");
  std::set<std::string> keys;
  std::size_t made = 0;
  const auto add = [&](const Messages& messages) {
    for (const auto& message : messages) keys.insert(message.idempotency_key);
    made += messages.size();
  };
  add(route(routing, {incident({a}, "aa")}, {fired(a)}, at(61)));
  add(route(routing, {incident({a}, "bb")}, {fired(a)}, at(61)));
  add(route(routing, {incident({a}, "aa")}, {fired(a, at(62))}, at(62)));
  add(route(routing, {incident({a, b}, "aa")}, {fired(a), fired(b)}, at(61)));
  add(route(routing, {incident({a, b}, "aa")}, {fired(b)}, at(61)));
  add(route(routing, {incident({over}, "aa")}, {ended(over, at(60))}, at(61)));
  EXPECT_EQ(made, 12U);
  EXPECT_EQ(keys.size(), made);
  add(route(routing, {incident({a}, "aa")}, {fired(a)}, at(99)));  // planned again later
  EXPECT_EQ(keys.size(), 12U);
  for (const std::string& key : keys)
    EXPECT_EQ(key.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-"), std::string::npos);
}

TEST(Router, AStormIsBoundedAndCounted) {
  std::vector<core::Alert> alerts;
  std::vector<core::Transition> transitions;
  for (int i = 0; i < 10'000; ++i) {
    alerts.push_back(alert("group" + std::to_string(i)));
    transitions.push_back(fired(alerts.back()));
  }
  const Messages messages = route(one_webhook(), {incident(alerts)}, transitions, at(61));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].notification.alerts.size(), kMaxAlertsInMessage);
  EXPECT_EQ(messages[0].notification.truncated_alerts, 10'000 - kMaxAlertsInMessage);
}

TEST(Router, WithoutARouteNobodyIsTold) {
  const core::Alert firing = alert("a");
  EXPECT_TRUE(route({}, {incident({firing})}, {fired(firing)}, at(61)).empty());
}

}  // namespace
}  // namespace weir::notify
