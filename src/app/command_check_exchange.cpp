#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "app/cli.h"
#include "app/command_check.h"
#include "app/commands.h"
#include "config/node.h"
#include "quality/contract.h"
#include "quality/contract_export.h"
#include "quality/import_gx.h"
#include "quality/import_results.h"

namespace weir::app {
namespace {

struct ExportOptions {
  std::string file;
  std::string to;
  std::string output;
};

struct ImportOptions {
  std::string file;
  std::string table;
  std::string output;
};

struct ResultOptions {
  std::vector<std::string> files;
  std::string manifest;
  std::string source = "import";
  ReportOptions report;
};

/// The mistakes and notes on standard error; true when there are mistakes.
bool tell(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostic& hint : diagnostics.hints()) std::cerr << "note: " << hint.to_string() << "\n";
  std::cerr << diagnostics.to_string();
  return !diagnostics.ok();
}

int export_checks(const ExportOptions& options) {
  config::Diagnostics diagnostics;
  const config::Node root = config::load_yaml(options.file, diagnostics, config::Streams::own);
  if (tell(diagnostics)) return kExitUsage;
  const bool contract = quality::is_contract(root);
  config::Node made = root;
  if (contract && options.to == "sodacl") made = quality::contract_to_checks(root, diagnostics);
  if (!contract && options.to == "odcs") made = quality::checks_to_contract(root, diagnostics);
  if (tell(diagnostics)) return kExitUsage;
  return give_text(config::to_yaml(made), options.output);
}

int import_suite(const ImportOptions& options) {
  const auto text = config::read_file(options.file, config::YamlLimits{}.bytes, config::Streams::own);
  if (!text) return usage(options.file + " " + text.error().message);
  config::Diagnostics diagnostics;
  const config::Node suite = quality::parse_json(*text, options.file, diagnostics);
  if (tell(diagnostics)) return kExitUsage;
  const config::Node checks = quality::gx_suite_to_checks(suite, options.table, diagnostics);
  const bool mistakes = tell(diagnostics);
  if (!checks.is_mapping() || checks.entries().empty())
    return mistakes ? kExitUsage : usage("the suite holds no expectations");
  if (const int code = give_text(config::to_yaml(checks), options.output); code != kExitOk) return code;
  return mistakes ? kExitFailed : kExitOk;
}

int show_results(const ResultOptions& options) {
  quality::RunReport all;
  const quality::ImportLimits limits;
  std::string manifest;
  if (!options.manifest.empty()) {
    auto text = config::read_file(options.manifest, limits.bytes, config::Streams::own);
    if (!text) return usage(options.manifest + " " + text.error().message);
    manifest = std::move(*text);
  }
  for (const std::string& file : options.files) {
    const auto text = config::read_file(file, limits.bytes, config::Streams::own);
    if (!text) return usage(file + " " + text.error().message);
    auto report = quality::import_results(*text, {.source = options.source, .file = file, .manifest = manifest});
    if (!report) return usage(file + ": " + report.error().message);
    all.started = all.started == core::Time{} ? report->started : std::min(all.started, report->started);
    all.seconds += report->seconds;
    std::ranges::move(report->results, std::back_inserter(all.results));
  }
  return give_report(all, options.report);
}

void add_export(CLI::App& check, Action& action) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      check.add_subcommand("export", "write a data contract as SodaCL, or a check file as a data contract");
  command->add_option("FILE", options->file, "a check file or a data contract")->required();
  command->add_option("--to", options->to, "what to write")->required()->check(CLI::IsMember({"sodacl", "odcs"}));
  command->add_option("--output,-o", options->output, "file to write (default: standard output)");
  command->callback([&action, options] { action = [options] { return export_checks(*options); }; });
}

void add_import(CLI::App& check, Action& action) {
  CLI::App* import = check.add_subcommand("import", "make a check file of what another program has");
  import->require_subcommand(1);
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* gx =
      import->add_subcommand("gx", "a Great Expectations suite (JSON); exit 1 when some expectations have no equal");
  gx->add_option("SUITE", options->file, "the suite's file")->required();
  gx->add_option("--table", options->table, "the table that the suite is about")->required();
  gx->add_option("--output,-o", options->output, "check file to write (default: standard output)");
  gx->callback([&action, options] { action = [options] { return import_suite(*options); }; });
}

void add_results(CLI::App& check, Action& action) {
  const auto options = std::make_shared<ResultOptions>();
  CLI::App* command = check.add_subcommand(
      "results", "report what dbt (run_results.json, sources.json) or Great Expectations found; exits as run does");
  command->add_option("FILES", options->files, "files of results")->required();
  command->add_option("--manifest", options->manifest, "dbt's manifest.json: names the tables of tests");
  command->add_option("--source", options->source, "name of the source in the report")->capture_default_str();
  add_report_options(*command, options->report);
  command->callback([&action, options] { action = [options] { return show_results(*options); }; });
}

}  // namespace

void add_check_exchange(CLI::App& check, Action& action) {
  add_export(check, action);
  add_import(check, action);
  add_results(check, action);
}

}  // namespace weir::app
