#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "core/time.h"
#include "quality/judge.h"

namespace weir::quality {

/// What became of one check in one run, whoever ran it: Weir, or a program whose results are imported.
struct CheckResult {
  std::string source;
  std::string dataset;  // Dataset::label()
  std::string check;    // its name, unique in its dataset
  std::string column;   // "" for checks about the table
  std::string group;    // of a check with `group by`: "country=DE", else ""
  Outcome outcome = Outcome::error;
  std::optional<double> value;
  std::string message;                            // one sentence with value and threshold
  std::vector<std::string> sample;                // some of the failing rows, masked; empty unless asked for
  bool reused = false;                            // nothing was written to the table since it was measured
  bool learning = false;                          // it passes, since too little is known yet to judge by
  double relative_error = 0;                      // of an approximate value: it is off by at most this share
  std::map<std::string, std::string> attributes;  // owner, severity, dimension …
  config::Position position;                      // of the check in its file
};

/// A statement that was run for checks, for those who ask what a run cost.
struct StatementReport {
  std::string source;
  std::string dataset;
  std::string sql;
  double seconds = 0;
};

struct RunReport {
  core::Time started;
  double seconds = 0;
  std::vector<CheckResult> results;         // in the order of the files
  std::vector<StatementReport> statements;  // in the order run
};

}  // namespace weir::quality
