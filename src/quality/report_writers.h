#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quality/report.h"

namespace weir::quality {

/// How many of a report's results have each outcome.
struct Tally {
  std::size_t pass = 0;
  std::size_t warn = 0;
  std::size_t fail = 0;
  std::size_t error = 0;

  std::size_t all() const { return pass + warn + fail + error; }
  /// "2 failed, 1 warned, 30 passed": what there is, the worst first.
  std::string to_string() const;
};
Tally tally(const RunReport& report);

/// A table for people: outcome, check, value; what is not right comes with its message and place. With `colour` the
/// outcomes are coloured for a terminal.
std::string write_table(const RunReport& report, bool colour = false);

/// One JSON object, a line feed at its end:
///
///     {"version": 1, "started": "2026-01-02T03:04:05.000Z", "seconds": 1.25,
///      "outcome": "fail",                             the worst: pass, warn, fail, error
///      "summary": {"pass": 3, "warn": 0, "fail": 1, "error": 0},
///      "results": [{"source", "dataset", "check", "column", "group": texts, "" for none,
///                   "outcome": "pass" | "warn" | "fail" | "error",
///                   "value": a number, null without one (NaN and infinities too),
///                   "relative_error": of an approximate value the share it may be off by, else null,
///                   "reused": whether nothing was written to the table since, so that it was not read again,
///                   "message", "attributes": {…}, "file", "line", "column_number"}],
///      "statements": [{"source", "dataset", "sql", "seconds"}]}
std::string write_json(const RunReport& report);

/// JUnit's XML as CI servers read it: a suite each dataset, a case each check. A failing check is a <failure>, one that
/// could not be evaluated an <error>, a warning a <failure> when `warnings_fail`, else a line in <system-out>.
std::string write_junit(const RunReport& report, bool warnings_fail = false);

/// SARIF 2.1.0 (OASIS): a result each check that did not pass, at its line of the check file; a rule each check.
std::string write_sarif(const RunReport& report);

/// The writer of a name: table, json, junit, sarif; nullopt for another.
std::optional<std::string> write_report(std::string_view format, const RunReport& report, bool warnings_fail = false);

/// The worst outcome; pass for no results.
Outcome worst_outcome(const RunReport& report);

}  // namespace weir::quality
