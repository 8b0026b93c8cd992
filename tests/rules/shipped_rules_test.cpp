// The rules of rules/ and their unit tests, which are promtool's: what promtool says of them, Weir must say too.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <iterator>
#include <set>

#include "promql/parser.h"
#include "rules/loader.h"
#include "rules/unit_test.h"

#include "support/source_dir.h"

namespace weir::rules {
namespace {

namespace fs = std::filesystem;

const fs::path kRules = fs::path(test::source_dir()) / "rules";

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
      EXPECT_TRUE(severity == "critical" || severity == "warning" || severity == "info") << rule.name;
      for (const char* wanted : {"summary", "description"}) {
        const auto found = std::ranges::find(rule.annotations, wanted, &TemplatedText::name);
        EXPECT_NE(found, rule.annotations.end()) << rule.name << " has no " << wanted;
      }
    }
  }
}

TEST(ShippedRules, ReadOnlyMetricsThatTheArchitecturePageLists) {
  std::ifstream stream(fs::path(test::source_dir()) / "src" / "README.md");
  const std::string page{std::istreambuf_iterator<char>(stream), {}};
  std::set<std::string> recorded;
  for (const Group& group : load_shipped()) {
    for (const Rule& rule : group.rules) recorded.insert(rule.name);
  }
  for (const Group& group : load_shipped()) {
    for (const Rule& rule : group.rules) {
      for (const std::string& name : promql::metric_names(*rule.expr)) {
        const std::string listed = name.ends_with("_bucket") ? name.substr(0, name.size() - 7) : name;  // a histogram's
        EXPECT_TRUE(recorded.contains(name) || page.find(listed) != std::string::npos)
            << rule.name << " reads " << name;
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

TEST(ShippedRules, PassTheirUnitTestsInWeirToo) {
  std::size_t compared = 0;
  std::set<std::string> tested;
  for (const std::string& path : yaml_files(kRules / "tests")) {
    const auto file = load_unit_tests(path);
    ASSERT_TRUE(file) << file.error().to_string();
    for (const std::string& rules : file->rule_files) tested.insert(fs::weakly_canonical(rules).string());
    for (const UnitTestOutcome& test : run_unit_tests(*file)) {
      EXPECT_TRUE(test.passed()) << test.failures.at(0).position.to_string() << ": " << test.failures[0].message;
      compared += test.expectations;
    }
  }
  EXPECT_GE(compared, 30U);
  EXPECT_EQ(tested.size(), yaml_files(kRules).size()) << "every rule file has its tests";
}

}  // namespace
}  // namespace weir::rules
