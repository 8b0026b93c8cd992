// What rules' texts expand to is what Prometheus makes of them.
#include "rules/group.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <map>
#include <string>

#include "config/node.h"
#include "rules/loader.h"

#include "support/source_dir.h"

namespace weir::rules {
namespace {

const std::string kFolder = test::source_dir() + "/tests/rules/data/";

/// Annotations of every alert, as data/templates_test.yml says Prometheus expands them, with the values it used.
struct Expected {
  double value = 0;
  std::map<std::string, std::string> annotations;
};

std::map<std::string, Expected> read_expected() {
  config::Diagnostics diagnostics;
  const config::Node root = config::load_yaml(kFolder + "templates_test.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  std::map<std::string, Expected> expected;
  const config::Node& test = root.find("tests")->items().at(0);
  const auto& series = test.find("input_series")->items();
  const auto& alerts = test.find("alert_rule_test")->items();
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    Expected& alert = expected[alerts[i].find("alertname")->text()];
    alert.value = std::strtod(series.at(i).find("values")->text().c_str(), nullptr);
    const config::Node* annotations = alerts[i].find("exp_alerts")->items().at(0).find("exp_annotations");
    for (const auto& [name, text] : annotations->entries()) alert.annotations[name.text()] = text.text();
  }
  return expected;
}

TEST(GroupTexts, ExpandsAsPrometheusDoes) {
  config::Diagnostics diagnostics;
  const std::vector<Group> groups = load({kFolder + "templates.yml"}, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  const auto expected = read_expected();
  std::size_t compared = 0;
  int number = 0;
  for (const Rule& rule : groups.at(0).rules) {
    const Expected& alert = expected.at(rule.name);
    const std::string n = std::to_string(++number);
    const TemplateData data{core::Labels{{"__name__", "m"}, {"n", n}, {"topic", "orders.v1"}}, alert.value};
    for (const TemplatedText& annotation : rule.annotations) {
      const std::string& wanted = alert.annotations.at(annotation.name);
      const auto got = annotation.value.expand(data);
      ++compared;
      if (wanted.starts_with("<error expanding template")) {
        EXPECT_FALSE(got) << annotation.text << " gave " << *got << ", Prometheus: " << wanted;
      } else {
        EXPECT_EQ(got ? *got : "error: " + got.error().message, wanted) << annotation.text;
      }
    }
  }
  EXPECT_GT(compared, 100U);
}

TEST(GroupTexts, TheExpectationsAreWhatPromtoolGives) {
  const std::string command = "promtool test rules " + kFolder + "templates_test.yml > /dev/null 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << "promtool (Debian's prometheus) must be installed: " << command;
}

}  // namespace
}  // namespace weir::rules
