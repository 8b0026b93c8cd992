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

TEST(CheckFile, ReadsEveryMetricOfSoda) {
  for (const char* line : {"missing_count(a) = 0",
                           "invalid_count(a) = 0:\n      valid min: 0",
                           "invalid_percent(a) < 5%:\n      valid format: email",
                           "valid_count(a) > 0:\n      valid values: [x, y]",
                           "duplicate_count(a) = 0",
                           "duplicate_count(a, b) = 0",
                           "duplicate_percent(a, b, c) < 1%",
                           "sum(a) > 0",
                           "stddev(a) > 0",
                           "stddev_pop(a) > 0",
                           "stddev_samp(a) > 0",
                           "variance(a) > 0",
                           "var_pop(a) > 0",
                           "var_samp(a) > 0",
                           "percentile(a, 0.95) > 0",
                           "avg_length(a) > 1",
                           "min_length(a) > 1",
                           "max_length(a) < 9",
                           "row_count > 0:\n      filter: a > 1",
                           "percentile(loaded_at - event_time, 0.95) < 30s",
                           "max(loaded_at - event_time) < 1d12h",
                           "late_count(event_time, loaded_at) = 0:\n      bucket: 1h\n      lateness: 10m",
                           "late_percent(a, b) < 1%",
                           "change same day last week for row_count > 5",
                           "change percent for sum(a) > -50%",
                           "row_count same as u",
                           "schema:\n      fail:\n        when required column missing: [a]",
                           "values in (a) must exist in u (b)",
                           "failed rows:\n      fail condition: a > 1"}) {
    EXPECT_NE(check_of(line).probe, nullptr) << line;
  }
  EXPECT_EQ(check_of("percentile(a - b, 0.5) < 90s").canonical(), "percentile(a - b, 0.5) < 1m30s");
  EXPECT_EQ(check_of("change same day last month for row_count > 5").canonical(),
            "change same day last month for row_count > 5");
  EXPECT_EQ(check_of("change for row_count < 50%").canonical(), "change percent for row_count < 50%");
}

TEST(CheckFile, TellsWhatMeasuresAnotherValueByItsIdentity) {
  EXPECT_EQ(check_of("missing_count(a) = 0").identity(), "missing_count(a)");
  EXPECT_NE(check_of("missing_count(a) = 0:\n      filter: b > 1").identity(), "missing_count(a)");
  EXPECT_NE(check_of("missing_count(a) = 0:\n      missing values: [x]").identity(),
            check_of("missing_count(a) = 0:\n      missing values: [y]").identity());
  EXPECT_EQ(check_of("missing_count(a) = 0:\n      identity: kept").identity(), "kept");
}

TEST(CheckFile, KeepsAttributes) {
  const Parsed parsed = parse(R"(
checks for t:
  - attributes:
      owner: data-team
      severity: high
  - row_count > 0
  - max(a) < 1:
      attributes: {severity: low, tags: [x, y]}
)");
  ASSERT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  const auto& checks = parsed.datasets.at(0).checks;
  EXPECT_EQ(checks.at(0).attributes.at("severity"), "high");
  EXPECT_EQ(checks.at(1).attributes.at("severity"), "low") << "a check's own go before";
  EXPECT_EQ(checks.at(1).attributes.at("owner"), "data-team");
  EXPECT_EQ(checks.at(1).attributes.at("tags"), "x, y");
  expect_error("checks for t:\n  - row_count > 0:\n      attributes: high",
               "3:19: check \"row_count > 0\": \"attributes\"");
}

TEST(CheckFile, ReplacesVariablesButNotFromTheEnvironment) {
  config::Diagnostics diagnostics;
  const auto root = config::parse_yaml(R"(
variables:
  least: 5
  day: {default: "2026-01-01"}
checks for ${table} [new]:
  - row_count > ${least}:
      name: more than ${ least } since ${day}
filter ${table} [new]:
  where: created_at >= '${day}'
)",
                                       "x.yml", diagnostics);
  const auto datasets = parse_check_file(root, diagnostics, {{"table", "sales.t"}, {"least", "7"}});
  ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(datasets.at(0).label(), "sales.t [new]");
  EXPECT_EQ(datasets.at(0).where, "created_at >= '2026-01-01'");
  EXPECT_EQ(datasets.at(0).checks.at(0).canonical(), "row_count > 7") << "the caller's go before the file's";
  EXPECT_EQ(datasets.at(0).checks.at(0).name, "more than 7 since 2026-01-01");
  expect_error("checks for t:\n  - row_count > ${HOME}", "2:17: variable \"HOME\" is not set");
  expect_error("variables: {least: 1}\nchecks for t:\n  - row_count > ${leats}", "(did you mean \"least\"?)");
  expect_error("checks for t:\n  - row_count > 0:\n      name: ${x", "is not closed");
  expect_error("variables: {a: \"${b}\"}\nchecks for t:\n  - row_count > 0", "within variables");
}

TEST(CheckFile, TakesColumnSettingsFromTheTable) {
  const Parsed parsed = parse(R"(
configurations for t:
  valid values for size: [S, M, L]
  missing values for size: [N/A]
  valid min for amount: 0
checks for t:
  - invalid_count(size) = 0
  - invalid_count(amount) = 0
  - missing_count(size) = 0:
      missing values: [none]
)");
  ASSERT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  EXPECT_THAT(parsed.datasets.at(0).checks.at(2).identity(), testing::AllOf(HasSubstr("none"), HasSubstr("N/A")));
  expect_error("configurations for t:\n  valid mn for a: 0\nchecks for t:\n  - max(a) < 1",
               "2:3: section \"configurations for t\": unknown setting \"valid mn\" (did you mean \"valid min\"?)");
  expect_error("configurations for t:\n  valid min: 0\nchecks for t:\n  - max(a) < 1",
               "expected a setting and its column");
  expect_error("configurations for u:\n  valid min for a: 0\nchecks for t:\n  - max(a) < 1",
               "there are no checks for this table");
}

TEST(CheckFile, ReadsChecksForEachTable) {
  const Parsed parsed = parse(R"(
for each dataset D:
  datasets: [fct_%, include dim_customer, exclude %_old, staging.raw]
  checks:
    - row_count > 0:
        name: ${D} has rows
)");
  ASSERT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  const Dataset& dataset = parsed.datasets.at(0);
  ASSERT_NE(dataset.for_each, nullptr);
  EXPECT_TRUE(dataset.for_each->fits("public", "fct_orders", true));
  EXPECT_FALSE(dataset.for_each->fits("other", "fct_orders", false)) << "its name alone does not find it";
  EXPECT_FALSE(dataset.for_each->fits("public", "fct_orders_old", true));
  EXPECT_TRUE(dataset.for_each->fits("staging", "raw", false));
  EXPECT_FALSE(dataset.for_each->fits("public", "raw", true));
  EXPECT_EQ(dataset.for_each->checks("fct_orders").at(0).name, "fct_orders has rows");
  expect_error("for each dataset D:\n  datasets: [a]\n  checks:\n    - row_cont > 0", "4:7: check \"row_cont > 0\"");
  expect_error("for each dataset D:\n  checks:\n    - row_count > 0", "name tables, or patterns");
  expect_error("checks:\n  - failed rows:\n      fail query: SELECT 1", "write \"checks for <table>\" with one of");
  expect_error("for each dataset D:\n  datasets: [a]", "key \"checks\" is missing");
  expect_error("for each dataset D:\n  datasets: [a.b.c]\n  checks:\n    - row_count > 0", "at most two parts");
}

TEST(CheckFile, ReadsGroups) {
  const std::string good = R"(
checks for t:
  - group by:
      name: by country
      group_limit: 5
      query: |
        SELECT country, avg(amount) AS average FROM t GROUP BY country
      fields: [country]
      checks:
        - average > 10:
            name: worth
        - average:
            warn: when < 5
)";
  const Parsed parsed = parse(good);
  ASSERT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  ASSERT_EQ(parsed.datasets.at(0).checks.size(), 2U);
  EXPECT_EQ(parsed.datasets.at(0).checks.at(0).name, "by country: worth");
  EXPECT_TRUE(parsed.datasets.at(0).checks.at(0).probe->grouped());
  expect_error("checks for t:\n  - group by:\n      query: DELETE FROM t\n      fields: [a]\n      checks: [b > 1]",
               "\"query\"");
  expect_error("checks for t:\n  - group by:\n      query: SELECT 1\n      checks: [b > 1]",
               "key \"fields\" is missing");
  expect_error("checks for t:\n  - group by:\n      query: SELECT 1\n      fields: [a]\n      checks: [sum(b) > 1]",
               "name a column of the query");
}

TEST(CheckFile, RefusesWhatItDoesNotKnow) {
  expect_error("checks for t:\n  - row_cont > 0",
               "checks/x.yml:2:5: check \"row_cont > 0\": unknown metric \"row_cont\" (did you mean \"row_count\"?)");
  const std::string both =
      parse("checks for t:\n  - row_cont > 1x\n  - freshnes(a):\n      warn: when > 1x\n").diagnostics.to_string();
  EXPECT_THAT(both, HasSubstr("2:16: check \"row_cont > 1x\": \"1x\" is no duration"));
  EXPECT_THAT(both,
              HasSubstr("2:5: check \"row_cont > 1x\": unknown metric \"row_cont\" (did you mean \"row_count\"?)"));
  EXPECT_THAT(both, HasSubstr("4:20: check \"freshnes(a)\": \"warn\": \"1x\" is no duration"));
  EXPECT_THAT(both, HasSubstr("3:5: check \"freshnes(a)\": unknown metric \"freshnes\" (did you mean \"freshness\"?)"));
  expect_error("checks for t:\n  - freshness using a < 1h",
               "\"freshness using\" is not supported; write freshness(column)");
  expect_error("checks for t:\n  - anomaly score for row_count < default", "\"anomaly score for\" is not supported");
  expect_error("check for t:\n  - row_count > 0", "1:1: unknown section \"check for t\"");
  expect_error("for each column C:\n  - a", "\"for each column\" is not supported");
  expect_error("profile columns: {}", "\"profile columns\" is not supported");
  expect_error("checks for t:\n  - row_count > 0:\n      nam: x",
               "3:7: check \"row_count > 0\": unknown key \"nam\" (did you mean \"name\"?)");
  expect_error("checks for t:\n  - row_count > 0:\n      method: psi", "belongs to distribution_difference");
  expect_error("checks for t:\n  - row_count > 0:\n      valid min: 5",
               "\"valid min\" belongs to checks about the values");
  expect_error("checks for t:\n  - duplicate_count(a) = 0:\n      valid min: 5",
               "\"valid min\" belongs to checks about the values");
  expect_error("checks for t:\n  - invalid_count(a) = 0", "nothing says which values are valid");
  expect_error("checks for t:\n  - invalid_count(a) = 0:\n      valid format: emial",
               "unknown format \"emial\" (did you mean \"email\"?)");
  expect_error("checks for t:\n  - invalid_count(a) = 0:\n      valid values: [1, a]",
               "either all values are numbers or all are texts");
  expect_error("checks for t:\n  - invalid_count(a) = 0:\n      valid values: a", "expected a list");
  expect_error("checks for t:\n  - invalid_count(a) = 0:\n      valid length: 1.5", "whole number of characters");
  expect_error("checks for t:\n  - invalid_count(a) = 0:\n      valid min: low", "expected a number");
  expect_error("checks for t:\n  - row_count > 0:\n      filter: a > 1; DROP TABLE t", "a semicolon is not allowed");
  expect_error("checks for t:\n  - percentile(a, 95) > 0",
               "2:19: check \"percentile(a, 95) > 0\": \"95\" is no fraction");
  expect_error("checks for t:\n  - percentile(a) > 0", "write percentile(column, 0.95)");
  expect_error("checks for t:\n  - max(a - b) < 5", "compared with a duration");
  expect_error("checks for t:\n  - max(a -) < 5s", "the name of a second column");
  expect_error("checks for t:\n  - avg_length(a - b) < 5s", "takes no time between two columns");
  expect_error("checks for t:\n  - late_count(a) = 0", "write late_count(event_time, loaded_at)");
  expect_error("checks for t:\n  - late_count(a, b) = 0:\n      bucket: 1ms", "must be whole seconds");
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
  expect_error("checks for t:\n  - freshness(a, CUSTOM) < 1h", "variable \"CUSTOM\" is not set");
  expect_error("checks for t:\n  - row_count < 1h", "row_count is no duration");
  expect_error("checks for t:\n  - row_count < 5%", "row_count is no percentage");
  expect_error("checks for t:\n  - change for missing_percent(a) < 50%", "write \"change … percent for\"");
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
