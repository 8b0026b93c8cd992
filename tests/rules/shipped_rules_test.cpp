// The rules of rules/ and their unit tests, which are promtool's: what promtool says of them, Weir must say too.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <iterator>
#include <set>
#include <sstream>

#include "config/node.h"
#include "promql/parser.h"
#include "rules/evaluator.h"
#include "rules/loader.h"
#include "rules/memory_source.h"

namespace weir::rules {
namespace {

namespace fs = std::filesystem;

const fs::path kRules = fs::path(WEIR_SOURCE_DIR) / "rules";

std::vector<std::string> yaml_files(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yml") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<Group> load_shipped() {
  config::Diagnostics diagnostics;
  auto groups = load(yaml_files(kRules), diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return groups;
}

/// promtool's series notation: "1 2 _ 5x3 0+10x4 stale".
std::vector<std::optional<double>> expand_values(const std::string& text) {
  std::vector<std::optional<double>> values;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "stale") {
      values.emplace_back(core::stale_marker());
      continue;
    }
    const std::size_t x = word.find('x');
    const int times = x == std::string::npos ? 0 : std::stoi(word.substr(x + 1));
    word = word.substr(0, x);
    if (word == "_") {
      values.insert(values.end(), static_cast<std::size_t>(x == std::string::npos ? 1 : times), std::nullopt);
      continue;
    }
    const std::size_t sign = word.find_first_of("+-", 1);
    const double start = std::stod(word.substr(0, sign));
    const double by = sign == std::string::npos ? 0 : std::stod(word.substr(sign));
    for (int i = 0; i <= times; ++i) values.emplace_back(start + by * i);
  }
  return values;
}

core::Labels parse_series(const std::string& text) {
  const auto parsed = promql::parse(text);
  EXPECT_TRUE(parsed) << text;
  core::LabelsBuilder labels;
  for (const core::Matcher& matcher : promql::selectors(*parsed).at(0)->matchers)
    labels.set(matcher.name, matcher.value);
  return labels.build();
}

core::Labels read_labels(const config::Node* node) {
  core::LabelsBuilder labels;
  if (node == nullptr) return {};
  for (const auto& [name, value] : node->entries()) labels.set(name.text(), value.text());
  return labels.build();
}

core::Duration duration(const config::Node* node) { return core::parse_duration(node->text()).value(); }

/// "labels annotations" of each alert, sorted.
using Alerts = std::multiset<std::string>;

Alerts expected_alerts(const config::Node& check) {
  Alerts alerts;
  const config::Node* list = check.find("exp_alerts");
  if (list == nullptr) return alerts;
  for (const config::Node& alert : list->items()) {
    const core::Labels labels =
        read_labels(alert.find("exp_labels")).with("alertname", check.find("alertname")->text());
    alerts.insert(labels.to_string() + " " + read_labels(alert.find("exp_annotations")).to_string());
  }
  return alerts;
}

Alerts firing_alerts(const Evaluator& evaluator, const std::string& name) {
  Alerts alerts;
  for (const core::Alert& alert : evaluator.active()) {
    if (alert.rule != name || alert.state != core::AlertState::firing) continue;
    alerts.insert(alert.labels.to_string() + " " + alert.annotations.to_string());
  }
  return alerts;
}

void check_samples(const config::Node& check, const test::MemorySource& source, core::Time now) {
  const auto parsed = promql::parse(check.find("expr")->text());
  ASSERT_TRUE(parsed);
  const auto value = promql::evaluate(*parsed, source, now);
  ASSERT_TRUE(value) << value.error().message;
  std::map<core::Labels, double> found;
  for (const auto& sample : std::get<promql::Vector>(*value)) found[sample.labels] = sample.value;
  std::map<core::Labels, double> expected;
  for (const config::Node& sample : check.find("exp_samples")->items()) {
    expected[parse_series(sample.find("labels")->text())] = std::stod(sample.find("value")->text());
  }
  ASSERT_EQ(found.size(), expected.size()) << check.position().to_string();
  for (const auto& [labels, wanted] : expected) {
    ASSERT_TRUE(found.contains(labels)) << labels.to_string();
    EXPECT_NEAR(found[labels], wanted, 1e-9) << labels.to_string();
  }
}

/// One entry of `tests:`, evaluated as promtool does it. Returns how many expectations were compared.
std::size_t run_test(const config::Node& test, const std::string& rule_file, core::Duration every) {
  config::Diagnostics diagnostics;
  Evaluator evaluator(load({rule_file}, diagnostics));
  test::MemorySource source;
  const core::Time start = test::at(0);
  for (const config::Node& series : test.find("input_series")->items()) {
    const core::Labels labels = parse_series(series.find("series")->text());
    core::Time time = start;
    for (const auto& value : expand_values(series.find("values")->text())) {
      if (value) source.add(labels, time, *value);
      time += duration(test.find("interval"));
    }
  }
  std::size_t compared = 0;
  for (core::Duration passed{0}; passed <= std::chrono::minutes(30); passed += every) {
    for (std::size_t group = 0; group < evaluator.groups().size(); ++group) {
      const Evaluation evaluation = evaluator.evaluate(group, source, start + passed);
      EXPECT_TRUE(evaluation.errors.empty()) << evaluation.errors.front().describe();
      source.take(evaluation.batch.samples);
    }
    const config::Node* alert_checks = test.find("alert_rule_test");
    for (const config::Node& check : alert_checks ? alert_checks->items() : std::vector<config::Node>{}) {
      if (duration(check.find("eval_time")) != passed) continue;
      EXPECT_EQ(firing_alerts(evaluator, check.find("alertname")->text()), expected_alerts(check))
          << check.position().to_string();
      ++compared;
    }
    const config::Node* expression_checks = test.find("promql_expr_test");
    for (const config::Node& check : expression_checks ? expression_checks->items() : std::vector<config::Node>{}) {
      if (duration(check.find("eval_time")) != passed) continue;
      check_samples(check, source, start + passed);
      ++compared;
    }
  }
  return compared;
}

TEST(ShippedRules, LoadWithoutAMistake) {
  const auto groups = load_shipped();
  std::size_t alerts = 0;
  for (const Group& group : groups) {
    for (const Rule& rule : group.rules) alerts += rule.alerting() ? 1 : 0;
  }
  EXPECT_GE(alerts, 15U);
}

TEST(ShippedRules, EveryAlertSaysHowBadItIsAndWhatToDo) {
  for (const Group& group : load_shipped()) {
    for (const Rule& rule : group.rules) {
      if (!rule.alerting()) continue;
      const std::string_view severity = rule.constant_labels.get("severity");
      EXPECT_TRUE(severity == "critical" || severity == "warning") << rule.name;
      for (const char* wanted : {"summary", "description"}) {
        const auto found = std::ranges::find(rule.annotations, wanted, &TemplatedText::name);
        EXPECT_NE(found, rule.annotations.end()) << rule.name << " has no " << wanted;
      }
    }
  }
}

TEST(ShippedRules, ReadOnlyMetricsThatTheArchitecturePageLists) {
  std::ifstream stream(fs::path(WEIR_SOURCE_DIR) / "src" / "README.md");
  const std::string page{std::istreambuf_iterator<char>(stream), {}};
  for (const Group& group : load_shipped()) {
    for (const Rule& rule : group.rules) {
      for (const std::string& name : promql::metric_names(*rule.expr)) {
        EXPECT_NE(page.find(name), std::string::npos) << rule.name << " reads " << name;
      }
    }
  }
}

TEST(ShippedRules, PassPromtool) {
  const std::string quiet = " > /dev/null 2>&1";
  const std::string check = "promtool check rules " + (kRules / "*.yml").string() + quiet;
  EXPECT_EQ(std::system(check.c_str()), 0) << "promtool (Debian's prometheus) must be installed: " << check;
  const std::string test = "promtool test rules " + (kRules / "tests" / "*.yml").string() + quiet;
  EXPECT_EQ(std::system(test.c_str()), 0) << test;
}

TEST(ShippedRules, GetTheSameVerdictFromWeirAsFromPromtool) {
  std::size_t compared = 0;
  std::set<std::string> tested;
  for (const std::string& file : yaml_files(kRules / "tests")) {
    config::Diagnostics diagnostics;
    const config::Node root = config::load_yaml(file, diagnostics);
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    const fs::path rules = fs::path(file).parent_path() / root.find("rule_files")->items().at(0).text();
    tested.insert(fs::weakly_canonical(rules).string());
    for (const config::Node& test : root.find("tests")->items()) {
      SCOPED_TRACE(test.find("name")->text());
      compared += run_test(test, rules.string(), duration(root.find("evaluation_interval")));
    }
  }
  EXPECT_GE(compared, 30U);
  EXPECT_EQ(tested.size(), yaml_files(kRules).size()) << "every rule file has its tests";
}

}  // namespace
}  // namespace weir::rules
