#include "quality/import_gx.h"

#include <gtest/gtest.h>

namespace weir::quality {
namespace {

class ImportGx : public testing::Test {
 protected:
  std::string checks(const std::string& expectations) {
    diagnostics_ = {};
    const config::Node suite =
        parse_json("{\"name\": \"s\", \"expectations\": [" + expectations + "]}", "suite.json", diagnostics_);
    return config::to_yaml(gx_suite_to_checks(suite, "sales.orders", diagnostics_));
  }
  /// The one check of an expectation, without the section around it.
  std::string check(const std::string& type, const std::string& kwargs) {
    const std::string text = checks("{\"type\": \"" + type + "\", \"kwargs\": {" + kwargs + "}}");
    EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
    const std::string head = "checks for sales.orders:\n  - ";
    EXPECT_TRUE(text.starts_with(head)) << text;
    return text.substr(std::min(head.size(), text.size()));
  }
  config::Diagnostics diagnostics_;
};

TEST_F(ImportGx, CountsOfRows) {
  EXPECT_EQ(check("expect_table_row_count_to_be_between", "\"min_value\": 1, \"max_value\": 10"),
            "row_count between 1 and 10\n");
  EXPECT_EQ(check("expect_table_row_count_to_be_between", "\"min_value\": 1, \"max_value\": null"), "row_count >= 1\n");
  EXPECT_EQ(check("expect_table_row_count_to_be_between", "\"max_value\": 9, \"strict_max\": true"), "row_count < 9\n");
  EXPECT_EQ(check("expect_table_row_count_to_equal", "\"value\": 3"), "row_count = 3\n");
  EXPECT_EQ(check("expect_table_row_count_to_equal_other_table", "\"other_table_name\": \"b\""),
            "row_count same as b\n");
}

TEST_F(ImportGx, MissingAndDuplicateValues) {
  EXPECT_EQ(check("expect_column_values_to_not_be_null", "\"column\": \"a\""), "missing_count(a) = 0\n");
  EXPECT_EQ(check("expect_column_values_to_not_be_null", "\"column\": \"a b\", \"mostly\": 0.95"),
            "missing_percent(\"a b\") <= 5%\n");
  EXPECT_EQ(check("expect_column_values_to_be_null", "\"column\": \"a\""), "missing_percent(a) >= 100%\n");
  EXPECT_EQ(check("expect_column_values_to_be_unique", "\"column\": \"a\""), "duplicate_count(a) = 0\n");
  EXPECT_EQ(check("expect_compound_columns_to_be_unique", "\"column_list\": [\"a\", \"b\"]"),
            "duplicate_count(a, b) = 0\n");
}

TEST_F(ImportGx, ValidValues) {
  EXPECT_EQ(check("expect_column_values_to_be_in_set", "\"column\": \"a\", \"value_set\": [\"x\", 1]"),
            "invalid_count(a) = 0:\n      valid values: [x, 1]\n");
  EXPECT_EQ(check("expect_column_values_to_not_be_in_set", "\"column\": \"a\", \"value_set\": [\"1\"]"),
            "invalid_count(a) = 0:\n      invalid values: [\"1\"]\n");
  EXPECT_EQ(check("expect_column_values_to_match_regex", "\"column\": \"a\", \"regex\": \"^\\\\d+$\", \"mostly\": 0.9"),
            "invalid_percent(a) <= 10%:\n      valid regex: ^\\d+$\n");
  EXPECT_EQ(diagnostics_.hints().size(), 1U);
  EXPECT_EQ(check("expect_column_value_lengths_to_be_between", "\"column\": \"a\", \"min_value\": 2, \"max_value\": 5"),
            "invalid_count(a) = 0:\n      valid min length: 2\n      valid max length: 5\n");
  EXPECT_EQ(check("expect_column_value_lengths_to_equal", "\"column\": \"a\", \"value\": 2"),
            "invalid_count(a) = 0:\n      valid length: 2\n");
  EXPECT_EQ(check("expect_column_values_to_be_between", "\"column\": \"a\", \"min_value\": 0, \"max_value\": 9.5"),
            "invalid_count(a) = 0:\n      valid min: 0\n      valid max: 9.5\n");
  EXPECT_EQ(check("expect_column_values_to_be_between", "\"column\": \"a\", \"min_value\": 0, \"strict_min\": true"),
            "failed rows:\n      fail condition: a <= 0\n");
  EXPECT_EQ(check("expect_column_values_to_be_between",
                  "\"column\": \"A\", \"min_value\": \"2020-01-01\", \"max_value\": \"o'x\""),
            "failed rows:\n      fail condition: \"\\\"A\\\" < '2020-01-01' OR \\\"A\\\" > 'o''x'\"\n");
}

TEST_F(ImportGx, Aggregates) {
  EXPECT_EQ(check("expect_column_mean_to_be_between",
                  "\"column\": \"a\", \"min_value\": 1, \"max_value\": 2, \"strict_min\": true"),
            "avg(a) between (1 and 2\n");
  EXPECT_EQ(check("expect_column_stdev_to_be_between", "\"column\": \"a\", \"max_value\": 2"), "stddev_samp(a) <= 2\n");
  EXPECT_EQ(check("expect_column_median_to_be_between", "\"column\": \"a\", \"max_value\": 2"),
            "percentile(a, 0.5) <= 2\n");
  EXPECT_EQ(
      check(
          "expect_column_quantile_values_to_be_between",
          "\"column\": \"a\", \"quantile_ranges\": {\"quantiles\": [0.1, 0.9], \"value_ranges\": [[1, 2], [null, 9]]}"),
      "percentile(a, 0.1) between 1 and 2\n  - percentile(a, 0.9) <= 9\n");
  EXPECT_EQ(check("expect_column_unique_value_count_to_be_between", "\"column\": \"a\", \"min_value\": 2"),
            "distinct_values_of_a >= 2:\n      distinct_values_of_a expression: COUNT(DISTINCT a)\n");
}

TEST_F(ImportGx, SchemasAndRows) {
  EXPECT_EQ(check("expect_column_to_exist", "\"column\": \"a\""),
            "schema:\n      name: expect_column_to_exist\n      fail:\n        when required column missing: [a]\n");
  EXPECT_EQ(
      check("expect_table_columns_to_match_set", "\"column_set\": [\"a\", \"b c\"]"),
      "schema:\n      name: expect_table_columns_to_match_set\n      fail:\n        when mismatching columns:\n   "
      "       a: null\n          b c: null\n");
  EXPECT_EQ(
      check("expect_table_columns_to_match_set", "\"column_set\": [\"a\"], \"exact_match\": false"),
      "schema:\n      name: expect_table_columns_to_match_set\n      fail:\n        when required column missing: "
      "[a]\n");
  EXPECT_EQ(check("expect_column_values_to_be_of_type", "\"column\": \"a\", \"type_\": \"INTEGER\""),
            "schema:\n      name: expect_column_values_to_be_of_type\n      fail:\n        when wrong column type:\n   "
            "       a: INTEGER\n");
  EXPECT_EQ(check("expect_column_pair_values_a_to_be_greater_than_b",
                  "\"column_A\": \"a\", \"column_B\": \"b\", \"or_equal\": true"),
            "failed rows:\n      fail condition: a < b\n");
  EXPECT_EQ(check("unexpected_rows_expectation", "\"unexpected_rows_query\": \"SELECT * FROM {batch} WHERE x\""),
            "failed rows:\n      fail query: SELECT * FROM sales.orders WHERE x\n");
}

TEST_F(ImportGx, OldSuitesSayExpectationType) {
  EXPECT_EQ(
      checks(
          "{\"expectation_type\": \"expect_column_values_to_not_be_null\", \"kwargs\": {\"column\": \"a\"}, \"meta\": "
          "{\"notes\": {\"format\": \"markdown\", \"content\": \"ids are there\"}}}"),
      "checks for sales.orders:\n  - missing_count(a) = 0:\n      name: ids are there\n");
}

TEST_F(ImportGx, AWarningWarns) {
  EXPECT_EQ(checks("{\"type\": \"expect_column_values_to_not_be_null\", \"kwargs\": {\"column\": \"a\"}, \"severity\": "
                   "\"warning\"}"),
            "checks for sales.orders:\n  - missing_count(a):\n      warn: when != 0\n");
  EXPECT_EQ(
      checks("{\"type\": \"expect_column_values_to_be_between\", \"kwargs\": {\"column\": \"a\", \"min_value\": 1, "
             "\"strict_min\": true}, \"severity\": \"warning\"}"),
      "checks for sales.orders:\n  - failed rows:\n      fail condition: a <= 1\n      warn: when > 0\n");
}

TEST_F(ImportGx, WhatHasNoEqualIsAnErrorAndTheRestIsThere) {
  const std::string text = checks(
      "\n{\"type\": \"expect_column_values_to_be_dateutil_parseable\", \"kwargs\": {\"column\": \"a\"}},"
      "\n{\"type\": \"expect_column_values_to_be_unique\", \"kwargs\": {\"column\": \"a\", \"mostly\": 0.5}},"
      "\n{\"type\": \"expect_column_values_to_not_be_null\", \"kwargs\": {\"column\": \"a\", \"row_condition\": "
      "\"x\"}},"
      "\n{\"kwargs\": {}}, 5, {\"type\": \"expect_column_min_to_be_between\", \"kwargs\": {\"column\": \"a\"}},"
      "\n{\"type\": \"expect_table_row_count_to_equal\", \"kwargs\": {\"value\": 3}}");
  EXPECT_EQ(text, "checks for sales.orders:\n  - row_count = 3\n");
  EXPECT_EQ(diagnostics_.errors().size(), 6U) << diagnostics_.to_string();
  EXPECT_NE(
      diagnostics_.to_string().find("suite.json:2:1: expect_column_values_to_be_dateutil_parseable: has no equal"),
      std::string::npos)
      << diagnostics_.to_string();
}

TEST_F(ImportGx, OtherJsonIsNoSuite) {
  for (const std::string text : {"{}", "[]", "3", "null", "{\"expectations\": {}}", ""}) {
    diagnostics_ = {};
    gx_suite_to_checks(parse_json(text, "f", diagnostics_), "t", diagnostics_);
    EXPECT_FALSE(diagnostics_.ok()) << text;
  }
}

TEST_F(ImportGx, JsonEscapesAreRead) {
  const config::Node root = parse_json(R"({"a": "\ud83d\ude00 \u00fc \/ \\ud83d \"", "b": "\\\\"})", "f", diagnostics_);
  ASSERT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  EXPECT_EQ(root.find("a")->text(), "😀 ü / \\ud83d \"");
  EXPECT_EQ(root.find("b")->text(), "\\\\");
  parse_json(R"({"a": "\ud83d alone"})", "f", diagnostics_);
  EXPECT_FALSE(diagnostics_.ok());
}

}  // namespace
}  // namespace weir::quality
