#include "quality/check_file.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "quality/probe.h"

namespace weir::quality {
namespace {

using testing::HasSubstr;

struct Parsed {
  std::vector<Dataset> datasets;
  config::Diagnostics diagnostics;
};

Parsed parse(const std::string& yaml, const std::string& file = "checks/x.yml") {
  Parsed parsed;
  const config::Node root = config::parse_yaml(yaml, file, parsed.diagnostics);
  parsed.datasets = merge_datasets(parse_check_file(root, parsed.diagnostics), parsed.diagnostics);
  return parsed;
}

/// The one check of a section "checks for t".
Check check_of(const std::string& line) {
  Parsed parsed = parse("checks for t:\n  - " + line + "\n");
  EXPECT_TRUE(parsed.diagnostics.ok()) << line << "\n" << parsed.diagnostics.to_string();
  return parsed.datasets.empty() || parsed.datasets[0].checks.empty() ? Check{} : parsed.datasets[0].checks[0];
}

void expect_error(const std::string& yaml, const std::string& message) {
  const Parsed parsed = parse(yaml);
  EXPECT_EQ(parsed.diagnostics.errors().size(), 1U) << yaml << "\n" << parsed.diagnostics.to_string();
  EXPECT_THAT(parsed.diagnostics.to_string(), HasSubstr(message)) << yaml;
}

TEST(CheckFile, ReadsEveryMetric) {
  EXPECT_EQ(check_of("row_count > 0").canonical(), "row_count > 0");
  EXPECT_EQ(check_of("freshness(loaded_at)   <   90m").canonical(), "freshness(loaded_at) < 1h30m");
  EXPECT_EQ(check_of("missing_count(a)=0").canonical(), "missing_count(a) = 0");
  EXPECT_EQ(check_of("missing_percent(a) < 5%").canonical(), "missing_percent(a) < 5%");
  EXPECT_EQ(check_of("min(a) >= -1.5").canonical(), "min(a) >= -1.5");
  EXPECT_EQ(check_of("max(a) != 7").canonical(), "max(a) != 7");
  EXPECT_EQ(check_of("avg(a) between (10 and 20]").canonical(), "avg(a) between (10 and 20");
  EXPECT_EQ(check_of("change avg last 7 percent for row_count > -30%").canonical(),
            "change avg last 7 percent for row_count > -30%");
}

TEST(CheckFile, NamesAreTheTextAsWrittenOrGiven) {
  EXPECT_EQ(check_of("freshness(loaded_at) < 25h").name, "freshness(loaded_at) < 25h");
  EXPECT_EQ(check_of("freshness(loaded_at) < 25h").canonical(), "freshness(loaded_at) < 1d1h");
  EXPECT_EQ(check_of("row_count>0").name, "row_count>0");
  EXPECT_EQ(check_of("row_count   >\t0").name, "row_count > 0");
  EXPECT_EQ(check_of("row_count >\n      0").name, "row_count > 0");
  EXPECT_EQ(check_of("' row_count > 0 '").name, "row_count > 0");
  EXPECT_EQ(check_of("row_count > 0:\n      name: there are orders").name, "there are orders");
  EXPECT_EQ(check_of("row_count:\n      warn: when < 10\n      fail: when < 1").name,
            "row_count warn when < 10 fail when < 1");
}

TEST(CheckFile, KnowsWhereAChecksStands) {
  EXPECT_EQ(check_of("row_count > 0").position.to_string(), "checks/x.yml:2:5");
}

TEST(CheckFile, ReadsSectionsAndFilters) {
  const Parsed parsed = parse(R"(
checks for sales.orders [recent]:
  - row_count > 0
checks for sales.orders:
  - row_count > 5
filter sales.orders [recent]:
  where: created_at > '2026-01-01'
)");
  ASSERT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  ASSERT_EQ(parsed.datasets.size(), 2U);
  EXPECT_EQ(parsed.datasets[0].label(), "sales.orders [recent]");
  EXPECT_EQ(parsed.datasets[0].where, "created_at > '2026-01-01'");
  EXPECT_EQ(parsed.datasets[1].label(), "sales.orders");
  EXPECT_EQ(parsed.datasets[1].where, "");
}

TEST(CheckFile, RefusesWhatItDoesNotKnow) {
  expect_error("checks for t:\n  - row_cont > 0",
               "checks/x.yml:2:5: check \"row_cont > 0\": unknown metric \"row_cont\" (did you mean \"row_count\"?)");
  expect_error("checks for t:\n  - duplicate_count(a) = 0",
               "2:5: check \"duplicate_count(a) = 0\": \"duplicate_count\" is not supported");
  expect_error("checks for t:\n  - change for sum(a) > 0", "\"sum\" is not supported");
  expect_error("checks for t:\n  - anomaly score for row_count < default", "write \"anomaly detection for");
  expect_error("checks for t:\n  - row_count > ${least}",
               "2:17: check \"row_count > ${least}\": variables are not supported");
  expect_error("checks for ${t}:\n  - row_count > 0", "1:12: variables are not supported");
  expect_error("check for t:\n  - row_count > 0", "1:1: unknown section \"check for t\"");
  expect_error("for each dataset D:\n  datasets: [a]", "\"for each dataset\" is not supported");
  expect_error("profile columns: {}", "\"profile columns\" is not supported");
  expect_error("checks for t:\n  - row_count > 0:\n      nam: x",
               "3:7: check \"row_count > 0\": unknown key \"nam\" (did you mean \"name\"?)");
  expect_error("checks for t:\n  - row_count > 0:\n      filter: a > 1",
               "3:15: check \"row_count > 0\": \"filter\" is not supported");
  expect_error("checks for t:\n  - row_count > 0:\n      method: psi", "belongs to distribution_difference");
}

TEST(CheckFile, RefusesShapesThatAreNoChecks) {
  expect_error("", "checks/x.yml: expected sections such as \"checks for <table>:\", found nothing");
  expect_error("- row_count > 0", "1:1: expected sections such as \"checks for <table>:\", found a list");
  expect_error("checks for t: row_count > 0", "expected a list of checks");
  expect_error("checks for t: []", "no checks");
  expect_error("checks for t:", "expected a list of checks");
  expect_error("checks for t:\n  - [row_count > 0]", "expected a check");
  expect_error("checks for t:\n  -", "expected a check");
  expect_error("checks for t:\n  - row_count > 0:\n    name: x",
               "3:5: \"name\" stands beside the check \"row_count > 0\"; indent it");
  expect_error("checks for t:\n  - row_count > 0: yes", "expected settings such as name:");
  expect_error("checks for t:\n  - row_count > 0:\n      name: [a]", "\"name\": expected one line of text");
  expect_error("checks for t:\n  - row_count > 0:\n      name: \"a\\nb\"", "\"name\": expected one line of text");
}

TEST(CheckFile, RefusesAWarningThatAFailureAlwaysHides) {
  const auto zones = [](const std::string& warn, const std::string& fail) {
    return "checks for t:\n  - row_count:\n      warn: when " + warn + "\n      fail: when " + fail + "\n";
  };
  expect_error(zones("> 5", "> 1"),
               "3:13: check \"row_count\": \"warn\" would never be seen: whatever is > 5 is > 1 too, and fails");
  for (const auto& [warn, fail] : std::vector<std::pair<std::string, std::string>>{{"> 5", "> 5"},
                                                                                   {"> 5", ">= 5"},
                                                                                   {"< 1", "< 5"},
                                                                                   {"= 3", "between 1 and 5"},
                                                                                   {"between 2 and 3", "> 1"},
                                                                                   {"> 5", "!= 5"},
                                                                                   {"< 0", "not between 0 and 5"}}) {
    expect_error(zones(warn, fail), "would never be seen");
  }
  for (const auto& [warn, fail] :
       std::vector<std::pair<std::string, std::string>>{{"> 1", "> 5"},
                                                        {">= 5", "> 5"},
                                                        {"< 5", "< 1"},
                                                        {"> 5", "< 1"},
                                                        {"between 1 and 5", "= 3"},
                                                        {"!= 5", "> 5"},
                                                        {"between 1 and 5", "between (1 and 5)"},
                                                        {"not between 0 and 5", "< 0"}}) {
    EXPECT_TRUE(parse(zones(warn, fail)).diagnostics.ok()) << warn << " / " << fail;
  }
}

TEST(CheckFile, RefusesPercentagesThatCannotBe) {
  for (const char* threshold : {"< 101%", "< -1%", "< 200", "between 10 and 120", "= -5%"}) {
    expect_error("checks for t:\n  - missing_percent(a) " + std::string(threshold),
                 "missing_percent is always from 0 to 100");
  }
  expect_error("checks for t:\n  - missing_percent(a):\n      fail: when > 500%", "always from 0 to 100");
  EXPECT_EQ(check_of("missing_percent(a) <= 100%").name, "missing_percent(a) <= 100%");
  EXPECT_EQ(check_of("change percent for missing_percent(a) < 200%").change->percent, true);
}

TEST(CheckFile, RefusesThresholdsThatMeanNothing) {
  expect_error("checks for t:\n  - row_count", "2:14: check \"row_count\": a threshold is missing");
  expect_error("checks for t:\n  - row_count > 0:\n      warn: when < 5", "either a threshold here or warn: and fail:");
  expect_error("checks for t:\n  - row_count:\n      warn: < 5",
               "3:13: check \"row_count\": \"warn\": expected \"when\"");
  expect_error("checks for t:\n  - row_count:\n      warn: [1]", "\"warn\": expected a condition");
  expect_error("checks for t:\n  - freshness(a)", "such as < 1h30m");
  expect_error("checks for t:\n  - freshness(a) < 5", "compared with a duration");
  expect_error("checks for t:\n  - freshness(a) > 1h", "expected to be below a bound");
  expect_error("checks for t:\n  - freshness(a):\n      fail: when < 1h", "above a bound");
  expect_error("checks for t:\n  - freshness(a, NOW) < 1h", "a variable instead of the present time");
  expect_error("checks for t:\n  - row_count < 1h", "a duration is for freshness only");
  expect_error("checks for t:\n  - row_count < 5%", "row_count is no percentage");
  expect_error("checks for t:\n  - change for row_count < 50%", "write \"change … percent for\"");
  expect_error("checks for t:\n  - change for freshness(a) < 1h", "cannot be used with freshness");
  expect_error("checks for t:\n  - missing_count = 0", "write missing_count(column)");
  expect_error("checks for t:\n  - missing_count(a, b) = 0", "write missing_count(column)");
  expect_error("checks for t:\n  - row_count(a) > 0", "takes no column");
}

TEST(CheckFile, ReportsAllMistakesAtOnce) {
  const Parsed parsed = parse("checks for t:\n  - row_cont > 0\n  - row_count >\n  - max(a) < 5\nchecks fo u: []\n");
  EXPECT_EQ(parsed.diagnostics.errors().size(), 3U) << parsed.diagnostics.to_string();
  EXPECT_EQ(parsed.datasets[0].checks.size(), 1U);
}

TEST(CheckFile, RefusesFiltersThatCannotBe) {
  const std::string use = "checks for t [f]:\n  - row_count > 0\n";
  expect_error(use, "filter \"f\" of this table is not declared");
  expect_error(
      "checks for t [piad]: [row_count > 0]\nfilter t [paid]: {where: a}\nchecks for t [paid]: [row_count > 0]",
      "is not declared in this file (did you mean");
  expect_error("filter t [f]: {where: a}", "is used by no checks");
  expect_error(use + "filter t: {where: a}\nfilter t [f]: {where: a}", "needs a name in brackets");
  expect_error(use + "filter t [f]: {}", "expected a SQL condition");
  expect_error(use + "filter t [f]: {wher: a, where: b}", "unknown key \"wher\"");
  expect_error(use + "filter t [f]:\n  where: 1=1; DROP TABLE t", "a semicolon is not allowed");
}

TEST(FilterCondition, MustBeOneWholeExpression) {
  for (const char* good : {"a > 1", "(a > 1) AND (b IN ('x', 'it''s; --'))", "\"odd;name\" = 1", "a LIKE '%/*%'",
                           "note = ')'", "a > 1\n  AND b < 2"}) {
    EXPECT_EQ(condition_mistake(good), "") << good;
  }
  for (const char* bad : {"1=1; DELETE FROM t", "1=1) UNION SELECT password FROM users WHERE (1=1", "1=1 --", "1=1 /*",
                          "(a > 1", "a = 'x", "a = \"x", "$$x$$ = ''", "a > ${x}", "a = \\'x", "a\x01"}) {
    EXPECT_NE(condition_mistake(bad), "") << bad;
  }
}

TEST(CheckFiles, MergeTheSectionsOfOneDataset) {
  config::Diagnostics diagnostics;
  const auto one = config::parse_yaml("checks for t:\n  - row_count > 0", "a.yml", diagnostics);
  const auto two =
      config::parse_yaml("checks for u:\n  - row_count > 0\nchecks for t:\n  - max(a) < 5", "b.yml", diagnostics);
  std::vector<Dataset> all = parse_check_file(one, diagnostics);
  for (Dataset& dataset : parse_check_file(two, diagnostics)) all.push_back(std::move(dataset));
  const auto merged = merge_datasets(std::move(all), diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_EQ(merged.size(), 2U);
  EXPECT_EQ(merged[0].checks.size(), 2U);
}

TEST(CheckFiles, MustNotNameTwoThingsAlike) {
  expect_error("checks for t:\n  - row_count > 0\n  - row_count  >  0",
               "3:5: check \"row_count > 0\" of t is already at checks/x.yml:2:5");
  expect_error("checks for t:\n  - row_count > 0:\n      name: x\n  - max(a) < 1:\n      name: x",
               "check \"x\" of t is already");
  // The labels would be the same, the tables are not.
  expect_error("checks for a.b:\n  - row_count > 0\nchecks for \"a.b\":\n  - max(a) < 1",
               "has another condition or table");
}

class DistributionFileTest : public testing::Test {
 protected:
  DistributionFileTest()
      : folder_(std::filesystem::path(testing::TempDir()) / ("weir-distribution-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    write(
        "column: amount\ndistribution_type: continuous\ndistribution_reference:\n  bins: [0, 10, 20]\n  weights: [0.5, "
        "0.5]\n");
  }
  ~DistributionFileTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream(folder_ / "ref.yml") << text; }

  Parsed parse_with(const std::string& settings,
                    const std::string& check = "distribution_difference(amount) < 0.25") const {
    return parse("checks for t:\n  - " + check + ":\n" + settings, folder_ / "x.yml");
  }

  std::filesystem::path folder_;
};

TEST_F(DistributionFileTest, IsReadFromBesideTheCheckFile) {
  const Parsed parsed = parse_with("      distribution reference file: ./ref.yml\n      method: psi\n");
  ASSERT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  const Check& check = parsed.datasets.at(0).checks.at(0);
  EXPECT_EQ(check.canonical(), "distribution_difference(amount) < 0.25");
}

TEST_F(DistributionFileTest, MayHoldSeveralByName) {
  write("usual:\n  distribution_type: continuous\n  distribution reference:\n    bins: [0, 10]\n    weights: [0, 1]\n");
  const Parsed parsed = parse_with("      distribution reference file: ref.yml\n      method: psi\n",
                                   "distribution_difference(amount, usual) < 0.25");
  ASSERT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  EXPECT_EQ(parsed.datasets.at(0).checks.at(0).canonical(), "distribution_difference(amount, usual) < 0.25");
}

TEST_F(DistributionFileTest, MustBeThereAndFit) {
  const std::string file = "      distribution reference file: ref.yml\n";
  const auto expect = [&](const Parsed& parsed, const std::string& message) {
    EXPECT_THAT(parsed.diagnostics.to_string(), HasSubstr(message));
    for (const Dataset& dataset : parsed.datasets) EXPECT_TRUE(dataset.checks.empty());
  };
  expect(parse_with(file), "write \"method: psi\"");
  expect(parse_with(file + "      method: ks\n"), "write \"method: psi\"");
  expect(parse_with("      method: psi\n"), "key \"distribution reference file\" is missing");
  const Parsed absent = parse_with("      distribution reference file: no.yml\n      method: psi\n");
  expect(absent, "x.yml:3:36: check \"distribution_difference(amount) < 0.25\": \"distribution reference file\": ");
  expect(absent, "no.yml\" cannot be read: No such file");
  EXPECT_EQ(absent.diagnostics.errors().size(), 1U) << absent.diagnostics.to_string();
  expect(parse_with(file + "      method: psi\n", "distribution_difference(price) < 0.25"),
         "describes column \"amount\"");
  expect(parse_with(file + "      method: psi\n", "distribution_difference(amount, x) < 1"), "is not in this file");
}

}  // namespace
}  // namespace weir::quality
