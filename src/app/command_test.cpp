#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "app/cli.h"
#include "app/commands.h"
#include "rules/unit_test.h"

namespace weir::app {
namespace {

void show(const rules::UnitTestOutcome& test) {
  std::cout << "  FAILED" << (test.name.empty() ? "" : " \"" + test.name + "\"") << " (" << test.position.to_string()
            << ")\n";
  for (const rules::UnitTestFailure& failure : test.failures) {
    std::cout << "    " << failure.position.to_string() << ": " << failure.message
              << (failure.diff.empty() ? "" : " (- expected, + got)") << "\n";
    for (const std::string& line : failure.diff) std::cout << "      " << line << "\n";
  }
}

int test_file(const std::string& path) {
  const auto file = rules::load_unit_tests(path);
  if (!file) {
    std::cerr << file.error().to_string();
    return kExitUsage;
  }
  for (const config::Diagnostic& note : file->notes) std::cerr << "note: " << note.to_string() << "\n";
  const std::vector<rules::UnitTestOutcome> outcomes = rules::run_unit_tests(*file);
  std::size_t expectations = 0;
  for (const rules::UnitTestOutcome& test : outcomes) expectations += test.expectations;
  const auto failed = std::ranges::count_if(outcomes, [](const auto& test) { return !test.passed(); });
  const std::string verdict = failed == 0 ? "ok" : fmt::format("{} of {} tests failed", failed, outcomes.size());
  std::cout << fmt::format("{}: {} ({} tests, {} expectations)\n", path, verdict, outcomes.size(), expectations);
  for (const rules::UnitTestOutcome& test : outcomes) {
    if (!test.passed()) show(test);
  }
  return failed == 0 ? kExitOk : kExitFailed;
}

int test_files(const std::vector<std::string>& files) {
  int worst = kExitOk;
  for (const std::string& file : files) worst = std::max(worst, test_file(file));
  return worst;
}

}  // namespace

void add_test_command(CLI::App& cli, Action& action) {
  CLI::App* test = cli.add_subcommand("test", "test what Weir is configured with");
  test->require_subcommand(1);
  const auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* rules =
      test->add_subcommand("rules", "run unit tests of rules, in promtool's format and with promtool's verdict");
  rules->add_option("FILE", *files, "files of unit tests")->required();
  rules->callback([&action, files] { action = [files] { return test_files(*files); }; });
}

}  // namespace weir::app
