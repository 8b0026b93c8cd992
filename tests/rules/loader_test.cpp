#include "rules/loader.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

namespace weir::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

std::vector<std::string> mistakes(const std::string& text) {
  config::Diagnostics diagnostics;
  load_text(text, "r.yml", diagnostics);
  std::vector<std::string> lines;
  for (const config::Diagnostic& error : diagnostics.errors()) lines.push_back(error.to_string());
  return lines;
}

std::vector<Group> good(const std::string& text) {
  config::Diagnostics diagnostics;
  auto groups = load_text(text, "r.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return groups;
}

TEST(Loader, ReadsEveryKeyOfPrometheusFormat) {
  const auto groups = good(R"(
groups:
  - name: kafka
    interval: 30s
    limit: 7
    query_offset: 10s
    labels: {team: data, tier: gold}
    rules:
      - record: cluster:lag:sum
        expr: sum by (cluster) (lag)
        labels: {tier: silver, braces: "{{ kept }}"}
      - alert: LagHigh
        expr: |
          lag > 10
        for: 1m
        keep_firing_for: 5m
        labels: {severity: critical, place: "{{ $labels.cluster }}"}
        annotations: {summary: "{{ $value }} behind", weir_no_data: resolve}
)");
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(groups[0].name, "kafka");
  EXPECT_EQ(groups[0].key(), "r.yml;kafka");
  EXPECT_EQ(groups[0].interval, 30s);
  EXPECT_EQ(groups[0].limit, 7U);
  EXPECT_EQ(groups[0].query_offset, 10s);
  const Rule& record = groups[0].rules.at(0);
  EXPECT_FALSE(record.alerting());
  EXPECT_EQ(record.name, "cluster:lag:sum");
  EXPECT_EQ(record.constant_labels, (core::Labels{{"team", "data"}, {"tier", "silver"}, {"braces", "{{ kept }}"}}));
  const Rule& alert = groups[0].rules.at(1);
  EXPECT_TRUE(alert.alerting());
  EXPECT_EQ(alert.hold, 60s);
  EXPECT_EQ(alert.keep_firing_for, 300s);
  EXPECT_EQ(alert.expression, "lag > 10");
  EXPECT_EQ(alert.no_data, NoData::resolve);
  EXPECT_THAT(alert.annotations, SizeIs(1)) << "weir_no_data is an instruction, no text for people";
  EXPECT_EQ(alert.constant_labels, (core::Labels{{"team", "data"}, {"tier", "gold"}, {"severity", "critical"}}));
  EXPECT_EQ(alert.position.line, 12);
}

TEST(Loader, TakesTheDefaultInterval) {
  config::Diagnostics diagnostics;
  const auto groups = load_text("groups: [{name: a, rules: []}]", "r.yml", diagnostics, 5s);
  EXPECT_EQ(groups.at(0).interval, 5s);
}

TEST(Loader, AnEmptyFileHasNoGroups) {
  EXPECT_THAT(good(""), IsEmpty());
  EXPECT_THAT(good("groups: []"), IsEmpty());
}

TEST(Loader, ReportsEveryMistakeAtOnceWithItsPlace) {
  EXPECT_THAT(mistakes(R"(groups:
  - name: a
    intervall: 1m
    rules:
      - alert: X
        exp: up
        labels: {"bad-name": x, __name__: y}
      - record: "not a name"
        expr: up
        for: 1m
      - expr: up
      - alert: Y
        record: z
        expr: up
        for: soon
  - rules: []
  - name: a
)"),
              ElementsAre(HasSubstr("r.yml:7:18: rule \"X\": \"labels\": \"bad-name\" is not a valid name"),
                          HasSubstr("r.yml:7:33: rule \"X\": \"labels\": \"__name__\" is not a valid name"),
                          HasSubstr("r.yml:6:9: rule \"X\": unknown key \"exp\" (did you mean \"expr\"?)"),
                          HasSubstr("r.yml:10:14: rule \"not a name\": \"for\": a recording rule has none"),
                          HasSubstr("r.yml:8:17: rule \"not a name\": \"record\": is not a valid metric name"),
                          HasSubstr("r.yml:11:9: rule: needs a key \"alert\" or \"record\""),
                          HasSubstr("r.yml:13:17: rule \"Y\": \"record\": a rule is either an alert or a record"),
                          HasSubstr("r.yml:15:14: rule \"Y\": \"for\": \"soon\" is not a duration"),
                          HasSubstr("r.yml:3:5: group \"a\": unknown key \"intervall\" (did you mean \"interval\"?)"),
                          HasSubstr("r.yml:16:5: group: key \"name\" is missing"),
                          HasSubstr("r.yml:17:5: rule file: group \"a\" is given twice")));
}

TEST(Loader, AnExpressionThatCanNeverBeEvaluatedIsAMistakeAtItsPlace) {
  const std::string text =
      "groups:\n  - name: a\n    rules:\n      - alert: X\n        expr: kafka_brokers[5m]\n"
      "      - record: y\n        expr: '\"text\"'\n      - alert: Z\n        expr: |\n          up[5m:1m]\n"
      "      - {alert: Scalar, expr: 1 + 1}\n";
  EXPECT_THAT(
      mistakes(text),
      ElementsAre(
          "r.yml:5:15: rule \"X\": \"expr\": an alert needs an instant vector or a scalar, found a range vector",
          "r.yml:7:16: rule \"y\": \"expr\": a record needs an instant vector or a scalar, found a string",
          "r.yml:10:11: rule \"Z\": \"expr\": an alert needs an instant vector or a scalar, found a range vector"));
  config::Diagnostics diagnostics;
  load_text(text, "r.yml", diagnostics, std::chrono::seconds(15), Dialect::prometheus);
  EXPECT_TRUE(diagnostics.ok()) << "promtool loads it, and fails when it is evaluated";
}

TEST(Loader, AMistakeIsReportedOnce) {
  EXPECT_THAT(mistakes("groups: [{name: a, rules: [5, {alrt: X, expr: up}, {alert: [x], expr: up}]}, x, {nam: b}]"),
              ElementsAre(HasSubstr("r.yml:1:28: rule: expected a mapping of keys to values, found text"),
                          HasSubstr("r.yml:1:32: rule: unknown key \"alrt\" (did you mean \"alert\"?)"),
                          HasSubstr("r.yml:1:60: rule: \"alert\": expected text, found a list"),
                          HasSubstr("r.yml:1:78: group: expected a mapping of keys to values, found text"),
                          HasSubstr("r.yml:1:82: group: unknown key \"nam\" (did you mean \"name\"?)")));
}

TEST(Loader, PrometheusKnowsNoAnnotationsOfWeirsAndTakesRulesTwice) {
  const std::string text =
      "groups: [{name: a, rules: [{alert: A, expr: up, annotations: {weir_no_data: alert}}, {record: r, expr: up}, "
      "{record: r, expr: up}]}]";
  config::Diagnostics diagnostics;
  const auto groups = load_text(text, "r.yml", diagnostics, std::chrono::seconds(15), Dialect::prometheus);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_EQ(groups.at(0).rules.size(), 3U);
  EXPECT_EQ(groups[0].rules[0].annotations.at(0).name, "weir_no_data");
  EXPECT_EQ(groups[0].rules[0].no_data, NoData::keep);
  EXPECT_THAT(mistakes(text), testing::Contains(HasSubstr("the same rule is already in this group")));
}

TEST(Loader, AnIntervalOfZeroIsTheDefault) {
  config::Diagnostics diagnostics;
  const auto groups = load_text("groups: [{name: a, interval: 0s}]", "r.yml", diagnostics, std::chrono::seconds(20));
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(groups.at(0).interval, std::chrono::seconds(20));
}

TEST(Loader, WrongShapesAreMistakesAndNothingElse) {
  for (const char* text :
       {"5", "- a", "groups: 5", "groups: [5]", "groups: [{name: a, rules: 5}]", "groups: [{name: [a]}]",
        "groups: [{name: a, rules: [[]]}]", "groups: [{name: a, rules: [{alert: [x], expr: up}]}]",
        "groups: [{name: a, rules: [{alert: x, expr: {}}]}]",
        "groups: [{name: a, rules: [{alert: x, expr: up, labels: [a]}]}]",
        "groups: [{name: a, rules: [{alert: x, expr: up, annotations: {a: [b]}}]}]", "groups: [{name: a, limit: -1}]",
        "groups: [{name: a, interval: 0}, x]", "rules: []", "groups: [\n"}) {
    EXPECT_THAT(mistakes(text), testing::Not(IsEmpty())) << text;
  }
}

/// Where an expression that goes wrong at its `+)` is reported.
std::string place_of_expression(const std::string& rule_tail) {
  const auto found = mistakes("groups:\n  - name: a\n    rules:\n      - alert: X\n" + rule_tail);
  if (found.size() != 1) return std::to_string(found.size()) + " mistakes";
  return found[0].substr(0, found[0].find(": "));
}

TEST(Loader, PlacesAMistakeOfAnExpressionInTheFile) {
  EXPECT_EQ(place_of_expression("        expr: up + )\n"), "r.yml:5:20");
  EXPECT_EQ(place_of_expression("        expr: \"up + )\"\n"), "r.yml:5:21");
  EXPECT_EQ(place_of_expression("        expr: 'up + )'\n"), "r.yml:5:21");
  EXPECT_EQ(place_of_expression("        expr: |\n          up\n            + )\n"), "r.yml:7:15");
  EXPECT_EQ(place_of_expression("        expr: |-\n\n          up + )\n"), "r.yml:7:16");
  EXPECT_EQ(place_of_expression("        expr: >-\n          up\n          + )\n"), "r.yml:7:13");
  EXPECT_EQ(place_of_expression("        expr: up\n          + )\n"), "r.yml:6:13");
}

TEST(Loader, PlacesAMistakeOfATemplateInTheFile) {
  const auto found = mistakes(R"(groups:
  - name: a
    rules:
      - alert: X
        expr: up
        labels: {severity: "{{ nope }}"}
        annotations:
          summary: |
            first line
            then {{ $label.x }}
)");
  EXPECT_THAT(
      found,
      ElementsAre(HasSubstr("r.yml:6:32: rule \"X\": \"labels\": \"severity\": template: function \"nope\""),
                  HasSubstr("r.yml:10:21: rule \"X\": \"annotations\": \"summary\": template: undefined variable")));
}

TEST(Loader, AFieldThatNoAlertHasIsHintedAtSinceThatTemplateWillFail) {
  config::Diagnostics diagnostics;
  const std::string text = R"(groups:
  - name: a
    rules:
      - alert: X
        expr: up
        annotations:
          summary: "{{ if gt $value 1.0 }}{{ .Lables.x }}{{ end }}"
          fine: '{{ $labels.any }} {{ .Labels.b }} {{ .Value | humanize }} {{ .ExternalURL }} {{ $externalLabels.c }}
            {{ with query "up" }}{{ . | first | value }}{{ end }}{{ range query "up" }}{{ .Labels.x }}{{ .Value }}{{ end }}
            {{ with $x := args 1 2 }}{{ $x.arg0 }}{{ end }}'
          wrong: "{{ $value.Foo }}"
)";
  load_text(text, "r.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_EQ(diagnostics.hints().size(), 2U);
  EXPECT_EQ(
      diagnostics.hints()[0].to_string(),
      "r.yml:7:46: rule \"X\": \"annotations\": \"summary\": the template will fail: can't evaluate field Lables in "
      "type template data (did you mean \"Labels\"?)");
  EXPECT_THAT(diagnostics.hints()[1].to_string(), HasSubstr("r.yml:11:28: "));
}

TEST(Loader, ARuleGivenTwiceIsAMistakeButOneNameForTwoConditionsIsNot) {
  const std::string twice = "groups: [{name: a, rules: [{alert: X, expr: up > 0}, {alert: X, expr: up > 0}]}]";
  EXPECT_THAT(mistakes(twice), ElementsAre(HasSubstr("the same rule is already in this group")));
  good("groups: [{name: a, rules: [{alert: X, expr: up > 0}, {alert: X, expr: up > 1}]}]");
  good("groups: [{name: a, rules: [{alert: X, expr: up}, {alert: X, expr: up, labels: {severity: page}}]}]");
}

TEST(Loader, NoDataHasThreeChoices) {
  EXPECT_THAT(mistakes("groups: [{name: a, rules: [{alert: X, expr: up, annotations: {weir_on_error: drop}}]}]"),
              ElementsAre(HasSubstr("\"weir_on_error\": \"drop\" is not one of keep, alert, resolve")));
  EXPECT_THAT(mistakes("groups: [{name: a, rules: [{alert: X, expr: up, annotations: {weir_no_data: resolv}}]}]"),
              ElementsAre(HasSubstr("\"resolv\" is not one of keep, alert, resolve (did you mean \"resolve\"?)")));
}

TEST(Loader, NotesHowSelectorsAreUsed) {
  const auto groups = good(
      "groups: [{name: a, rules: [{alert: X, expr: 'rate(a[5m]) > 1 unless (b offset 1h) or max_over_time(c[1m]) == 0 "
      "unless ALERTS'}]}]");
  const auto& uses = groups.at(0).rules.at(0).selectors;
  ASSERT_THAT(uses, SizeIs(4));
  EXPECT_EQ(uses[0].range, 5min);
  EXPECT_EQ(uses[0].least_points, 2U);
  EXPECT_EQ(uses[0].role, SelectorRole::alternative);
  EXPECT_EQ(uses[1].offset, 1h);
  EXPECT_EQ(uses[1].role, SelectorRole::irrelevant);
  EXPECT_EQ(uses[2].least_points, 1U);
  EXPECT_EQ(uses[3].role, SelectorRole::irrelevant);
}

class RulesSection : public testing::Test {
 protected:
  RulesSection() {
    std::filesystem::create_directories(folder_);
    for (const char* name : {"b.yml", "a.yml"}) std::ofstream(folder_ / name) << "groups: []\n";
  }
  ~RulesSection() override { std::filesystem::remove_all(folder_); }

  RuleSettings parse(const std::string& yaml) {
    const config::Node node = config::parse_yaml(yaml, (folder_ / "weir.yml").string(), diagnostics_);
    return parse_rules_section(node, diagnostics_);
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("weir_rules_" + std::to_string(::getpid()) + "_section");
  config::Diagnostics diagnostics_;
};

TEST_F(RulesSection, ExpandsGlobsRelativeToTheConfiguration) {
  const RuleSettings settings = parse("{files: ['*.yml', a.yml], interval: 5s}");
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  EXPECT_THAT(settings.files, ElementsAre((folder_ / "a.yml").string(), (folder_ / "b.yml").string()));
  EXPECT_EQ(settings.interval, 5s);
}

TEST_F(RulesSection, NamesAGlobThatMatchesNothingAndUnknownKeys) {
  parse("{files: ['*.yaml', [x]], intervals: 5s}");
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("weir.yml:1:10: rules: \"files\": no file matches \"*.yaml\""));
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("expected text, found a list"));
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("did you mean \"interval\"?"));
}

TEST_F(RulesSection, AnIntervalOfNothingIsAMistake) {
  parse("{files: a.yml, interval: 0s}");
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("must be more than 0"));
}

TEST_F(RulesSection, AFileThatCannotBeReadIsAMistake) {
  EXPECT_THAT(load({(folder_ / "none.yml").string(), folder_.string()}, diagnostics_), IsEmpty());
  EXPECT_THAT(diagnostics_.to_string(), HasSubstr("none.yml: cannot be read"));
  EXPECT_FALSE(diagnostics_.errors().size() < 2) << "a folder is no rule file";
}

}  // namespace
}  // namespace weir::rules
