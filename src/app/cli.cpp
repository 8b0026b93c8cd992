#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "config/diagnostics.h"

namespace weir::app {

void add_daemon_commands(CLI::App& cli, Action& action) {
  const auto config = std::make_shared<std::string>("weir.yml");
  CLI::App* start = cli.add_subcommand("run", "monitor what the configuration names, until Ctrl-C");
  start->add_option("--config,-c", *config, "configuration file")->capture_default_str();
  start->callback([&action, config] { action = [config] { return run(*config); }; });

  CLI::App* check = cli.add_subcommand("validate", "report every mistake of a configuration, as file:line:col");
  check->add_option("--config,-c", *config, "configuration file")->capture_default_str();
  check->callback([&action, config] { action = [config] { return validate(*config); }; });

  const auto options = std::make_shared<DemoOptions>();
  CLI::App* show = cli.add_subcommand("demo", "monitor a small shop that lives inside the process; needs no server");
  show->add_option("--listen", options->listen, "address of the page")->capture_default_str();
  show->add_option("--root", options->root, "folder that holds rules/ and checks/")->capture_default_str();
  show->add_option("--folder", options->folder, "where the demo keeps its files (default: a temporary folder)");
  show->callback([&action, options] { action = [options] { return demo(*options); }; });
}

namespace {

/// `there is no command "validte" (did you mean "validate"?)`, where a word stands in a command's place; "" elsewhere.
std::string unknown_command(const CLI::App& cli) {
  const CLI::App* at = &cli;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
  const std::vector<std::string> rest = at->remaining();
  std::vector<std::string> names;
  for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (rest.empty() || rest.front().starts_with('-') || names.empty()) return {};
  return "there is no command \"" + rest.front() + "\"" + config::did_you_mean(rest.front(), names);
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App cli("Weir watches data pipelines: Kafka consumer lag, dead letters, schemas and warehouse tables.", "weir");
  cli.set_version_flag("--version", "weir " WEIR_VERSION);
  cli.require_subcommand(1);
  Action action;
  add_daemon_commands(cli, action);
  add_test_command(cli, action);
  add_query_command(cli, action);
  add_backtest_command(cli, action);
  add_explain_command(cli, action);
  add_check_command(cli, action);
  add_profile_command(cli, action);
  add_measurements_command(cli, action);
  add_notify_command(cli, action);
  add_db_command(cli, action);
  add_incidents_command(cli, action);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool wanted = error.get_name() == "RequiredError" || error.get_name() == "ExtrasError";
    if (const std::string mistake = wanted ? unknown_command(cli) : ""; !mistake.empty()) {
      std::cerr << "weir: " << mistake << "\nRun with --help for more information.\n";
      return kExitUsage;
    }
    return cli.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return action ? action() : kExitUsage;
}

}  // namespace weir::app
