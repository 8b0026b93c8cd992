#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "app/commands.h"

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
    return cli.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return action ? action() : kExitUsage;
}

}  // namespace weir::app
