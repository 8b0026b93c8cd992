#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "app/check_setup.h"
#include "app/cli.h"
#include "app/command_check.h"
#include "app/commands.h"
#include "app/output_file.h"
#include "config/node.h"
#include "quality/expression.h"
#include "quality/profile.h"
#include "runtime/clock.h"

namespace weir::app {
namespace {

struct ProfileOptions {
  CheckOptions source;
  std::string table;
  std::string output;
  bool force = false;
};

int fail(const std::string& message, int code) {
  std::cerr << "weir profile: " << message << "\n";
  return code;
}

int profile(const ProfileOptions& options) {
  const auto header = quality::parse_header(options.table, "");
  if (!header || !header->filter.empty()) return fail("\"" + options.table + "\" is no name of a table", kExitUsage);
  if (auto free = may_be_written(options.output, options.force); !free)
    return fail(free.error().describe(), kExitUsage);
  auto sources = CheckSources::read(options.source);
  if (!sources) {
    std::cerr << sources.error().to_string();
    return kExitUsage;
  }
  const auto session = sources->open();
  if (!session) return fail(session.error().describe(), kExitUsage);
  if (const auto connected = (*session)->connect({}); !connected) return fail(connected.error().describe(), kExitUsage);
  const auto seen = quality::profile_table(header->table, **session, {});
  if (!seen) return fail(seen.error().describe(), kExitUsage);
  const auto now = runtime::SystemClock().now();
  const std::string text = config::to_yaml(quality::propose_checks(*seen, now));
  const auto written = write_output(options.output, text, options.force);
  return written ? kExitOk : fail(written.error().describe(), kExitUsage);
}

}  // namespace

void add_profile_command(CLI::App& cli, Action& action) {
  const auto options = std::make_shared<ProfileOptions>();
  CLI::App* command = cli.add_subcommand("profile", "look at a table and propose a check file for it");
  command->add_option("TABLE", options->table, "the table, with its schema if it needs one")->required();
  add_source_options(*command, options->source);
  command->add_option("--output,-o", options->output, "check file to write (default: standard output)");
  command->add_flag("--force", options->force, "write over a file that is there");
  command->callback([&action, options] { action = [options] { return profile(*options); }; });
}

}  // namespace weir::app
