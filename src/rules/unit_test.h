#pragma once

#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "rules/unit_test_file.h"

namespace weir::rules {

/// An expectation that was not met, or what kept a test from being run.
struct UnitTestFailure {
  config::Position position;
  std::string message;
  /// What was expected ("- ") and what came instead ("+ "), with "  " before what both have.
  std::vector<std::string> diff = {};
};

struct UnitTestOutcome {
  std::string name;
  config::Position position;
  std::size_t expectations = 0;  // compared
  std::vector<UnitTestFailure> failures;

  bool passed() const { return failures.empty(); }
};

/// Runs each test as `promtool test rules` does, with its verdict: all groups are evaluated every evaluation_interval
/// from time 0 on to the last eval_time, alerts are compared at the newest evaluation before their eval_time (firing
/// ones only), expressions at the end. What is missing is false here (EvaluatorOptions::missing_is_false), and a rule
/// that cannot be evaluated ends its test.
std::vector<UnitTestOutcome> run_unit_tests(const UnitTestFile& file);

}  // namespace weir::rules
