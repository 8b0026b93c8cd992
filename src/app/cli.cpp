#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
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

using Names = std::vector<std::string>;

/// The commands that were given, from "weir" on.
std::vector<const CLI::App*> given_commands(const CLI::App& cli) {
  std::vector<const CLI::App*> given{&cli};
  while (!given.back()->get_subcommands().empty()) given.push_back(given.back()->get_subcommands().back());
  return given;
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

Names options_of(const CLI::App& command) {
  Names names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

bool has_option(const CLI::App& command, const std::string& option) {
  return std::ranges::count(options_of(command), option) > 0;
}

/// "weir incidents list"
std::string words_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return (parent == nullptr ? "" : words_of(*parent) + " ") + command.get_name();
}

/// Why `at`, one of the commands that were given, does not take the option; a later one or one below it may.
std::string wrong_option(const std::vector<const CLI::App*>& given, const CLI::App& at, const std::string& option) {
  const std::string found = words_of(at) + " has no option " + option;
  const auto behind = [&](const CLI::App& command) {
    return found + ": it belongs behind the command, as in " + words_of(command) + " " + option;
  };
  if (has_option(*given.back(), option)) return behind(*given.back());
  if (given.back() == &at) {
    for (const CLI::App* command : commands_of(at)) {
      if (has_option(*command, option)) return behind(*command);
    }
  }
  Names known = options_of(at);
  std::ranges::move(options_of(*given.back()), std::back_inserter(known));
  return found + config::did_you_mean(option, known);
}

/// What was given that nothing takes, a line each: `there is no command "validte" (did you mean "validate"?)`.
Names not_taken(const CLI::App& cli) {
  const std::vector<const CLI::App*> given = given_commands(cli);
  Names mistakes;
  Names others;
  for (const CLI::App* at : given) {
    const Names rest = at->remaining();
    Names commands;
    for (const CLI::App* command : commands_of(*at)) commands.push_back(command->get_name());
    if (!rest.empty() && !rest.front().starts_with('-') && at == given.back() && !commands.empty())
      return {"there is no command \"" + rest.front() + "\"" + config::did_you_mean(rest.front(), commands)};
    for (const std::string& word : rest) {
      if (!word.starts_with('-')) {
        others.push_back(words_of(*at) + " takes no \"" + word + "\"");
      } else if (word.find_first_not_of('-') != std::string::npos) {
        mistakes.push_back(wrong_option(given, *at, word.substr(0, word.find('='))));
      }
    }
  }
  // Beside an option that is not taken they may be its value.
  return mistakes.empty() ? others : mistakes;
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
    const bool wanted = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) ||
                        error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
    if (const Names mistakes = wanted ? not_taken(cli) : Names(); !mistakes.empty()) {
      for (const std::string& mistake : mistakes) std::cerr << "weir: " << mistake << "\n";
      std::cerr << "Run with --help for more information.\n";
      return kExitUsage;
    }
    return cli.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return action ? action() : kExitUsage;
}

}  // namespace weir::app
