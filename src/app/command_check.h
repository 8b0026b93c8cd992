#pragma once

#include <string>

#include "app/check_setup.h"
#include "app/cli.h"
#include "quality/report.h"

namespace weir::app {

/// How a report is given.
struct ReportOptions {
  std::string format = "table";
  std::string output;            // a file, "" or - for standard output
  std::string fail_on = "fail";  // or warn
};

// What the subcommands of `weir check` share.
void add_report_options(CLI::App& command, ReportOptions& options);
void add_source_options(CLI::App& command, CheckOptions& options);
/// Writes the report; the exit code says what is in it: 0 all pass, 1 a failure, 2 a check that could not be evaluated.
int give_report(const quality::RunReport& report, const ReportOptions& options);
/// Prints text, or writes it to a file; returns the exit code.
int give_text(const std::string& text, const std::string& output);
// More subcommands, each with its own file.
void add_check_exchange(CLI::App& check, Action& action);  // export, import, results
void add_check_schemas(CLI::App& check, Action& action);
/// Says what is wrong; returns 2.
int usage(const std::string& message);

}  // namespace weir::app
