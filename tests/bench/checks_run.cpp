// Runs a check file against a PostgreSQL: checks_run URL FILE [RUNS]. Each run prints a line of its seconds and of how
// many checks did not pass, then one for each statement; before every run but the first it waits for a line of input.
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <iostream>

#include "quality/check_file.h"
#include "quality/run.h"
#include "quality/scan_keeper.h"
#include "sql/postgres.h"

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const int runs = count > 3 ? std::stoi(arguments[3]) : 1;
  using namespace weir;
  config::Diagnostics diagnostics;
  const auto datasets = quality::merge_datasets(
      quality::parse_check_file(config::load_yaml(arguments[2], diagnostics), diagnostics), diagnostics);
  if (!diagnostics.ok()) return std::cerr << diagnostics.to_string(), 2;
  sql::PostgresSettings settings;
  settings.url = core::Secret(arguments[1]);
  const auto source = sql::make_postgres("bench", settings);
  quality::ScanKeeper keeper("bench", nullptr);
  for (int run = 0; run < runs; ++run) {
    std::string line;
    if (run > 0 && !std::getline(std::cin, line)) return 1;
    const core::Time now = std::chrono::time_point_cast<core::Duration>(std::chrono::system_clock::now());
    quality::CheckRun::Setup setup{.source = "bench", .session = *source};
    setup.keeper = &keeper;
    const auto result = quality::CheckRun(setup).run(datasets, now, {});
    if (!result) return std::cerr << result.error().describe() << '\n', 2;
    const quality::RunReport report = result->report();
    int bad = 0;
    for (const auto& each : report.results) {
      bad += each.outcome == quality::Outcome::pass ? 0 : 1;
      if (each.outcome != quality::Outcome::pass) std::cerr << each.check << ": " << each.message << '\n';
    }
    fmt::print("run {:.4f} {} {}\n", result->seconds, report.results.size(), bad);
    for (const auto& each : result->statements) {
      std::string text = each.sql;
      std::ranges::replace(text, '\n', ' ');
      fmt::print("statement {:.4f} {}\n", each.seconds, text);
    }
    fmt::print("done\n");
    std::fflush(stdout);
  }
  return 0;
}
