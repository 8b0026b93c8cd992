#include "notify/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTree = R"(
receivers:
  - name: default
  - name: team
    webhook_configs: [{url: "http://a/1"}, {url: "http://a/2", send_resolved: false, max_alerts: 5}]
    slack_configs: [{api_url: "https://hooks.slack.com/services/T/B/x", channel: "#data", send_resolved: true}]
  - name: night
    webhook_configs: {url: "http://night/"}
route:
  receiver: default
  group_by: [cluster]
  routes:
    - matchers: ['severity="critical"', 'cluster=~"prod|live"']
      receiver: team
      continue: true
      group_by: ['...']
      routes:
        - matchers: [consumergroup="billing"]
    - match: {severity: critical}
      receiver: night
    - match_re: {severity: "warn.*"}
      receiver: team
)";

RoutingSettings must_parse(const std::string& yaml) {
  config::Diagnostics diagnostics;
  RoutingSettings settings = parse(yaml, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return settings;
}

std::string mistakes(const std::string& yaml) {
  config::Diagnostics diagnostics;
  (void)parse(yaml, diagnostics);
  return diagnostics.to_string();
}

std::vector<std::string> reached(const RoutingSettings& settings, const core::Labels& labels) {
  std::vector<std::string> receivers;
  for (const Route* route : matching_routes(*settings.root, labels)) receivers.push_back(route->receiver);
  return receivers;
}

TEST(Routing, ReadsReceiversWithTheirIntegrations) {
  const RoutingSettings settings = must_parse(kTree);
  ASSERT_EQ(settings.receivers.size(), 3U);
  EXPECT_TRUE(settings.find("default")->integrations.empty());
  EXPECT_EQ(settings.find("nobody"), nullptr);
  const Receiver& team = *settings.find("team");
  ASSERT_EQ(team.integrations.size(), 3U);
  EXPECT_EQ(team.integrations[0].id, "webhook/0");
  EXPECT_TRUE(team.integrations[0].send_resolved);
  EXPECT_EQ(team.integrations[1].id, "webhook/1");
  EXPECT_FALSE(team.integrations[1].send_resolved);
  EXPECT_EQ(team.integrations[2].id, "slack/0");
  EXPECT_TRUE(team.integrations[2].send_resolved);
  std::vector<std::string> names;
  for (const auto& [name, integration] : endpoints(settings)) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("team/webhook/0", "team/webhook/1", "team/slack/0", "night/webhook/0"));
}

TEST(Routing, SlackHearsOfResolvedAlertsOnlyWhenAsked) {
  const RoutingSettings settings = must_parse(
      "receivers: [{name: a, slack_configs: [{api_url: 'https://hooks.slack.com/services/x'}]}]\nroute: {receiver: a}");
  EXPECT_FALSE(settings.receivers[0].integrations[0].send_resolved);
}

TEST(Routing, TheTreeIsWalkedAsAlertmanagerDoes) {
  const RoutingSettings settings = must_parse(kTree);
  EXPECT_THAT(reached(settings, {{"severity", "critical"}, {"cluster", "prod"}}), ElementsAre("team", "night"));
  EXPECT_THAT(reached(settings, {{"severity", "critical"}, {"cluster", "test"}}), ElementsAre("night"));
  EXPECT_THAT(reached(settings, {{"severity", "warning"}}), ElementsAre("team"));
  EXPECT_THAT(reached(settings, {{"severity", "info"}}), ElementsAre("default"));
}

TEST(Routing, ChildrenInheritReceiverAndGroupingAndHaveTheirOwnKey) {
  const RoutingSettings settings = must_parse(kTree);
  const auto routes =
      matching_routes(*settings.root, {{"severity", "critical"}, {"cluster", "prod"}, {"consumergroup", "billing"}});
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0]->receiver, "team");
  EXPECT_THAT(routes[0]->group_by, ElementsAre("..."));
  EXPECT_EQ(routes[0]->key, "{}/{cluster=~\"prod|live\",severity=\"critical\"}/{consumergroup=\"billing\"}");
  EXPECT_THAT(routes[1]->group_by, ElementsAre("cluster"));
}

TEST(Routing, WithoutBothSectionsNobodyIsTold) {
  const RoutingSettings settings = must_parse("listen: 1");
  EXPECT_TRUE(settings.receivers.empty());
  EXPECT_FALSE(settings.root);
}

TEST(Routing, NamesAReceiverThatIsNotThereAtItsPlace) {
  const std::string all = mistakes(
      "receivers: [{name: team}]\nroute:\n  receiver: taem\n  routes:\n"
      "    - receiver: teams\n");
  EXPECT_THAT(all, HasSubstr("weir.yml:5:17: route: \"receiver\": no receiver is named \"teams\" (did you mean "
                             "\"team\"?)"));
  EXPECT_THAT(all, HasSubstr("weir.yml:3:13: route: \"receiver\": no receiver is named \"taem\""));
}

TEST(Routing, AnIntervalThatChildrenInheritIsToldOnce) {
  EXPECT_EQ(mistakes("receivers: [{name: a}]\nroute:\n  receiver: a\n  group_interval: 0s\n"
                     "  routes: [{routes: [{repeat_interval: 0s}]}, {}]\n"),
            "weir.yml:4:19: route: \"group_interval\": must be more than 0\n"
            "weir.yml:5:40: route: \"repeat_interval\": must be more than 0\n");
}

TEST(Routing, AMisspeltDayOrMonthIsSuggested) {
  const std::string all = mistakes(
      "receivers: [{name: a}]\nroute: {receiver: a}\ntime_intervals:\n  - name: x\n    time_intervals:\n"
      "      - {weekdays: [mnday, 'monday:fridya', 'friday:monday'], months: [Decembr, '3:july', '1:jnue']}\n");
  EXPECT_THAT(all, HasSubstr("\"mnday\" is no range such as monday:friday (did you mean \"monday\"?)\n"));
  EXPECT_THAT(all, HasSubstr("\"monday:fridya\" is no range such as monday:friday (did you mean \"friday\"?)\n"));
  EXPECT_THAT(all, HasSubstr("\"friday:monday\" is no range such as monday:friday; its beginning must not be after"));
  EXPECT_THAT(all, HasSubstr("\"Decembr\" is no range such as 1:5 or 3 (did you mean \"december\"?)\n"));
  EXPECT_THAT(all, HasSubstr("\"1:jnue\" is no range such as 1:5 or 3 (did you mean \"june\"?)\n"));
  EXPECT_EQ(std::ranges::count(all, '\n'), 5) << all;
}

TEST(Routing, NamesEveryMistakeAtOnce) {
  const std::string all = mistakes(R"(receivers:
  - name: team
    webhook_confgs: []
    webhook_configs: [{urll: "http://a"}, {url: "ftp://a"}, {url: "http://a", url_file: /x}]
    slack_configs: [{channel: "#a", title: "{{ .Title }}"}]
  - name: team
  - webhook_configs: []
route:
  receiver: team
  matchers: [severity="critical"]
  continue: true
  group_wait: soon
  routes: [{matchers: ['severity=~"("']}]
)");
  for (const char* expected : {
           "weir.yml:3:5: receiver \"team\": unknown key \"webhook_confgs\" (did you mean \"webhook_configs\"?)",
           "weir.yml:4:24: receiver \"team\", webhook_configs[0]: unknown key \"urll\" (did you mean \"url\"?)",
           "receiver \"team\", webhook_configs[1]: \"url\": is not a URL that begins with http:// or https://",
           "receiver \"team\", webhook_configs[2]: give either \"url\" or \"url_file\", not both",
           "receiver \"team\", slack_configs[0]: key \"api_url\" is missing; give it here or in \"api_url_file\"",
           "receiver \"team\": the name is taken already",
           "key \"name\" is missing",
           "the root of the tree must have no matchers",
           "route: \"continue\": has no sense at the root",
           "weir.yml:12:15: route: \"group_wait\": \"soon\" is",
           "route: regex \"(\" is not valid",
       }) {
    EXPECT_THAT(all, HasSubstr(expected));
  }
  EXPECT_THAT(all, Not(HasSubstr("\"url\" is missing"))) << "the misspelt key is the cause";
}

TEST(Routing, AReceiverThatTellsNobodyIsHintedAt) {
  config::Diagnostics diagnostics;
  const config::Node root =
      config::parse_yaml("receivers: [{name: drop}]\nroute: {receiver: drop}", "weir.yml", diagnostics);
  parse_routing({.receivers = root.find("receivers"), .route = root.find("route")}, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << "as with Alertmanager, it is how to drop messages";
  ASSERT_EQ(diagnostics.hints().size(), 1U);
  EXPECT_EQ(diagnostics.hints()[0].to_string(),
            "weir.yml:1:13: receiver \"drop\": nobody is told what reaches it; give it webhook_configs, slack_configs "
            "or another kind");
}

TEST(Routing, WhatFollowsFromAMistakeIsNotReported) {
  EXPECT_EQ(mistakes("receivers: [{nam: team}]\nroute: {receiver: team}"),
            "weir.yml:1:14: receiver: unknown key \"nam\" (did you mean \"name\"?)\n");
  EXPECT_EQ(mistakes("receivers: {name: team}\nroute: {receiver: team}"),
            "weir.yml:1:12: receivers: expected a list, found a mapping\n");
  EXPECT_EQ(mistakes("receivers: [{name: a, webhook_configs: [{url: http://a, http_config: {authorization: "
                     "{credentials_file: /none}}}]}]\nroute: {receiver: a}"),
            "weir.yml:1:105: receiver \"a\", webhook_configs[0], http_config, authorization: \"credentials_file\": "
            "\"/none\" cannot be read: No such file or directory\n");
}

TEST(Routing, NamesSectionsOfTheWrongShape) {
  EXPECT_THAT(mistakes("receivers: {name: a}"), HasSubstr("receivers: expected a list, found a mapping"));
  EXPECT_THAT(mistakes("receivers: [{name: a}]"), HasSubstr("nothing leads to them"));
  EXPECT_THAT(mistakes("route: [a]"), HasSubstr("route: expected a mapping"));
  EXPECT_THAT(mistakes("route: {receiver: ''}"), HasSubstr("\"receiver\" must not be empty"));
  EXPECT_THAT(mistakes("receivers: [7]\nroute: {}"), HasSubstr("expected a mapping"));
}

TEST(Routing, ASecretUrlIsNotShownInAMistake) {
  const std::string all = mistakes(
      "receivers: [{name: a, slack_configs: [{api_url: 'hooks.slack.com/services/T0/B0/topsecret'}]}]\n"
      "route: {receiver: a}");
  EXPECT_THAT(all, HasSubstr("is not a URL"));
  EXPECT_THAT(all, Not(HasSubstr("topsecret")));
}

TEST(Routing, GroupsAreByNamesOfLabels) {
  const std::string receiver = "receivers: [{name: a}]\n";
  EXPECT_EQ(mistakes(receiver + "route: {receiver: a, group_by: [alertname, 1x, cluster]}"),
            "weir.yml:2:44: route: \"group_by\": \"1x\" is no label's name\n");
  EXPECT_EQ(mistakes(receiver + "route: {receiver: a, group_by: ['...']}"), "");
  EXPECT_EQ(
      mistakes(receiver + "route: {receiver: a}\ninhibit_rules: [{source_matchers: [a=b], target_matchers: [c=d], "
                          "equal: [cluster, a-b]}]"),
      "weir.yml:3:83: inhibit_rules[0]: \"equal\": \"a-b\" is no label's name\n");
}

TEST(Routing, AnAddressThatCannotBeOneIsAMistake) {
  const std::string all = mistakes(
      "receivers: [{name: a, webhook_configs: [{url: 'http://h:65536/topsecret'}]}]\nroute: {receiver: a}\n"
      "global: {slack_api_url: topsecret, opsgenie_api_url: 'http://h:x'}");
  EXPECT_THAT(
      all,
      HasSubstr("weir.yml:1:47: receiver \"a\", webhook_configs[0]: \"url\": has a host or port that cannot be one"));
  EXPECT_THAT(all, HasSubstr("global: \"slack_api_url\": is not a URL"));
  EXPECT_THAT(all, HasSubstr("global: \"opsgenie_api_url\": has a host or port that cannot be one"));
  EXPECT_THAT(all, Not(HasSubstr("topsecret")));
}

TEST(Routing, HttpConfigOfAlertmanagerIsReadAndChecked) {
  const std::string yaml = R"(receivers:
  - name: a
    webhook_configs:
      - url: http://a
        http_config: {basic_auth: {username: u, password: p}, tls_config: {ca_file: /etc/hosts}}
      - url: http://a
        http_config: {authorization: {type: Bearer, credentials: c}}
route: {receiver: a}
)";
  EXPECT_EQ(must_parse(yaml).receivers[0].integrations.size(), 2U);
  EXPECT_THAT(mistakes("receivers: [{name: a, webhook_configs: [{url: http://a, http_config: {bearer_token: x, "
                       "basic_auth: {username: u}, proxy_url: p, oauth2: {}, authorization: {type: Basic}}}]}]\n"
                       "route: {receiver: a}"),
              ::testing::AllOf(HasSubstr("\"proxy_url\": is not a URL"), HasSubstr("key \"token_url\" is missing"),
                               HasSubstr("\"type\": \"Basic\" has a key of its own"),
                               HasSubstr("either \"bearer_token\" or \"authorization\""),
                               HasSubstr("key \"credentials\" is missing")));
}

}  // namespace
}  // namespace weir::notify
