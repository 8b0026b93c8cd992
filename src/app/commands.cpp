#include "app/commands.h"

#include <csignal>
#include <iostream>

#include "app/app.h"
#include "app/settings.h"
#include "runtime/log.h"
#include "runtime/loop.h"
#include "runtime/memory.h"

namespace weir::app {
namespace {

int report(const config::Diagnostics& diagnostics) {
  std::cerr << diagnostics.to_string();
  const std::size_t count = diagnostics.errors().size();
  std::cerr << count << (count == 1 ? " mistake" : " mistakes") << " in the configuration\n";
  return kExitUsage;
}

}  // namespace

int run(const std::string& config_file) {
  runtime::return_freed_memory();
  auto settings = load_settings(config_file);
  if (!settings) return report(settings.error());
  runtime::set_log_level(settings->log_level);
  runtime::Loop loop;
  App* running = nullptr;
  loop.on_signals({SIGINT, SIGTERM, SIGHUP}, [&](int signal) {
    if (signal != SIGHUP) return loop.stop();
    if (running != nullptr) running->reload();
  });
  auto app = App::build(std::move(*settings), loop);
  if (!app) {
    std::cerr << "weir: " << app.error().describe() << "\n";
    return kExitFailed;
  }
  running = app->get();
  (*app)->start();
  runtime::log_info("Weir is running", {{"page", (*app)->page_url()}});
  loop.run();
  runtime::log_info("stopping");
  (*app)->stop();
  return kExitOk;
}

int validate(const std::string& config_file) {
  const auto settings = load_settings(config_file);
  if (!settings) return report(settings.error());
  std::size_t rules = 0;
  for (const rules::Group& group : settings->rule_groups) rules += group.rules.size();
  std::cout << config_file << ": ok (" << settings->clusters.size() << " Kafka clusters, "
            << settings->registries.size() << " schema registries, " << settings->checks.size() << " sets of checks, "
            << rules << " rules)\n";
  return kExitOk;
}

}  // namespace weir::app
