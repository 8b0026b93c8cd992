#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "notify/email.h"
#include "notify/heartbeat.h"
#include "notify/msteams.h"
#include "notify/opsgenie.h"
#include "notify/pagerduty.h"
#include "notify/payload.h"
#include "notify/registry.h"

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPage = "http://weir.internal";

class Receivers : public ::testing::Test {
 protected:
  /// The one integration of a receiver with these lists.
  std::unique_ptr<Notifier> make(const std::string& lists, const std::string& more = {}) {
    config::Diagnostics diagnostics;
    const RoutingSettings settings =
        parse("receivers: [{name: team, " + lists + "}]\nroute: {receiver: team}\n" + more, diagnostics);
    EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    if (!diagnostics.ok()) return nullptr;
    return make_notifier(settings.receivers[0].integrations.at(0), {http_, kPage});
  }
  static core::OutboxMessage over() {
    core::OutboxMessage message = testing::message(2);
    message.notification.status = "resolved";
    message.notification.alerts = {resolved("billing")};
    return message;
  }
  json body(std::size_t request) { return json::parse(http_.requests.at(request).body); }

  FakeHttp http_;
};

TEST_F(Receivers, PagerdutyTriggersAndResolvesWithTheSameKey) {
  const auto notifier = make("pagerduty_configs: [{routing_key: secretkey}]");
  http_.answer(202, R"({"status":"success"})");
  http_.answer(202, R"({"status":"success"})");
  ASSERT_TRUE(notifier->deliver(message(1), {.now = at(0)}));
  ASSERT_TRUE(notifier->deliver(over(), {.now = at(0)}));
  EXPECT_EQ(http_.requests[0].url, "https://events.pagerduty.com/v2/enqueue");
  const json first = body(0);
  EXPECT_EQ(first["event_action"], "trigger");
  EXPECT_EQ(first["routing_key"], "secretkey");
  EXPECT_EQ(first["payload"]["severity"], "critical");
  EXPECT_EQ(first["payload"]["summary"], "[FIRING:1] Consumer group billing falls behind");
  EXPECT_EQ(first["payload"]["source"], "consumer group billing, cluster prod");
  EXPECT_EQ(first["payload"]["custom_details"]["likely_cause"], "the group has no members");
  EXPECT_EQ(first["links"][0]["href"], "http://weir.internal/#incident/00000000000000aa");
  EXPECT_EQ(body(1)["event_action"], "resolve");
  EXPECT_EQ(body(1)["dedup_key"], first["dedup_key"]);
}

TEST_F(Receivers, PagerdutysAnswersAreTakenForWhatTheyAre) {
  const auto notifier = make("pagerduty_configs: [{routing_key: k, severity: nonsense}]");
  http_.answer(429, "", {{"retry-after", "30"}});
  http_.answer(400, R"({"status":"invalid event"})");
  http_.answer(500);
  const auto throttled = notifier->deliver(message(1), {.now = at(0)});
  ASSERT_FALSE(throttled);
  EXPECT_TRUE(throttled.error().error.retryable);
  EXPECT_EQ(throttled.error().retry_after, 30s);
  EXPECT_EQ(body(0)["payload"]["severity"], "error");
  EXPECT_FALSE(notifier->deliver(message(1), {.now = at(0)}).error().error.retryable);
  EXPECT_TRUE(notifier->deliver(message(1), {.now = at(0)}).error().error.retryable);
}

TEST_F(Receivers, TeamsGetsAnAdaptiveCardThatNamesCauseAndSubject) {
  const auto notifier = make("msteams_configs: [{webhook_url: 'https://x.webhook.office.com/hook/token12345'}]");
  http_.answer(202);
  ASSERT_TRUE(notifier->deliver(message(1), {.now = at(0)}));
  const json card = body(0)["attachments"][0]["content"];
  EXPECT_EQ(card["type"], "AdaptiveCard");
  const std::string text = card.dump();
  EXPECT_THAT(text, AllOf(HasSubstr("Likely cause: the group has no members"), HasSubstr("Consumer group"),
                          HasSubstr("billing is behind"), HasSubstr("#incident/00000000000000aa")));
  http_.answer(200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429");
  const auto throttled = notifier->deliver(message(1), {.now = at(0)});
  ASSERT_FALSE(throttled);
  EXPECT_TRUE(throttled.error().error.retryable);
  EXPECT_THAT(throttled.error().error.describe(), Not(HasSubstr("token12345")));
}

TEST_F(Receivers, AllSayThatTheIncidentGoesOnWhenItsAlertsInTheMessageAreOver) {
  core::Notification over = message(1).notification;
  over.status = "resolved";
  over.incident_state = "open";
  over.alerts = {resolved("billing")};
  const auto teams = msteams_payload(over, {}, kPage);
  const auto opsgenie = opsgenie_payload(over, {}, kPage);
  for (const std::string& text : {teams, opsgenie})
    EXPECT_THAT(text, HasSubstr("The incident goes on, likely cause: the group has no members"));
  const auto pagerduty = pagerduty_payload(over, core::Secret("k"), {}, kPage);
  EXPECT_THAT(pagerduty, HasSubstr("the incident goes on: the group has no members"));
  for (const std::string& text : {teams, opsgenie, pagerduty}) EXPECT_THAT(text, HasSubstr("(the incident goes on)"));
  over.incident_state = "resolved";
  EXPECT_THAT(opsgenie_payload(over, {}, kPage), HasSubstr("Likely cause was: the group has no members"));
  EXPECT_THAT(msteams_payload(over, {}, kPage), Not(HasSubstr("goes on")));
}

TEST_F(Receivers, ATeamsMessageStaysWithinTheLimit) {
  core::Notification large = message(1).notification;
  large.cause = std::string(100'000, 'x');
  for (int i = 0; i < 400; ++i) large.alerts.push_back(alert(std::string(1000, 'y') + std::to_string(i)));
  EXPECT_LT(msteams_payload(large, {}, kPage).size(), 25'000U);
  for (const char* swells : {"\x01", "\"", "\xff"}) {
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += swells;
    large.cause = text;
    for (core::Alert& one : large.alerts) {
      one.labels = one.labels.with("topic", text);
      one.annotations = one.annotations.with("summary", text).with("pipeline", text).with("downstream", text);
    }
    EXPECT_LT(msteams_payload(large, {.title = text, .text = {}, .note = text}, kPage).size(), 28'000U);
  }
}

TEST_F(Receivers, APagerdutyEventStaysWithinTheLimit) {
  core::Notification large = message(1).notification;
  large.alerts = {alert(std::string(400'000, 'g'))};
  PagerdutyMessage given{.component = std::string(65'536, 'c')};
  for (int i = 0; i < 40; ++i) given.details.emplace_back("detail" + std::to_string(i), std::string(65'536, '\x01'));
  const std::string text = pagerduty_payload(large, core::Secret("k"), given, kPage);
  EXPECT_LT(text.size(), 500'000U);
  const json details = json::parse(text)["payload"]["custom_details"];
  EXPECT_THAT(details["note"].get<std::string>(), HasSubstr("left out"));
  EXPECT_EQ(details["likely_cause"], "the group has no members");
}

TEST_F(Receivers, OpsgenieIsToldByAnAliasAndClosesIt) {
  const auto notifier = make("opsgenie_configs: [{tags: 'a, b', responders: [{name: data, type: team}]}]",
                             "global: {opsgenie_api_key: thekey, opsgenie_api_url: 'http://ops/'}");
  http_.answer(202);
  http_.answer(202);
  ASSERT_TRUE(notifier->deliver(message(1), {.now = at(0)}));
  ASSERT_TRUE(notifier->deliver(over(), {.now = at(0)}));
  EXPECT_EQ(http_.requests[0].url, "http://ops/v2/alerts");
  const auto& headers = http_.requests[0].headers;
  EXPECT_NE(std::ranges::find(headers, std::pair<std::string, std::string>("Authorization", "GenieKey thekey")),
            headers.end());
  EXPECT_EQ(body(0)["priority"], "P1");
  EXPECT_EQ(body(0)["tags"], json({"a", "b"}));
  EXPECT_EQ(body(0)["responders"][0]["name"], "data");
  EXPECT_EQ(http_.requests[1].url,
            "http://ops/v2/alerts/" + body(0)["alias"].get<std::string>() + "/close?identifierType=alias");
}

TEST_F(Receivers, OpsgeniesRespondersMayBeTemplatesAndSeveralTeams) {
  const auto notifier = make(
      "opsgenie_configs: [{api_key: k, responders: [{name: '{{ .CommonLabels.cluster }}', type: team}, "
      "{name: '{{ .CommonLabels.absent }}'}, {name: 'a, b', type: teams}, {username: ann@example.com, type: user}]}]");
  http_.answer(202);
  ASSERT_TRUE(notifier->deliver(message(1), {.now = at(0)}));
  EXPECT_EQ(body(0)["responders"], json::parse(R"([{"type":"team","name":"prod"},{"type":"team","name":"a"},
      {"type":"team","name":"b"},{"type":"user","username":"ann@example.com"}])"));
}

TEST(OpsgeniePayload, StaysWithinWhatOpsgenieTakes) {
  core::Notification large = message(1).notification;
  for (int i = 0; i < 30; ++i)
    large.alerts[0].labels = large.alerts[0].labels.with("label" + std::to_string(i), std::string(2'000, 'l'));
  std::string many;
  for (int i = 0; i < 100; ++i) many += std::string(100, 'm') + std::to_string(i) + ",";
  const OpsgenieMessage given{.message = std::string(1'000, 'x'),
                              .description = std::string(60'000, 'd'),
                              .source = many,
                              .tags = many,
                              .note = std::string(60'000, 'n'),
                              .priority = "high",
                              .entity = many,
                              .actions = many,
                              .details = {{"runbook", "first"}}};
  const json body = json::parse(opsgenie_payload(large, given, kPage));
  for (const auto& [key, most] :
       {std::pair("message", 130U), {"description", 15'000U}, {"source", 100U}, {"note", 25'000U}, {"entity", 512U}})
    EXPECT_LE(body[key].get<std::string>().size(), most) << key;
  EXPECT_EQ(body["tags"].size(), 20U);
  EXPECT_EQ(body["actions"].size(), 10U);
  EXPECT_LE(body["tags"][0].get<std::string>().size(), 50U);
  std::size_t details = 0;
  for (const auto& [name, value] : body["details"].items()) details += name.size() + value.get<std::string>().size();
  EXPECT_LE(details, 8'000U);
  EXPECT_EQ(body["details"]["runbook"], "first") << "what was given comes before labels";
  EXPECT_EQ(body["priority"], "P1") << "of what is none, the severity's";
}

TEST(OpsgeniePayload, ThePriorityIsTheSeveritys) {
  for (const auto& [severity, priority] :
       {std::pair("critical", "P1"), {"page", "P1"}, {"error", "P2"}, {"warning", "P3"}, {"info", "P4"}}) {
    core::Notification notification = message(1).notification;
    notification.alerts = {alert("billing", severity)};
    EXPECT_EQ(json::parse(opsgenie_payload(notification, {}, kPage))["priority"], priority) << severity;
  }
}

TEST_F(Receivers, ASlackBotChangesItsMessageAndEndsInItsThread) {
  const auto notifier = make("slack_configs: [{bot_token: xoxb-1, channel: '#data', send_resolved: true}]");
  http_.answer(200, R"({"ok":true,"channel":"C1","ts":"17.5"})");
  const auto first = notifier->deliver(message(1), {.now = at(0)});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->reference, "C1 17.5");
  EXPECT_EQ(http_.requests[0].url, "https://slack.com/api/chat.postMessage");
  EXPECT_EQ(http_.requests[0].bearer.reveal(), "xoxb-1");
  core::OutboxMessage again = message(2);
  again.reference = *first->reference;
  http_.answer(200, R"({"ok":true,"channel":"C1","ts":"17.5"})");
  const auto second = notifier->deliver(again, {.now = at(0)});
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->reference.has_value());
  EXPECT_EQ(http_.requests[1].url, "https://slack.com/api/chat.update");
  EXPECT_EQ(body(1)["ts"], "17.5");
  EXPECT_EQ(body(1)["channel"], "C1");
  core::OutboxMessage end = over();
  end.reference = *first->reference;
  http_.answer(200, R"({"ok":true,"channel":"C1","ts":"17.5"})");
  http_.answer(200, R"({"ok":true,"channel":"C1","ts":"18.0"})");
  const auto third = notifier->deliver(end, {.now = at(0)});
  ASSERT_TRUE(third);
  EXPECT_EQ(third->reference, "");
  EXPECT_EQ(http_.requests[2].url, "https://slack.com/api/chat.update");
  EXPECT_EQ(http_.requests[3].url, "https://slack.com/api/chat.postMessage");
  EXPECT_EQ(body(3)["thread_ts"], "17.5");
}

TEST_F(Receivers, ASlackMessageThatIsGoneIsPostedAnewAndRefusalsAreErrors) {
  const auto notifier = make("slack_configs: [{bot_token: xoxb-1, channel: '#data'}]");
  core::OutboxMessage again = message(1);
  again.reference = "C1 17.5";
  http_.answer(200, R"({"ok":false,"error":"message_not_found"})");
  http_.answer(200, R"({"ok":true,"channel":"C1","ts":"19.0"})");
  const auto posted = notifier->deliver(again, {.now = at(0)});
  ASSERT_TRUE(posted);
  EXPECT_EQ(posted->reference, "C1 19.0");
  http_.answer(200, R"({"ok":false,"error":"ratelimited"})");
  EXPECT_TRUE(notifier->deliver(again, {.now = at(0)}).error().error.retryable);
  http_.answer(200, R"({"ok":false,"error":"not_in_channel"})");
  EXPECT_FALSE(notifier->deliver(message(1), {.now = at(0)}).error().error.retryable);
}

TEST(EmailText, NamesEverythingAndKeepsAThread) {
  EmailMessage mail{.from = "Weir <weir@example.com>", .to = {"a@b.c", "d@e.f"}};
  core::OutboxMessage first = message(1);
  const std::string text = email_text(first, mail, "", kPage, at(0));
  EXPECT_THAT(text, AllOf(HasSubstr("From: Weir <weir@example.com>\r\n"), HasSubstr("To: a@b.c, d@e.f\r\n"),
                          HasSubstr("Subject: Consumer group billing falls behind\r\n"),
                          HasSubstr("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"),
                          HasSubstr("Message-ID: <weir.key-1@example.com>\r\n")));
  EXPECT_THAT(text, Not(HasSubstr("References:")));
  const std::string reply = email_text(message(2), mail, "<weir.key-1@example.com>", kPage, at(9));
  EXPECT_THAT(reply, AllOf(HasSubstr("In-Reply-To: <weir.key-1@example.com>\r\n"),
                           HasSubstr("References: <weir.key-1@example.com>\r\n")));
}

/// Of several alerts, each of which reaches something else.
core::OutboxMessage far_reaching(std::size_t alerts) {
  core::OutboxMessage sent = message(1);
  sent.notification.alerts.clear();
  for (std::size_t i = 0; i < alerts; ++i) {
    core::Alert one = alert("billing" + std::to_string(i));
    one.annotations = core::Labels{{"pipeline_owner", "finance"},
                                   {"downstream", "table t" + std::to_string(i) + std::string(200, 'x')}};
    sent.notification.alerts.push_back(one);
  }
  return sent;
}

TEST(ImpactFacts, OfAlertsThatDifferAreFewAndShort) {
  const auto facts = impact_facts(far_reaching(50).notification);
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0], (std::pair<std::string, std::string>("Owner", "finance"))) << "once";
  EXPECT_LE(facts[1].second.size(), 400U);
  EXPECT_THAT(facts[1].second, ::testing::EndsWith("…"));
  EXPECT_TRUE(impact_facts(message(1).notification).empty()) << "of what no graph knows";
}

TEST(ImpactFacts, AreToldByEachReceiver) {
  const core::OutboxMessage sent = far_reaching(1);
  const core::Notification& notification = sent.notification;
  // Of three titles, one puts it where a group of three bytes begins.
  std::string mails;
  for (const char* title : {"a", "ab", "abc"}) {
    core::OutboxMessage mail = sent;
    mail.notification.incident_title = title;
    mails += email_text(mail, {.from = "weir@b.c", .to = {"a@b.c"}}, "", kPage, at(0));
  }
  EXPECT_THAT(mails, HasSubstr("T3duZXI6IGZpbmFuY2")) << "Owner: finance";
  EXPECT_THAT(msteams_payload(notification, {}, "http://weir"), HasSubstr(R"({"title":"Owner","value":"finance"})"));
  EXPECT_THAT(opsgenie_payload(notification, {}, "http://weir"), HasSubstr(R"("owner":"finance")"));
  EXPECT_THAT(pagerduty_payload(notification, core::Secret("k"), {}, "http://weir"),
              HasSubstr(R"("downstream":"table t0)"));
}

TEST(EmailText, NothingOfAnAlertBecomesAHeader) {
  EmailMessage mail{.from = "weir@example.com", .to = {"a@b.c"}};
  core::OutboxMessage evil = message(1);
  evil.notification.incident_title = "x\r\nBcc: everybody@example.com\r\n\r\nhello \xc3\xa9";
  const std::string text = email_text(evil, mail, "", kPage, at(0));
  EXPECT_THAT(text, Not(HasSubstr("\r\nBcc:")));
  EXPECT_THAT(text, HasSubstr("Subject: =?UTF-8?B?"));
  for (std::size_t at = 0, line = 0; at < text.size(); at = line + 2) {
    line = text.find("\r\n", at);
    ASSERT_NE(line, std::string::npos);
    EXPECT_LE(line - at, 200U);
  }
}

TEST(EmailText, BytesThatAreNoTextEndInAWordToo) {
  core::OutboxMessage odd = message(1);
  odd.notification.incident_title = std::string(150, '\x80');
  EXPECT_THAT(email_text(odd, {.from = "weir@example.com", .to = {"a@b.c"}}, "", kPage, at(0)),
              HasSubstr("Subject: =?UTF-8?B?"));
}

TEST(EmailText, HeadersThatAreGivenReplaceThoseOfTheirNameHoweverItIsWritten) {
  const EmailMessage mail{
      .from =
          "\xc3\x9c"
          "berwachung <weir@example.com>",
      .to = {"a@b.c"},
      .headers = {
          {"subject", "Mine"}, {"reply-to", "B\xc3\xbcro <office@example.com>"}, {"X-Long", std::string(3'000, 'x')}}};
  const std::string text = email_text(message(1), mail, "", kPage, at(0));
  EXPECT_THAT(text, AllOf(HasSubstr("Subject: Mine\r\n"), Not(HasSubstr("subject:")), Not(HasSubstr("falls behind"))));
  EXPECT_THAT(text, AllOf(HasSubstr("From: =?UTF-8?B?w5xiZXJ3YWNodW5n?= <weir@example.com>\r\n"),
                          HasSubstr("reply-to: =?UTF-8?B?QsO8cm8=?= <office@example.com>\r\n")));
  for (std::size_t at = 0, line = 0; at < text.size(); at = line + 2) {
    line = text.find("\r\n", at);
    ASSERT_LE(line - at, 998U) << "RFC 5322, 2.1.1";
  }
}

TEST(EmailText, AddressesAreReadAndChecked) {
  EXPECT_EQ(*parse_addresses("\"Doe, Ann\" <ann@example.com>, bob@example.com"),
            (std::vector<std::string>{"ann@example.com", "bob@example.com"}));
  EXPECT_EQ(*parse_addresses("Ann <ann@example.com>, bob@example.com"),
            (std::vector<std::string>{"ann@example.com", "bob@example.com"}));
  for (const char* bad : {"ann", "@x", "x@", "a b@c", "Ann <ann@example.com", "a@b>\r\nRCPT TO:<c@d"})
    EXPECT_FALSE(parse_addresses(bad)) << bad;
}

TEST(ReceiverSettings, MistakesOfEveryKindAreNamed) {
  config::Diagnostics diagnostics;
  parse(R"(receivers:
  - name: a
    pagerduty_configs: [{service_key: k}]
    msteams_configs: [{}]
    opsgenie_configs: [{update_alerts: true}]
    email_configs: [{to: nobody, smarthost: mail}]
    slack_configs: [{bot_token: x}]
    victorops_configs: [{api_key: k}]
    jira_configs: [{project: k}]
    webhook_configs: [{url: http://a, http_config: {no_proxy: b, tls_config: {min_version: x}}}]
route: {receiver: a, mute_time_intervals: [night]}
time_intervals: [{name: day, time_intervals: [{times: [{start_time: '9:00', end_time: '25:00'}], weekdays: [monday:sunday],
   location: Mars/Olympus}]}]
inhibit_rules: [{equal: [a]}]
global: {smtp_hallo: x}
notifications: {flap_calm: 9, burst: 0}
)",
        diagnostics);
  const std::string all = diagnostics.to_string();
  for (const char* expected : {"\"service_key\": is of the older Events API",
                               "key \"webhook_url\" is missing",
                               "key \"api_key\" is missing",
                               "\"update_alerts\": Weir does not apply",
                               "\"to\": \"nobody\" is not an address",
                               "key \"from\" is missing",
                               "\"smarthost\": is not a host and a port",
                               "key \"channel\" is missing",
                               "\"victorops_configs\": Weir does not have this kind of receiver",
                               "\"no_proxy\": Weir does not apply",
                               "\"jira_configs\": Weir does not have this kind of receiver",
                               "\"min_version\": Weir does not apply",
                               "no time interval is named \"night\"",
                               "\"start_time\": is no time",
                               "\"end_time\": is no time",
                               "\"weekdays\": \"monday:sunday\" is no range",
                               "Mars/Olympus",
                               "every alert would inhibit the others",
                               "unknown key \"smtp_hallo\" (did you mean \"smtp_hello\"?)",
                               "\"flap_calm\": must be less",
                               "\"burst\""})
    EXPECT_THAT(all, HasSubstr(expected));
}

TEST(ReceiverSettings, AnOlderKeyOfPagerdutyIsNamedAsItIsWritten) {
  config::Diagnostics diagnostics;
  parse("receivers:\n  - name: a\n    pagerduty_configs: [{service_key_file: /none}]\nroute: {receiver: a}\n",
        diagnostics);
  EXPECT_EQ(diagnostics.to_string(),
            "weir.yml:3:44: receiver \"a\", pagerduty_configs[0]: \"service_key_file\": is of the older Events API; "
            "give routing_key, of an integration \"Events API v2\"\n");
}

TEST(ReceiverSettings, AKeyThatIsEmptyIsAMistakeWithItsPlace) {
  config::Diagnostics diagnostics;
  parse(
      "receivers:\n  - name: a\n"
      "    pagerduty_configs: [{routing_key: ''}]\n"
      "    opsgenie_configs: [{api_key: ''}]\n"
      "    slack_configs: [{bot_token: '', channel: c}]\n"
      "    webhook_configs: [{url: 'http://a/', http_config: {authorization: {credentials: ''}}}]\n"
      "route: {receiver: a}\n",
      diagnostics);
  const std::string all = diagnostics.to_string();
  for (const char* expected :
       {":3:39: ", "pagerduty_configs[0]: \"routing_key\": must not be empty",
        "opsgenie_configs[0]: \"api_key\": must not be empty", "slack_configs[0]: \"bot_token\": must not be empty",
        "\"credentials\": must not be empty"})
    EXPECT_THAT(all, HasSubstr(expected));
}

TEST(ReceiverSettings, AnAlertmanagersSectionsCanBePasted) {
  config::Diagnostics diagnostics;
  const RoutingSettings settings = parse(R"(
global:
  resolve_timeout: 5m
  http_config: {follow_redirects: true, enable_http2: true}
  smtp_from: alertmanager@example.org
  smtp_smarthost: localhost:25
  smtp_auth_username: alertmanager
  smtp_auth_password: password
  smtp_require_tls: false
  slack_api_url: https://hooks.slack.com/services/T/B/x
  victorops_api_url: https://alert.victorops.com/
templates: ['/etc/alertmanager/template/*.tmpl']
route:
  group_by: ['alertname', 'cluster', 'service']
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 3h
  receiver: team-X-mails
  routes:
    - match_re: {service: ^(foo1|foo2|baz)$}
      receiver: team-X-mails
      routes: [{match: {severity: critical}, receiver: team-X-pager, mute_time_intervals: [holidays]}]
    - matchers: [service="database"]
      receiver: team-X-pager
      group_by: [alertname, cluster, database]
      active_time_intervals: [offhours]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: ['alertname', 'cluster']
mute_time_intervals:
  - {name: holidays, time_intervals: [{months: ['december:12'], days_of_month: ['24:26', '-1']}]}
time_intervals:
  - {name: offhours, time_intervals: [{times: [{start_time: '00:00', end_time: '09:00'}], weekdays: ['monday:friday', sunday],
     years: ['2020:2030', 2040], location: Europe/Berlin}, {location: Local}]}
receivers:
  - name: team-X-mails
    email_configs:
      - {to: team-X+alerts@example.org, send_resolved: true, tls_config: {server_name: mail.internal}}
      - {to: '{{ .CommonLabels.owner }}@example.org', auth_secret: shared}
  - name: team-X-pager
    email_configs: [{to: 'a@example.org, b@example.org'}]
    pagerduty_configs: [{routing_key: team-X-key}]
    slack_configs: [{channel: '#x', color: danger}]
)",
                                         diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(settings.root->routes[1].repeat_interval, 3h);
  EXPECT_EQ(settings.root->routes[1].group_by.size(), 3U);
  EXPECT_EQ(settings.intervals.size(), 2U);
  EXPECT_EQ(settings.find("team-X-pager")->integrations.size(), 3U);
}

TEST(TimeIntervals, HoldWhatTheyName) {
  config::Diagnostics diagnostics;
  const auto all = parse_time_intervals(nullptr, nullptr, diagnostics);
  EXPECT_TRUE(all.empty());
  const config::Node root = config::parse_yaml(
      "- {name: a, time_intervals: [{times: [{start_time: '09:00', end_time: '17:00'}], weekdays: ['monday:friday'], "
      "location: Europe/Berlin}]}\n- {name: b, time_intervals: [{days_of_month: ['-2:-1'], months: [february]}]}\n",
      "x.yml", diagnostics);
  const auto intervals = parse_time_intervals(&root, nullptr, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  const auto time = [](const char* text) { return *core::parse_iso_time(text); };
  EXPECT_TRUE(intervals[0].contains(time("2026-01-12T08:00:00Z"))) << "9:00 in Berlin, a Monday";
  EXPECT_FALSE(intervals[0].contains(time("2026-01-12T07:59:59Z")));
  EXPECT_TRUE(intervals[0].contains(time("2026-07-13T07:00:00Z"))) << "summer time";
  EXPECT_FALSE(intervals[0].contains(time("2026-01-12T16:00:00Z"))) << "the end does not belong to it";
  EXPECT_FALSE(intervals[0].contains(time("2026-01-11T10:00:00Z"))) << "a Sunday";
  EXPECT_TRUE(intervals[1].contains(time("2024-02-28T00:00:00Z"))) << "a leap year";
  EXPECT_FALSE(intervals[1].contains(time("2024-02-27T23:59:59Z")));
  EXPECT_TRUE(intervals[1].contains(time("2026-02-27T00:00:00Z")));
  EXPECT_FALSE(intervals[1].contains(time("2026-03-31T00:00:00Z")));
}

TEST(Heartbeats, AreReadAndSayWhoLives) {
  config::Diagnostics diagnostics;
  const config::Node root = config::parse_yaml("- {name: w, url: http://hc, interval: 30s}", "x.yml", diagnostics);
  const auto all = parse_heartbeats(root, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(all.at(0).interval, 30s);
  EXPECT_EQ(json::parse(heartbeat_payload(all[0], kPage, at(0)))["status"], "alive");
  const config::Node wrong = config::parse_yaml("[{url: x, interval: 0s}, {}]", "x.yml", diagnostics);
  parse_heartbeats(wrong, diagnostics);
  EXPECT_THAT(diagnostics.to_string(), AllOf(HasSubstr("key \"name\" is missing"), HasSubstr("is not a URL"),
                                             HasSubstr("must be from 1s to 1d")));
}

}  // namespace
}  // namespace weir::notify
