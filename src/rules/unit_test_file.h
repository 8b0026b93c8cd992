#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "core/labels.h"
#include "core/time.h"
#include "rules/group.h"
#include "rules/input_series.h"

namespace weir::rules {

/// Labels or annotations as they are written: unlike core::Labels they may be empty.
using TextMap = std::map<std::string, std::string>;

struct ExpectedAlert {
  TextMap labels;  // with alertname
  TextMap annotations;
  config::Position position;
};

struct AlertCheck {
  core::Duration eval_time{};
  std::string alertname;
  std::vector<ExpectedAlert> expected;
  config::Position position;
};

struct ExpectedSample {
  std::string labels;  // a metric: `name{a="b"}`
  double value = 0;
  config::Position position;
};

struct ExpressionCheck {
  std::string expression;
  core::Duration eval_time{};
  std::vector<ExpectedSample> expected;
  config::Position position;
};

/// One entry of `tests:`.
struct UnitTest {
  std::string name;
  core::Duration interval{};
  InputSeries input;
  std::vector<AlertCheck> alerts;
  std::vector<ExpressionCheck> expressions;
  core::Labels external_labels;
  std::string external_url;
  config::Position position;

  core::Duration last_eval_time() const;
};

/// A file of unit tests in promtool's format
/// (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/), with the rules it names.
struct UnitTestFile {
  std::string file;
  std::vector<std::string> rule_files;
  core::Duration evaluation_interval = std::chrono::minutes(1);
  bool fuzzy_compare = false;
  std::vector<UnitTest> tests;
  std::vector<Group> groups;              // in the order in which they are evaluated
  std::vector<config::Diagnostic> notes;  // what is no mistake, but seldom meant
};

/// Reads a file and the rule files that it names, relative to its folder. All mistakes are reported but those in the
/// series notation, which fail their test alone. A pattern that matches no rule file is a note, as with promtool.
std::expected<UnitTestFile, config::Diagnostics> load_unit_tests(const std::string& file);

/// The same for text that stands in `file`.
std::expected<UnitTestFile, config::Diagnostics> parse_unit_tests(const std::string& text, const std::string& file);

}  // namespace weir::rules
