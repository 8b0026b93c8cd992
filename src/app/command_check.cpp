#include "app/command_check.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "app/check_setup.h"
#include "app/cli.h"
#include "app/commands.h"
#include "app/progress.h"
#include "app/storage_choice.h"
#include "quality/dry_run.h"
#include "quality/report_writers.h"
#include "runtime/clock.h"
#include "storage/store.h"

namespace weir::app {
namespace {

constexpr core::Duration kForEver = std::chrono::years(100);

struct RunOptions {
  CheckOptions checks;
  ReportOptions report;
};

int wrong(const config::Diagnostics& diagnostics) {
  std::cerr << diagnostics.to_string();
  return kExitUsage;
}

struct Prepared {
  CheckSources sources;
  std::unique_ptr<sql::SqlSource> session;
  std::vector<quality::Dataset> datasets;
  std::unique_ptr<storage::Store> history;
};

/// Runs of one pipeline may share a history: each waits for the others to end, but not for long.
core::Result<std::unique_ptr<storage::Store>> open_history(const std::string& path) {
  const auto named = storage_named(path);
  if (!named) return std::unexpected(named.error());
  auto opened = storage::open_store(*named);
  if (opened || opened.error().message.find("is in use by another Weir") == std::string::npos) return opened;
  std::cerr << "note: --history: " << opened.error().where << " is in use; waiting up to 10 s for it\n";
  return storage::open_store(*named, std::chrono::seconds(10));
}

/// Reads all that the options name; what is wrong has been said when there is nothing.
std::optional<Prepared> prepare(const CheckOptions& options) {
  if (options.paths.empty() && options.contracts.empty()) {
    usage("name check files, a folder of them, or a contract with --contract");
    return std::nullopt;
  }
  const auto files = check_files(options.paths);
  if (!files) {
    usage(files.error());
    return std::nullopt;
  }
  std::vector<config::Diagnostic> notes;
  auto datasets = read_checks(*files, options.contracts, options, notes);
  for (const config::Diagnostic& note : notes) std::cerr << "note: " << note.to_string() << "\n";
  auto sources = CheckSources::read(options);
  if (!datasets) wrong(datasets.error());
  if (!sources) wrong(sources.error());
  if (!datasets || !sources) return std::nullopt;
  auto session = sources->open();
  if (!session) {
    usage(session.error().describe());
    return std::nullopt;
  }
  std::unique_ptr<storage::Store> history;
  if (!options.history.empty()) {
    auto opened = open_history(options.history);
    if (!opened) {
      usage("--history: " + opened.error().describe());
      return std::nullopt;
    }
    history = std::move(*opened);
  }
  return Prepared{std::move(*sources), std::move(*session), std::move(*datasets), std::move(history)};
}

core::Time present() { return runtime::SystemClock().now(); }

/// A dataset without a single check that was looked at (no table fits its patterns) is no success.
void add_unseen(const quality::RunResult& run, const std::string& source, quality::RunReport& report) {
  for (const quality::DatasetRun& dataset : run.datasets) {
    if (!dataset.error || !dataset.checks.empty()) continue;
    quality::CheckResult result;
    result.source = source;
    result.dataset = dataset.label;
    result.check = "can be read";
    result.message = dataset.error->message;
    report.results.push_back(std::move(result));
  }
}

void say_what_is_lost(const quality::RunResult& run) {
  for (const quality::DatasetRun& dataset : run.datasets) {
    if (!dataset.not_remembered) continue;
    std::cerr << "note: --history: what was seen of " << dataset.label
              << " could not be kept: " << dataset.not_remembered->describe() << "\n";
  }
}

/// Each dataset in its turn, so that the bar can show which.
core::Result<quality::RunReport> run_all(Prepared& prepared) {
  quality::CheckRun run({.source = prepared.sources.name(),
                         .session = *prepared.session,
                         .history = prepared.history.get(),
                         .other = [&](const std::string& name) { return prepared.sources.other(name); },
                         .texts = prepared.history.get()});
  quality::RunReport report;
  report.started = present();
  const auto begun = std::chrono::steady_clock::now();
  const std::vector<quality::Dataset>& all = prepared.datasets;
  // Tables by pattern may be tables that are named too: then all is one run, which puts them together.
  const bool patterns = std::ranges::any_of(all, [](const quality::Dataset& each) { return each.for_each != nullptr; });
  const std::size_t turns = patterns ? std::min<std::size_t>(all.size(), 1) : all.size();
  Progress progress(turns, ::isatty(STDERR_FILENO) == 1);
  for (std::size_t i = 0; i < turns; ++i) {
    progress.show(i, all[i].label());
    const auto done = run.run({&all[i], patterns ? all.size() : 1}, report.started, {});
    if (!done) return std::unexpected(done.error());
    quality::RunReport part = done->report();
    std::ranges::move(part.results, std::back_inserter(report.results));
    say_what_is_lost(*done);
    add_unseen(*done, prepared.sources.name(), report);
    std::ranges::move(part.statements, std::back_inserter(report.statements));
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return report;
}

int run_checks(const RunOptions& options) {
  auto prepared = prepare(options.checks);
  if (!prepared) return kExitUsage;
  const auto report = run_all(*prepared);
  // So that Weir, if the file is its own, knows which texts are in use; nothing is dropped.
  if (prepared->history) (void)prepared->history->prune(present(), kForEver);
  if (!report) {
    std::cerr << "weir check: " << report.error().describe() << "\n";
    return kExitUsage;
  }
  return give_report(*report, options.report);
}

void show_plan(const std::vector<quality::PlannedStatement>& statements) {
  std::string last;
  std::size_t scans = 0;
  double cost = 0;
  for (const quality::PlannedStatement& statement : statements) {
    if (statement.dataset != last) std::cout << (last.empty() ? "" : "\n") << "-- " << statement.dataset << "\n";
    last = statement.dataset;
    std::cout << statement.sql << ";\n";
    if (statement.catalog) std::cout << "--   asks the catalog\n";
    if (!statement.problem.empty()) std::cout << "--   refused: " << statement.problem << "\n";
    for (const std::string& step : statement.plan) std::cout << "--   " << step << "\n";
    if (statement.cost) std::cout << fmt::format("--   estimated cost {:.1f}", *statement.cost);
    if (statement.rows) std::cout << fmt::format("{}{:.0f} rows", statement.cost ? ", " : "--   ", *statement.rows);
    if (statement.cost || statement.rows) std::cout << "\n";
    scans += statement.catalog ? 0 : 1;
    cost += statement.cost.value_or(0);
  }
  std::cout << fmt::format("\n-- {} {}{}\n", scans, scans == 1 ? "query" : "queries",
                           cost > 0 ? fmt::format(", estimated cost {:.1f}", cost) : "");
}

int plan_checks(const CheckOptions& options) {
  auto prepared = prepare(options);
  if (!prepared) return kExitUsage;
  const auto statements =
      quality::dry_run(prepared->datasets, prepared->sources.name(), *prepared->session,
                       [&](const std::string& name) { return prepared->sources.other(name); }, present(), {});
  if (!statements) {
    std::cerr << "weir check: " << statements.error().describe() << "\n";
    return kExitUsage;
  }
  show_plan(*statements);
  const bool refused = std::ranges::any_of(*statements, [](const auto& each) { return !each.problem.empty(); });
  return refused ? kExitFailed : kExitOk;
}

void add_check_options(CLI::App& command, CheckOptions& options) {
  command.add_option("FILES", options.paths, "check files, data contracts, and folders of them");
  command.add_option("--contract", options.contracts, "a data contract (ODCS)");
  command.add_option("--variable,-v", options.variables, "name=value, for ${name} in the files; may be given again")
      ->allow_extra_args(false);
  add_source_options(command, options);
  command.add_option("--history", options.history,
                     "file, or postgresql:// URL, that keeps what was measured and the schemas seen, for \"change "
                     "for\", \"schema changes\" and anomalies");
}

void add_run(CLI::App& check, Action& action) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command =
      check.add_subcommand("run", "run checks once; exit 0 when they pass, 1 when one fails, 2 on an error");
  add_check_options(*command, options->checks);
  add_report_options(*command, options->report);
  command->callback([&action, options] { action = [options] { return run_checks(*options); }; });
}

void add_plan(CLI::App& check, Action& action) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      check.add_subcommand("plan", "show the SQL that run would send, and what the engine expects it to cost");
  add_check_options(*command, *options);
  command->callback([&action, options] { action = [options] { return plan_checks(*options); }; });
}

}  // namespace

int usage(const std::string& message) {
  std::cerr << "weir check: " << message << "\n";
  return kExitUsage;
}

int give_text(const std::string& text, const std::string& output) {
  if (output.empty() || output == "-") {
    std::cout << text << std::flush;
    return kExitOk;
  }
  std::ofstream file(output, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  return file ? kExitOk : usage("\"" + output + "\" cannot be written");
}

int give_report(const quality::RunReport& report, const ReportOptions& options) {
  const bool warnings_fail = options.fail_on == "warn";
  const bool to_screen = options.output.empty() || options.output == "-";
  const std::string text = to_screen && options.format == "table"
                               ? quality::write_table(report, takes_colour(STDOUT_FILENO))
                               : *quality::write_report(options.format, report, warnings_fail);
  if (const int code = give_text(text, options.output); code != kExitOk) return code;
  if (!to_screen) std::cerr << quality::tally(report).to_string() << "\n";
  switch (quality::worst_outcome(report)) {
    case quality::Outcome::pass: return kExitOk;
    case quality::Outcome::warn: return warnings_fail ? kExitFailed : kExitOk;
    case quality::Outcome::fail: return kExitFailed;
    case quality::Outcome::error: return kExitUsage;
  }
  return kExitUsage;
}

void add_report_options(CLI::App& command, ReportOptions& options) {
  command.add_option("--format", options.format, "of the report")
      ->check(CLI::IsMember({"table", "json", "junit", "sarif"}))
      ->capture_default_str();
  command.add_option("--output,-o", options.output, "file for the report (default: standard output)");
  command.add_option("--fail-on", options.fail_on, "what makes the exit code 1")
      ->check(CLI::IsMember({"fail", "warn"}))
      ->capture_default_str();
}

void add_source_options(CLI::App& command, CheckOptions& options) {
  CLI::Option* config =
      command.add_option("--config,-c", options.config, "configuration that holds the source")->capture_default_str();
  command.add_option("--source", options.source, "name of the source (default: the only one)");
  CLI::Option* url =
      command.add_option("--url", options.url, "of a database, instead of a configuration: postgresql://user@host/db");
  CLI::Option* sqlite = command.add_option("--sqlite", options.sqlite, "a SQLite file, instead of a configuration");
  url->excludes(config)->excludes(sqlite);
  sqlite->excludes(config);
}

void add_check_command(CLI::App& cli, Action& action) {
  CLI::App* check = cli.add_subcommand(
      "check", "run checks of tables (SodaCL, data contracts) and schemas once, in a pipeline or CI");
  check->require_subcommand(1);
  check->footer(
      "Examples:\n"
      "  weir check run checks/ --source warehouse --config weir.yml\n"
      "  weir check run checks/orders.yml --url postgresql://weir@db/shop --format junit -o report.xml\n"
      "  weir check run --contract orders.odcs.yaml --sqlite shop.db --fail-on warn\n"
      "  weir check plan checks/ --source warehouse\n"
      "  weir check schemas schemas/*.avsc --url http://registry:8081");
  add_run(*check, action);
  add_plan(*check, action);
  add_check_exchange(*check, action);
  add_check_schemas(*check, action);
}

}  // namespace weir::app
