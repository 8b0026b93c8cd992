#include "templates/template_message.h"

#include <gmock/gmock.h>
#include <string>

#include "templates/template.h"

namespace weir::templates {
namespace {

using testing::HasSubstr;

TemplateValue alert(const std::string& status, const std::string& instance) {
  return template_object("template.Alert",
                         {{"Status", status},
                          {"Labels", TemplateKv{core::Labels{{"alertname", "Down"}, {"instance", instance}}}},
                          {"StartsAt", TemplateTime{core::Time(std::chrono::seconds(1'700'000'000))}},
                          {"EndsAt", TemplateTime{kTemplateNoTime}}});
}

TemplateValue data() {
  return template_object(
      "*template.Data",
      {{"Status", "firing"},
       {"Alerts", template_list("template.Alerts", {alert("firing", "a"), alert("resolved", "b<&>'\"+")})},
       {"CommonLabels",
        TemplateKv{core::Labels{{"alertname", "Down"}, {"cluster", "prod"}, {"app", "shop"}, {"zone", "1"}}}},
       {"GroupLabels", TemplateKv{core::Labels{{"cluster", "prod"}}}}});
}

std::string expand(const std::string& text, const TemplateLibrary& library = {},
                   TemplateOutput output = TemplateOutput::text) {
  const auto parsed = Template::parse_message(text, library);
  if (!parsed) return parsed.error().where + " " + parsed.error().message;
  const auto expanded = parsed->expand_message(data(), core::Time(std::chrono::seconds(1'700'000'090)), output);
  return expanded ? *expanded : "error: " + expanded.error().message;
}

TEST(MessageTemplate, AlertmanagersDataIsThere) {
  EXPECT_EQ(expand("{{ .Status | toUpper }}:{{ .Alerts.Firing | len }}/{{ len .Alerts }}"), "FIRING:1/2");
  EXPECT_EQ(expand("{{ range .Alerts }}{{ .Labels.instance }} {{ .Status }};{{ end }}"), "a firing;b<&>'\"+ resolved;");
  EXPECT_EQ(expand("{{ range .Alerts.Resolved }}{{ .Labels.instance | len }}{{ else }}none{{ end }}"), "7");
  EXPECT_EQ(expand("{{ (index .Alerts 0).Labels.alertname }} {{ $.Status }}"), "Down firing");
  EXPECT_EQ(expand("{{ .CommonLabels.none }}|{{ .CommonLabels }}"),
            "|map[alertname:Down app:shop cluster:prod zone:1]");
  EXPECT_EQ(expand("{{ range $name, $value := .GroupLabels }}{{ $name }}={{ $value }}{{ end }}"), "cluster=prod");
  EXPECT_EQ(expand("{{ with .GroupLabels }}{{ .cluster }}{{ end }}"), "prod");
  EXPECT_EQ(expand("{{ (index .Alerts 0).StartsAt }}, {{ (index .Alerts 0).EndsAt.IsZero }}"),
            "2023-11-14 22:13:20 +0000 UTC, true");
}

TEST(MessageTemplate, LabelsHaveAlertmanagersMethods) {
  EXPECT_EQ(expand("{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}"),
            "alertname=Down app=shop cluster=prod zone=1 ")
      << "the alert's name comes first";
  EXPECT_EQ(expand("{{ .CommonLabels.Names | join \",\" }} {{ .GroupLabels.SortedPairs.Values | join \" \" }}"),
            "alertname,app,cluster,zone prod");
  EXPECT_EQ(expand("{{ (.CommonLabels.Remove .GroupLabels.Names).Values | join \"/\" }}"), "Down/shop/1");
  EXPECT_EQ(expand("{{ (.CommonLabels.Remove (stringSlice \"app\" \"zone\")).Names }}"), "[alertname cluster]");
  EXPECT_EQ(expand("{{ if gt (len .CommonLabels) (len .GroupLabels) }}more{{ end }}"), "more");
}

TEST(MessageTemplate, AlertmanagersFunctionsAreThere) {
  EXPECT_EQ(expand("{{ \"kafka lag\" | title }} {{ toLower \"ABC\" }} {{ trimSpace \"  a b \\n\" }}"),
            "Kafka Lag abc a b");
  EXPECT_EQ(expand("{{ match \"^fir\" .Status }} {{ reReplaceAll \"f(.)r\" \"$1-\" .Status }}"), "true i-ing");
  EXPECT_EQ(expand("{{ stringSlice \"a\" \"b\" | join \"+\" }}"), "a+b");
  EXPECT_EQ(expand("{{ since (index .Alerts 0).StartsAt | humanizeDuration }}"), "1m 30s");
  EXPECT_EQ(expand("{{ (index .Alerts 0).StartsAt | date \"15:04:05\" }}"), "22:13:20");
  EXPECT_EQ(expand("{{ slice .Alerts 1 | len }}"), "1");
}

TEST(MessageTemplate, WhatGoReportsIsAnError) {
  EXPECT_THAT(expand("{{ .Nothing }}"), HasSubstr("error: can't evaluate field Nothing in type *template.Data"));
  EXPECT_THAT(expand("{{ range .Alerts }}{{ .Label }}{{ end }}"), HasSubstr("field Label in type template.Alert"));
  EXPECT_THAT(expand("{{ join \",\" .Status }}"), HasSubstr("expected []string; got string"));
  EXPECT_THAT(expand("{{ index .Alerts 7 }}"), HasSubstr("out of range"));
  EXPECT_THAT(expand("{{ .CommonLabels.Remove \"a\" }}"), HasSubstr("expected []string"));
  EXPECT_THAT(expand("{{ query \"up\" }}"), HasSubstr("nothing to query here"));
}

TEST(MessageTemplate, MistakesHaveTheirPlace) {
  EXPECT_THAT(expand("a\n{{ $labels.x }}"), HasSubstr("2:4 undefined variable \"$labels\""));
  EXPECT_THAT(expand("{{ joyn \",\" . }}"), HasSubstr("1:4 function \"joyn\" is not defined (did you mean \"join\"?)"));
  TemplateLibrary library;
  ASSERT_TRUE(library.add("{{ define \"team.title\" }}x{{ end }}"));
  EXPECT_THAT(expand("{{ template \"team.titel\" . }}", library),
              HasSubstr("1:13 template \"team.titel\" is not defined (did you mean \"team.title\"?)"));
  EXPECT_EQ(library.add("{{ define \"a\" }}{{ if }}").error().where, "1:23");
}

TEST(MessageTemplate, RulesDoNotGetAlertmanagersFunctions) {
  EXPECT_FALSE(Template::parse("{{ join \",\" . }}"));
  EXPECT_TRUE(Template::parse("{{ $labels.a | safeHtml }}"));
}

TEST(MessageTemplate, ALibrarysDefinitionsAreSharedAndATextsOwnComeFirst) {
  TemplateLibrary library;
  ASSERT_TRUE(library.add("{{ define \"title\" }}{{ .Status }} {{ template \"who\" . }}{{ end }}"));
  EXPECT_EQ(library.undefined_call(), "who");
  ASSERT_TRUE(library.add("text outside\n{{ define \"who\" }}{{ .GroupLabels.cluster }}{{ end }}"));
  EXPECT_EQ(library.undefined_call(), "");
  EXPECT_EQ(expand("{{ template \"title\" . }}", library), "firing prod");
  EXPECT_EQ(expand("{{ define \"who\" }}us{{ end }}{{ template \"title\" . }}", library), "firing us");
  ASSERT_TRUE(library.add("{{ define \"who\" }}them{{ end }}"));
  EXPECT_EQ(expand("{{ template \"title\" . }}", library), "firing them") << "the last definition counts";
}

TEST(MessageTemplate, HtmlIsEscapedUnlessItIsSaidToBeSafe) {
  const std::string text = "<b>{{ range .Alerts.Resolved }}{{ .Labels.instance }}{{ end }}</b>{{ safeHtml \"<i>\" }}";
  EXPECT_EQ(expand(text, {}, TemplateOutput::html), "<b>b&lt;&amp;&gt;&#39;&#34;&#43;</b><i>");
  EXPECT_EQ(expand(text), "<b>b<&>'\"+</b><i>");
}

TEST(MessageTemplate, WhatALoopMakesIsBounded) {
  EXPECT_THAT(expand("{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}"),
              HasSubstr("deeper than"));
  EXPECT_THAT(expand("{{ range 5000 }}{{ range 5000 }}aaaaaaaa{{ end }}{{ end }}"), HasSubstr("error: "));
}

}  // namespace
}  // namespace weir::templates
