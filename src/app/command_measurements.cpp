#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/parameters.h"
#include "app/cli.h"
#include "app/commands.h"
#include "app/measurement_export.h"
#include "app/storage_choice.h"
#include "config/diagnostics.h"
#include "runtime/clock.h"
#include "storage/store.h"

namespace weir::app {
namespace {

struct MeasurementOptions {
  std::string config = "weir.yml";
  std::string database;
  std::string format = "csv";
  std::string since;
  std::string check;
  std::string time;
  std::string feedback;
};

int fail(const std::string& message, int code) {
  std::cerr << "weir measurements: " << message << "\n";
  return code;
}

/// "30d" before now, RFC 3339 or seconds since 1970.
core::Result<core::Time> begin_of(const std::string& since) {
  if (since.empty()) return core::Time{};
  const auto now = runtime::SystemClock().now();
  if (const auto span = core::parse_duration(since)) return now - *span;
  auto time = api::parse_time(since);
  if (time) return time;
  return core::fail(core::ErrorKind::invalid, "--since is a duration such as 30d, a time as RFC 3339, or seconds");
}

/// Why nothing was found of a check: that there is none of this name, with those that may be meant, or 0 for one that
/// has measurements from before.
int explain_nothing(const storage::StorageSettings& settings, const std::string& check) {
  constexpr std::size_t kMostShown = 5;
  std::set<std::string> names;
  const auto read = storage::read_measurements(settings, {}, [&](const core::Measurement& each) -> core::Result<void> {
    names.insert(each.check);
    return {};
  });
  if (!read) return fail(read.error().describe(), kExitFailed);
  if (names.contains(check)) return kExitOk;
  std::string meant = config::did_you_mean(check, std::vector<std::string>(names.begin(), names.end()));
  std::size_t found = 0;
  for (const std::string& name : names) {
    if (!meant.empty() && found == 0) break;
    if (!name.contains(check) || found == kMostShown) continue;
    meant += (found++ == 0 ? "; there are \"" : ", \"") + name + "\"";
  }
  if (meant.empty()) meant = names.empty() ? ": none has any yet" : "; the export without --check names all";
  return fail("no check is named \"" + check + "\"" + meant, kExitFailed);
}

int export_measurements(const MeasurementOptions& options) {
  const auto from = begin_of(options.since);
  if (!from) return fail(from.error().message, kExitUsage);
  const auto settings = storage_of(options.config, options.database);
  if (!settings) return fail(settings.error().message, kExitUsage);
  MeasurementWriter writer(std::cout, options.format == "json" ? ExportFormat::json : ExportFormat::csv);
  bool any = false;
  const auto done = storage::read_measurements(
      *settings, {.from = *from, .check = options.check}, [&](const core::Measurement& each) -> core::Result<void> {
        any = true;
        writer.write(each);
        if (std::cout) return {};
        return core::fail(core::ErrorKind::storage, "cannot be written", "standard output");
      });
  if (!done) return fail(done.error().describe(), kExitFailed);
  if (!any && !options.check.empty()) {
    if (const int code = explain_nothing(*settings, options.check); code != kExitOk) return code;
  }
  writer.finish();
  return std::cout.flush() ? kExitOk : kExitFailed;
}

int mark_measurement(const MeasurementOptions& options) {
  const auto time = api::parse_time(options.time);
  if (!time) return fail("TIME is RFC 3339 or seconds since 1970, as the export has it", kExitUsage);
  const auto settings = storage_of(options.config, options.database);
  if (!settings) return fail(settings.error().message, kExitUsage);
  if (!settings->postgres && !std::filesystem::exists(settings->path)) {
    return fail(settings->path + ": there is no such database", kExitFailed);
  }
  const auto store = storage::open_store(*settings);
  if (!store) return fail(store.error().describe(), kExitFailed);
  const core::Feedback feedback = options.feedback == "fine"    ? core::Feedback::fine
                                  : options.feedback == "wrong" ? core::Feedback::wrong
                                                                : core::Feedback::none;
  const auto done = (*store)->give_feedback(options.check, *time, feedback);
  return done ? kExitOk : fail(done.error().describe(), kExitFailed);
}

}  // namespace

void add_measurements_command(CLI::App& cli, Action& action) {
  CLI::App* command = cli.add_subcommand("measurements", "what the checks have measured, kept for a year");
  command->require_subcommand(1);
  const auto options = std::make_shared<MeasurementOptions>();
  const auto add_database = [&](CLI::App* to) {
    to->add_option("--config,-c", options->config, "configuration file, for its storage")->capture_default_str();
    to->add_option("--database", options->database,
                   "Weir's database: a file, or postgresql://… (default: the configuration's)");
  };
  CLI::App* out = command->add_subcommand("export", "print them; a Weir may be running on the database");
  add_database(out);
  out->add_option("--format", options->format, "csv or json")
      ->check(CLI::IsMember({"csv", "json"}))
      ->capture_default_str();
  out->add_option("--since", options->since, "30d, or a time as RFC 3339 or seconds since 1970 (default: all)");
  out->add_option("--check", options->check, "just those of this check, as the export names it");
  out->callback([&action, options] { action = [options] { return export_measurements(*options); }; });

  CLI::App* mark = command->add_subcommand(
      "mark", "say that one is fine (to learn from) or wrong (not to), or take that back; with the Weir stopped");
  add_database(mark);
  mark->add_option("CHECK", options->check, "as the export names it")->required();
  mark->add_option("TIME", options->time, "as the export has it")->required();
  mark->add_option("FEEDBACK", options->feedback, "fine, wrong or none")
      ->check(CLI::IsMember({"fine", "wrong", "none"}))
      ->required();
  mark->callback([&action, options] { action = [options] { return mark_measurement(*options); }; });
}

}  // namespace weir::app
