#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace weir::app {

/// What the command line asks for; returns the exit code.
using Action = std::function<int()>;

/// Each adds its subcommands, which set `action` when one of them is given. One a file command_*.cpp.
void add_daemon_commands(CLI::App& cli, Action& action);  // run, validate, demo
void add_test_command(CLI::App& cli, Action& action);     // test rules
void add_query_command(CLI::App& cli, Action& action);
void add_backtest_command(CLI::App& cli, Action& action);
void add_explain_command(CLI::App& cli, Action& action);
void add_check_command(CLI::App& cli, Action& action);  // check run, plan …
void add_profile_command(CLI::App& cli, Action& action);
void add_measurements_command(CLI::App& cli, Action& action);
void add_notify_command(CLI::App& cli, Action& action);  // notify test
void add_db_command(CLI::App& cli, Action& action);      // db check, backup, export
void add_incidents_command(CLI::App& cli, Action& action);

/// Reads the command line and does what it says. Returns the exit code of app/commands.h.
int run_command_line(int argc, const char* const* argv);

}  // namespace weir::app
