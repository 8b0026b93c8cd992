#include "notify/message_text.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "notify/email.h"
#include "notify/registry.h"

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string expand(const std::string& text, const core::Notification& notification = message(1).notification) {
  config::Diagnostics diagnostics;
  const templates::TemplateLibrary library = parse_templates(nullptr, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  const auto parsed = templates::Template::parse_message(text, library);
  if (!parsed) return parsed.error().message;
  const std::string url = "http://weir";
  MessageRenderer renderer(notification, url, at(100));
  const std::string out = renderer.render(MessageText("title", *parsed, templates::TemplateOutput::text));
  return renderer.problems().empty() ? out : renderer.problems();
}

/// What one receiver of these keys posts for the message; its diagnostics are to be empty.
json posted(const std::string& receiver, DeliveryResult* result = nullptr, const core::OutboxMessage& of = message(1)) {
  config::Diagnostics diagnostics;
  RoutingSettings settings = parse("receivers: [{name: team, " + receiver + "}]\nroute: {receiver: team}", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  FakeHttp http;
  http.answer(200, "ok");
  const auto notifier = make_notifier(settings.receivers.at(0).integrations.at(0), {http, "http://weir"});
  auto done = notifier->deliver(of, {.now = at(100)});
  EXPECT_TRUE(done) << done.error().error.describe();
  if (result != nullptr) *result = done;
  return json::parse(http.requests.at(0).body);
}

std::string mistakes_of(const std::string& yaml) {
  config::Diagnostics diagnostics;
  (void)parse(yaml, diagnostics);
  return diagnostics.to_string();
}

TEST(MessageText, KnowsAlertmanagersDataAndTheIncident) {
  core::Notification notification = message(1).notification;
  notification.evidence = {"no members since 22:10", "commits stand still"};
  notification.owner = "shop-team";
  EXPECT_EQ(expand("{{ .Receiver }} {{ .Status }} {{ .ExternalURL }} {{ .CommonAnnotations.summary }}"),
            "team firing http://weir billing is behind");
  EXPECT_EQ(
      expand("{{ with .Incident }}{{ .Title }}: {{ .Cause }} ({{ .Evidence | join \"; \" }}), {{ .Owner }}, {{ .URL "
             "}}, {{ .ID }}{{ end }}",
             notification),
      "Consumer group billing falls behind: the group has no members (no members since 22:10; commits stand "
      "still), shop-team, http://weir/#incident/00000000000000aa, 00000000000000aa");
  EXPECT_EQ(expand("{{ range .Alerts }}{{ .StartsAt.Unix }} {{ .EndsAt.IsZero }} {{ .GeneratorURL }}{{ end }}"),
            "1700000060 true http://weir/#incident/00000000000000aa");
}

TEST(MessageText, AlertmanagersDefaultNamesAreWeirsOwnTexts) {
  EXPECT_EQ(expand("{{ template \"slack.default.title\" . }}"), "[FIRING:1] Consumer group billing falls behind");
  EXPECT_EQ(expand("{{ template \"slack.default.text\" . }}"), "");
  for (const char* name : {"__subject", "pagerduty.default.description", "opsgenie.default.message",
                           "email.default.subject", "msteams.default.title"})
    EXPECT_EQ(expand(std::string("{{ template \"") + name + "\" . }}"),
              "[FIRING:1] Consumer group billing falls behind");
  EXPECT_EQ(expand("{{ template \"__text_alert_list\" .Alerts.Firing }}"),
            "- KafkaConsumerLagHigh: billing is behind\n  alertname = KafkaConsumerLagHigh\n  cluster = prod\n"
            "  consumergroup = billing\n  severity = critical\n");
  EXPECT_THAT(expand("{{ template \"opsgenie.default.description\" . }}"), HasSubstr("Likely cause: the group has no"));
  core::Notification over = message(1).notification;
  over.status = "resolved";
  over.incident_state = "open";
  EXPECT_EQ(expand("{{ .Incident.State }}", over), "open");
  EXPECT_THAT(expand("{{ template \"opsgenie.default.description\" . }}", over),
              HasSubstr("The incident goes on, likely cause: the group has no"));
}

TEST(MessageText, SlackIsToldTheRenderedTextsInItsMarkup) {
  const json sent = posted(
      "slack_configs: [{api_url: 'http://a/', channel: '#{{ .CommonLabels.cluster }}', title: '{{ .Status | toUpper }} "
      "&lt;', "
      "title_link: '{{ .ExternalURL }}/x', text: '<http://a|{{ .CommonLabels.consumergroup }}>', color: '{{ if eq "
      ".Status "
      "\"firing\" }}danger{{ else }}good{{ end }}', fallback: 'f {{ len .Alerts }}'}]");
  EXPECT_EQ(sent["channel"], "#prod");
  EXPECT_EQ(sent["text"], "*<http://weir/x|FIRING &lt;>*");
  EXPECT_EQ(sent["attachments"][0]["color"], "danger");
  EXPECT_EQ(sent["attachments"][0]["fallback"], "f 1");
  EXPECT_EQ(sent["attachments"][0]["blocks"][0]["text"]["text"], "<http://a|billing>");
}

TEST(MessageText, OtherReceiversAreToldTheRenderedTexts) {
  const json page = posted(
      "pagerduty_configs: [{url: 'http://a/', routing_key: k, description: 'D {{ .Status }}', severity: '{{ "
      ".CommonLabels.severity }}', class: '{{ .GroupLabels.none }}', details: {firing: '{{ .Alerts.Firing | len "
      "}}'}}]");
  EXPECT_EQ(page["payload"]["summary"], "D firing");
  EXPECT_EQ(page["payload"]["severity"], "critical");
  EXPECT_FALSE(page["payload"].contains("class"));
  EXPECT_EQ(page["payload"]["custom_details"]["firing"], "1");
  EXPECT_EQ(page["client"], "Weir");
  const json genie = posted(
      "opsgenie_configs: [{api_url: 'http://a/', api_key: k, message: 'M {{ .Status }}', description: '{{ "
      ".CommonAnnotations.summary }}', tags: 'a,{{ .CommonLabels.cluster }}', priority: 'P{{ len .Alerts }}'}]");
  EXPECT_EQ(genie["message"], "M firing");
  EXPECT_EQ(genie["description"], "billing is behind");
  EXPECT_EQ(genie["tags"], json({"a", "prod"}));
  EXPECT_EQ(genie["priority"], "P1");
  const json card =
      posted("msteams_configs: [{webhook_url: 'http://a/', title: 'T {{ .Status }}', text: 'x {{ .Receiver }}'}]");
  EXPECT_EQ(card["attachments"][0]["content"]["body"][0]["text"], "T firing");
  EXPECT_EQ(card["attachments"][0]["content"]["body"][1]["text"], "x team");
}

TEST(MessageText, ATemplateThatFailsGivesWeirsOwnTextAndANote) {
  DeliveryResult result = Receipt{};
  const json sent =
      posted("slack_configs: [{api_url: 'http://a/', title: '{{ index .Alerts 8 }}', text: '{{ index .Alerts 9 }}'}]",
             &result);
  EXPECT_EQ(sent["text"], "*[FIRING:1] Consumer group billing falls behind*");
  EXPECT_THAT(sent.dump(), HasSubstr("Likely cause:* the group has no members"));
  EXPECT_THAT(sent.dump(), HasSubstr("the template of \\\"title\\\" failed"));
  EXPECT_THAT(result->template_problems, HasSubstr("the template of \"title\" failed: "));
  EXPECT_THAT(result->template_problems, HasSubstr("; the template of \"text\" failed"));
  const json page =
      posted("pagerduty_configs: [{url: 'http://a/', routing_key: k, description: '{{ index .Alerts 8 }}'}]", &result);
  EXPECT_EQ(page["payload"]["summary"], "[FIRING:1] Consumer group billing falls behind");
  EXPECT_THAT(page["payload"]["custom_details"]["note"].get<std::string>(), HasSubstr("failed"));
  EXPECT_FALSE(result->template_problems.empty());
  (void)posted("slack_configs: [{api_url: 'http://a/', title: 'fixed'}]", &result);
  EXPECT_EQ(result->template_problems, "");
}

TEST(MessageText, MistakesInTemplatesHaveTheirPlaceInTheFile) {
  const std::filesystem::path folder = ::testing::TempDir() + "weir-message-text";
  std::filesystem::create_directories(folder);
  const std::string file = folder / "weir.yml";
  const std::string yaml =
      "receivers:\n  - name: team\n    slack_configs:\n      - api_url: http://a/\n        title: '{{ .Status | toUper "
      "}}'\n"
      "        text: |-\n          first\n          {{ template \"nobody\" . }}\n"
      "    email_configs: [{to: a@b.c, from: a@b.c, smarthost: 'a:25', headers: {Subject: '{{ if }}'}}]\n"
      "templates: [missing/*.tmpl, one.tmpl]\nroute: {receiver: team}\n";
  std::ofstream(file) << yaml;
  std::ofstream(folder / "one.tmpl") << "x\n{{ define \"a\" }}\n{{ .Status }\n{{ end }}";
  config::Diagnostics diagnostics;
  const config::Node root = config::parse_yaml(yaml, file, diagnostics);
  (void)parse_routing(
      {.receivers = root.find("receivers"), .route = root.find("route"), .templates = root.find("templates")},
      diagnostics);
  const std::string mistakes = diagnostics.to_string();
  EXPECT_THAT(mistakes, HasSubstr("weir.yml:5:30: receiver \"team\", slack_configs[0]: \"title\": template: function "
                                  "\"toUper\" is not defined (did you mean \"toUpper\"?)"));
  EXPECT_THAT(mistakes, HasSubstr("weir.yml:8:23: receiver \"team\", slack_configs[0]: \"text\": template: template "
                                  "\"nobody\" is not defined"));
  EXPECT_THAT(mistakes, HasSubstr("\"headers.Subject\": template: missing value for if"));
  EXPECT_THAT(mistakes, HasSubstr("one.tmpl:3:12: template: unexpected \"}\" in an action"));
  ASSERT_FALSE(diagnostics.hints().empty());
  EXPECT_THAT(diagnostics.hints()[0].to_string(), HasSubstr("no file matches \"missing/*.tmpl\""));
  std::filesystem::remove_all(folder);
}

std::string said_of(const std::string& text) {
  return mistakes_of("receivers:\n- name: a\n  slack_configs:\n  - api_url: http://s\n    channel: c\n    text: '" +
                     text + "'\nroute: {receiver: a}\n");
}

TEST(MessageText, AFieldThatTheDataLackIsAMistakeInWhateverBranch) {
  EXPECT_THAT(said_of("x {{ if .CommonLabels.a }}{{ .CommonLabls.b }}{{ end }}"),
              HasSubstr("weir.yml:6:11: receiver \"a\", slack_configs[0]: \"text\": template: can't evaluate field "
                        "CommonLabls in type *template.Data (did you mean \"CommonLabels\"?)"));
  for (const char* text :
       {"{{ range .Alerts }}{{ .Foo }}{{ end }}", "{{ range $i, $a := .Alerts.Firing }}{{ $a.Labls.b }}{{ end }}",
        "{{ with .Incident }}{{ .Titel }}{{ end }}", "{{ range .Alerts }}{{ $.Foo }}{{ end }}",
        "{{ define \"t\" }}{{ .Foo }}{{ end }}{{ template \"t\" . }}", "{{ .Alerts.Fired }}", "{{ .Status.Foo }}",
        "{{ range .CommonLabels.SortedPairs }}{{ .Key }}{{ end }}", "{{ .Foo | toUpper }}", "{{ len .Foo }}",
        "{{ range .Incident.Evidence }}{{ .Text }}{{ end }}", "{{ if eq .Stat \"firing\" }}x{{ end }}"}) {
    EXPECT_THAT(said_of(text), HasSubstr("can't evaluate field ")) << text;
  }
}

TEST(MessageText, AllThatAlertmanagersDataHavePass) {
  for (const char* text :
       {"{{ .Receiver }}{{ .Status | toUpper }}{{ .ExternalURL }}{{ .GroupLabels.a }}{{ .CommonLabels.any_label }}",
        "{{ .CommonAnnotations.SortedPairs.Names | join \", \" }}{{ .GroupLabels.Values }}{{ .CommonLabels.Names }}",
        "{{ (.CommonLabels.Remove (stringSlice \"a\")).SortedPairs }}{{ range .GroupLabels.SortedPairs }}{{ .Name }}"
        "{{ .Value }}{{ end }}",
        "{{ range .Alerts.Firing }}{{ .Status }}{{ .Labels.a }}{{ .Annotations.b }}{{ .StartsAt.Format \"15:04\" }}"
        "{{ .EndsAt.Unix }}{{ .GeneratorURL }}{{ .Fingerprint }}{{ end }}{{ len .Alerts.Resolved }}",
        "{{ range .Alerts }}{{ .StartsAt.UTC.Year }}{{ (since .StartsAt).Hours }}{{ end }}",
        "{{ (index .Alerts 0).Labels.a }}{{ range $k, $v := .CommonLabels }}{{ $k }}{{ $v }}{{ end }}",
        "{{ with .Incident }}{{ .ID }}{{ .Title }}{{ .Headline }}{{ .Cause }}{{ .Evidence | join \" \" }}{{ .Owner }}"
        "{{ .URL }}{{ end }}",
        "{{ template \"slack.default.text\" . }}{{ template \"__text_alert_list\" .Alerts.Firing }}",
        "{{ $x := .Alerts }}{{ if true }}{{ $x = .Incident }}{{ end }}{{ $x.Title }}"}) {
    EXPECT_EQ(said_of(text), "") << text;
  }
}

TEST(MessageText, AListIsWantedUnderTemplates) {
  EXPECT_THAT(mistakes_of("receivers: [{name: a}]\nroute: {receiver: a}\ntemplates: x"), Not(HasSubstr("crash")));
  config::Diagnostics diagnostics;
  const config::Node node = config::parse_yaml("templates: x", "weir.yml", diagnostics);
  (void)parse_templates(node.find("templates"), diagnostics);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("expected a list of files"));
  config::Diagnostics nested;
  const config::Node lists = config::parse_yaml("templates: [[x]]", "weir.yml", nested);
  (void)parse_templates(lists.find("templates"), nested);
  EXPECT_EQ(nested.to_string(), "weir.yml:1:13: templates: expected a file, found a list\n");
}

TEST(EmailText, HtmlStandsBesideThePlainText) {
  core::OutboxMessage sent = message(1);
  EmailMessage mail{.from = "weir@example.com", .to = {"a@example.com"}};
  mail.text = "plain";
  EXPECT_THAT(email_text(sent, mail, "", "", at(0)), Not(HasSubstr("multipart")));
  mail.html = "<b>bold</b>";
  const std::string both = email_text(sent, mail, "", "", at(0));
  EXPECT_THAT(both, HasSubstr("Content-Type: multipart/alternative; boundary=\"weir-"));
  EXPECT_THAT(
      both, HasSubstr("Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\ncGxhaW4="));
  EXPECT_THAT(
      both,
      HasSubstr("Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+Ym9sZDwvYj4="));
  EXPECT_TRUE(both.ends_with("--\r\n"));
  mail.html.clear();
  mail.note = "\n\n(the template of \"html\" failed: x)";
  EXPECT_THAT(email_text(sent, mail, "", "", at(0)), HasSubstr("cGxhaW4KCih0aGU"));
}

}  // namespace
}  // namespace weir::notify
