#include "rules/unit_test.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>

namespace weir::rules {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class UnitTestTest : public testing::Test {
 protected:
  UnitTestTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("weir_unit_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_rules(R"(
groups:
  - name: g
    rules:
      - {record: r, expr: sum(m)}
      - alert: High
        expr: m > 5
        for: 1m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.n }} is {{ $value }}", empty: "{{ $labels.none }}"}
)");
  }
  ~UnitTestTest() override { fs::remove_all(folder_); }

  void write_rules(const std::string& text, const std::string& name = "rules.yml") {
    std::ofstream(folder_ / name) << text;
  }

  std::expected<UnitTestFile, config::Diagnostics> parse(const std::string& text) {
    return parse_unit_tests(text, (folder_ / "test.yml").string());
  }

  /// The outcome of one test with these checks over m{n="a"} = 0 6 6 7 0 0 …
  UnitTestOutcome run(const std::string& checks, const std::string& top = "") {
    auto file = parse(top + "rule_files: [rules.yml]\ntests:\n  - interval: 1m\n    input_series:\n" +
                      "      - {series: 'm{n=\"a\"}', values: 0 6 6 7 0x9}\n" + checks);
    EXPECT_TRUE(file) << file.error().to_string();
    if (!file) return {};
    std::vector<UnitTestOutcome> outcomes = run_unit_tests(*file);
    EXPECT_EQ(outcomes.size(), 1U);
    return outcomes.at(0);
  }

  std::string mistakes(const std::string& text) {
    const auto file = parse(text);
    return file ? "" : file.error().to_string();
  }

  fs::path folder_;
};

std::vector<std::string> diff(const UnitTestOutcome& outcome) {
  EXPECT_EQ(outcome.failures.size(), 1U);
  return outcome.failures.empty() ? std::vector<std::string>() : outcome.failures[0].diff;
}

constexpr const char* kFiring = R"(    alert_rule_test:
      - {eval_time: 1m, alertname: High}
      - eval_time: 2m
        alertname: High
        exp_alerts: [{exp_labels: {n: a, severity: page}, exp_annotations: {summary: a is 6, empty: ""}}]
      - eval_time: 4m59s
        alertname: High
        exp_alerts: [{exp_labels: {n: a, severity: page}, exp_annotations: {summary: a is 7, empty: ""}}]
      - {eval_time: 5m, alertname: High}
)";

TEST_F(UnitTestTest, AlertsAreComparedAtTheEvaluationBeforeTheirTime) {
  const UnitTestOutcome outcome = run(kFiring);
  EXPECT_TRUE(outcome.passed()) << testing::PrintToString(diff(outcome));
  EXPECT_EQ(outcome.expectations, 4U);
}

TEST_F(UnitTestTest, AWrongAnnotationIsShownBesideTheRightOne) {
  const UnitTestOutcome outcome = run(R"(    alert_rule_test:
      - eval_time: 2m
        alertname: High
        exp_alerts: [{exp_labels: {n: a, severity: page}, exp_annotations: {summary: a is 9}}]
)");
  EXPECT_EQ(outcome.failures.at(0).position.to_string(), (folder_ / "test.yml").string() + ":7:9");
  EXPECT_EQ(outcome.failures[0].message, "alert High at 2m");
  EXPECT_THAT(diff(outcome), ElementsAre(R"(  {alertname="High", n="a", severity="page"})", R"(+     empty: "")",
                                         R"(-     summary: "a is 9")", R"(+     summary: "a is 6")"));
}

TEST_F(UnitTestTest, MissingAndUnexpectedAlertsAreShownWhole) {
  const UnitTestOutcome outcome = run(R"(    alert_rule_test:
      - {eval_time: 2m, alertname: High, exp_alerts: [{exp_labels: {n: b}, exp_annotations: {x: "1"}}]}
)");
  EXPECT_THAT(diff(outcome), ElementsAre(R"(- {alertname="High", n="b"})", R"(-     x: "1")",
                                         R"(+ {alertname="High", n="a", severity="page"})", R"(+     empty: "")",
                                         R"(+     summary: "a is 6")"));
}

TEST_F(UnitTestTest, APendingAlertAndAMisspeltNameAreExplained) {
  const UnitTestOutcome pending = run(R"(    alert_rule_test:
      - {eval_time: 1m, alertname: High, exp_alerts: [{exp_labels: {n: a, severity: page}}]}
)");
  EXPECT_THAT(diff(pending), Contains(HasSubstr("pending since 1m, not firing: {alertname=\"High\"")));
  const UnitTestOutcome misspelt = run("    alert_rule_test: [{eval_time: 1m, alertname: Hihg, exp_alerts: [{}]}]\n");
  EXPECT_THAT(diff(misspelt), Contains(HasSubstr("no rule is named \"Hihg\"")));
}

TEST_F(UnitTestTest, ExpressionsSeeWhatTheRulesRecorded) {
  EXPECT_TRUE(run("    promql_expr_test: [{expr: r, eval_time: 3m, exp_samples: [{labels: r, value: 7}]}]\n").passed());
  const UnitTestOutcome outcome =
      run("    promql_expr_test: [{expr: r, eval_time: 3m, exp_samples: [{labels: r, value: 8}]}]\n");
  EXPECT_THAT(diff(outcome), ElementsAre("- r 8", "+ r 7"));
  EXPECT_EQ(outcome.failures[0].message, "expression r at 3m");
}

TEST_F(UnitTestTest, ValuesAreEqualOrWithFuzzyCompareNextToEqual) {
  const std::string check = "    promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.3}]}]\n";
  EXPECT_FALSE(run(check).passed());
  EXPECT_TRUE(run(check, "fuzzy_compare: true\n").passed());
  const std::string far = "    promql_expr_test: [{expr: 0.30000000000000016, exp_samples: [{value: 0.3}]}]\n";
  EXPECT_FALSE(run(far, "fuzzy_compare: true\n").passed());
}

TEST_F(UnitTestTest, NanEqualsNothingAndIsToldSo) {
  const UnitTestOutcome outcome = run("    promql_expr_test: [{expr: 0 / 0, exp_samples: [{value: .nan}]}]\n");
  EXPECT_THAT(diff(outcome), ElementsAre(HasSubstr("NaN (equals nothing"), "+ {} NaN"));
}

TEST_F(UnitTestTest, ARuleThatCannotBeEvaluatedEndsItsTest) {
  write_rules("groups: [{name: g, limit: 1, rules: [{alert: A, expr: 'm or vector(1)'}]}]");
  const UnitTestOutcome outcome = run("    alert_rule_test: [{eval_time: 5m, alertname: A}]\n");
  ASSERT_EQ(outcome.failures.size(), 1U);
  EXPECT_THAT(outcome.failures[0].message, HasSubstr("at 0s: "));
  EXPECT_THAT(outcome.failures[0].message, HasSubstr("exceeded the group's limit of 1 with 2 alerts"));
  EXPECT_EQ(outcome.expectations, 0U);
}

TEST_F(UnitTestTest, TwoRulesThatRecordOneSeriesDifferentlyAreAMistake) {
  write_rules("groups: [{name: g, rules: [{record: r, expr: m}, {record: r, expr: m + 1}]}]");
  const UnitTestOutcome outcome = run("    promql_expr_test: [{expr: '1', exp_samples: [{value: 1}]}]\n");
  ASSERT_FALSE(outcome.passed());
  EXPECT_THAT(outcome.failures[0].message, HasSubstr("group \"g\": duplicate sample for timestamp of r{n=\"a\"}"));
}

TEST_F(UnitTestTest, WeirsHandlingOfMissingDataChangesNoVerdict) {
  write_rules(R"(groups: [{name: g, rules: [{alert: A, expr: gone == 1, annotations: {weir_no_data: alert}},
                                            {record: r, expr: gone}, {alert: B, expr: r == 1}]}])");
  auto file = parse(R"(
rule_files: [rules.yml]
tests:
  - interval: 1m
    input_series: [{series: gone, values: 1 1}]
    alert_rule_test:
      - {eval_time: 5m, alertname: A, exp_alerts: [{exp_annotations: {weir_no_data: alert}}]}
      - {eval_time: 7m, alertname: A}
      - {eval_time: 5m, alertname: B, exp_alerts: [{}]}
      - {eval_time: 7m, alertname: B}
)");
  ASSERT_TRUE(file) << file.error().to_string();
  const UnitTestOutcome outcome = run_unit_tests(*file).at(0);
  EXPECT_TRUE(outcome.passed()) << testing::PrintToString(diff(outcome));
}

TEST_F(UnitTestTest, GroupsAreEvaluatedInTheOrderGiven) {
  write_rules(
      R"(groups: [{name: late, rules: [{record: b, expr: a}]}, {name: early, rules: [{record: a, expr: sum(m)}]}])");
  const std::string check = "    promql_expr_test: [{expr: b, eval_time: 2m, exp_samples: [{labels: b, value: 6}]}]\n";
  EXPECT_TRUE(run(check, "group_eval_order: [early, late]\n").passed());
  const std::string stale = "    promql_expr_test: [{expr: b, eval_time: 1m, exp_samples: [{labels: b, value: 0}]}]\n";
  EXPECT_TRUE(run(stale, "group_eval_order: [late, early]\n").passed());
}

TEST_F(UnitTestTest, ExternalLabelsAndUrlReachTheTemplates) {
  write_rules(R"(groups: [{name: g, rules: [{alert: A, expr: 'vector(1)',
                 annotations: {x: "{{ $externalLabels.dc }} {{ $externalURL }}"}}]}])");
  EXPECT_TRUE(run(R"(    external_labels: {dc: eu}
    external_url: http://w
    alert_rule_test: [{eval_time: 0m, alertname: A, exp_alerts: [{exp_annotations: {x: eu http://w}}]}]
)")
                  .passed());
}

TEST_F(UnitTestTest, ATestWithABadSeriesFailsAndTheOthersRun) {
  auto file = parse(R"(
rule_files: [rules.yml]
tests:
  - {name: bad, interval: 1m, input_series: [{series: m, values: 1 oops}]}
  - {name: good, interval: 1m, promql_expr_test: [{expr: '1', exp_samples: [{value: 1}]}]}
)");
  ASSERT_TRUE(file) << file.error().to_string();
  const auto outcomes = run_unit_tests(*file);
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_FALSE(outcomes[0].passed());
  EXPECT_EQ(outcomes[0].failures.at(0).position.line, 4);
  EXPECT_TRUE(outcomes[1].passed());
}

TEST_F(UnitTestTest, ATestThatWouldNeverEndIsRefused) {
  auto file = parse("evaluation_interval: 1ms\ntests: [{promql_expr_test: [{expr: '1', eval_time: 50y}]}]");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(run_unit_tests(*file).at(0).failures.at(0).message, HasSubstr("more than 1000000 evaluations"));
}

TEST_F(UnitTestTest, EveryMistakeOfAFileIsReportedWithItsPlace) {
  const std::string text = mistakes(R"(rule_file: [x]
group_eval_order: [a, a]
evaluation_interval: often
tests:
  - intervall: 1m
    alert_rule_test: [{alertname: [A], exp_alerts: [{exp_labels: [a]}]}]
    promql_expr_test: [{expr: m, exp_samples: [{labels: m, value: "1"}, {histogram: "{{}}"}]}]
  - 5
)");
  for (const char* wanted :
       {"test.yml:1:1: unit tests: unknown key \"rule_file\"", "test.yml:2:23: ", "group \"a\" is given twice",
        "test.yml:3:22: unit tests: \"evaluation_interval\": \"often\" is not a duration",
        "unknown key \"intervall\" (did you mean \"interval\"?)", "\"alertname\": expected text, found a list",
        "\"exp_labels\": expected a mapping, found a list", "\"value\": \"1\" is not a number",
        "native histograms are not supported", "test.yml:8:5: test: expected a mapping"}) {
    EXPECT_THAT(text, HasSubstr(wanted));
  }
}

TEST_F(UnitTestTest, RuleFilesAreFoundFromTheTestsFolder) {
  write_rules("groups: [{name: h, rules: []}]", "rules2.yml");
  const auto both = parse("rule_files: ['rules*.yml', rules.yml, none.yml]\ntests: [{}]");
  ASSERT_TRUE(both) << both.error().to_string();
  EXPECT_EQ(both->groups.size(), 2U) << "each file once";
  ASSERT_EQ(both->notes.size(), 1U);
  EXPECT_THAT(both->notes[0].message, HasSubstr("no rule file matches \"none.yml\""));
  write_rules("groups: [{name: h, rules: [{alert: A, expr: '('}]}]", "rules2.yml");
  EXPECT_THAT(mistakes("rule_files: [rules2.yml]\ntests: [{}]"), HasSubstr("rules2.yml:1:"));
  EXPECT_EQ(mistakes("rule_files: [rules2.yml]\ntests: []"), "") << "without a test promtool reads no rules";
}

TEST_F(UnitTestTest, NumbersAreThoseOfYaml) {
  for (const auto& [written, value] : std::vector<std::pair<std::string, std::string>>{{"1_000", "1000"},
                                                                                       {"0x10", "16"},
                                                                                       {"010", "8"},
                                                                                       {"-.inf", "-Inf"},
                                                                                       {"1e3", "1000"},
                                                                                       {"-0b11", "-3"},
                                                                                       {"+5", "5"},
                                                                                       {".5", "0.5"}}) {
    EXPECT_TRUE(
        run(fmt::format("    promql_expr_test: [{{expr: '{}', exp_samples: [{{value: {}}}]}}]\n", value, written))
            .passed())
        << written;
  }
  for (const char* written : {"NaN", "1e999", "one", "true", "'1'", "[1]", "0x"}) {
    EXPECT_THAT(
        mistakes(fmt::format("tests: [{{promql_expr_test: [{{expr: '1', exp_samples: [{{value: {}}}]}}]}}]", written)),
        HasSubstr("is not a number"))
        << written;
  }
}

TEST_F(UnitTestTest, DollarsInExpectationsAreNoVariables) {
  write_rules("groups: [{name: g, rules: [{alert: A, expr: 'vector(1)', annotations: {x: '${HOME} $5'}}]}]");
  EXPECT_TRUE(
      run("    alert_rule_test: [{eval_time: 0, alertname: A, exp_alerts: [{exp_annotations: {x: '${HOME} $5'}}]}]\n")
          .passed());
}

TEST(UnitTestFiles, AFileThatIsNotThereIsADiagnostic) {
  const auto file = load_unit_tests("/none/test.yml");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().to_string(), HasSubstr("/none/test.yml: cannot be read: No such file"));
}

TEST(UnitTestFiles, TextThatIsNoTestFileIsADiagnosticAndNothingElse) {
  for (const char* text : {"5", "- a", "tests: 5", "tests: [[]]", "{", "tests: [{input_series: {a: b}}]", "a: [\n",
                           "tests: [{external_labels: [a]}]", "rule_files: a.yml", "rule_files: [[a]]"}) {
    EXPECT_FALSE(parse_unit_tests(text, "t.yml")) << text;
  }
}

}  // namespace
}  // namespace weir::rules
