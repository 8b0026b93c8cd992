#include "app/commands.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <span>

#include "app/app.h"
#include "app/settings.h"
#include "runtime/log.h"
#include "runtime/loop.h"
#include "runtime/memory.h"

namespace weir::app {
namespace {

/// "1 rule", "2 rules".
std::string counted(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

/// "1 Kafka cluster, 3 rules": all that is configured, in the order of the documentation.
std::string summary_of(const Settings& settings) {
  std::size_t rules = 0;
  for (const rules::Group& group : settings.rule_groups) rules += group.rules.size();
  std::size_t checks = 0;
  for (const quality::ChecksSettings& entry : settings.checks) {
    for (const quality::Dataset& dataset : entry.datasets) checks += dataset.checks.size();
  }
  std::size_t pages = 0;
  for (const collectors::ScrapeTargets& scrape : settings.scrapes) pages += scrape.pages.size();
  const bool listens = settings.lineage.openlineage && settings.lineage.openlineage->receive;
  std::string text;
  const auto add = [&](std::size_t count, const std::string& one, const std::string& many) {
    if (count > 0) text += (text.empty() ? "" : ", ") + counted(count, one, many);
  };
  add(settings.clusters.size(), "Kafka cluster", "Kafka clusters");
  add(settings.registries.size(), "schema registry", "schema registries");
  add(pages, "scraped page", "scraped pages");
  add(settings.http_json.size(), "HTTP service", "HTTP services");
  add(settings.sources.size(), "source of tables", "sources of tables");
  add(checks, "check", "checks");
  add(settings.check_results.size(), "set of check results", "sets of check results");
  add(settings.governance.size(), "governance entry", "governance entries");
  add(settings.lineage.pipelines.size(), "pipeline", "pipelines");
  add(listens ? 1 : 0, "OpenLineage receiver", "OpenLineage receivers");
  add(settings.lineage.catalogs.size(), "catalog", "catalogs");
  add(rules, "rule", "rules");
  add(settings.routing.receivers.size(), "receiver", "receivers");
  add(settings.alertmanagers.size(), "Alertmanager", "Alertmanagers");
  add(settings.heartbeats.size(), "heartbeat", "heartbeats");
  return text;
}

void print_notes(std::span<const config::Diagnostic> notes) {
  for (const config::Diagnostic& note : notes) std::cerr << "note: " << note.to_string() << "\n";
}

int report(const config::Diagnostics& diagnostics) {
  print_notes(diagnostics.hints());
  std::cerr << diagnostics.to_string();
  std::cerr << counted(diagnostics.errors().size(), "mistake", "mistakes") << " in the configuration\n";
  return kExitUsage;
}

/// Those that a test asks for in the environment, the only way to them; nullptr without any.
core::Result<std::unique_ptr<core::FailPoints>> armed_fail_points() {
  const char* const wanted = std::getenv("WEIR_FAILPOINTS");
  if (wanted == nullptr || *wanted == '\0') return nullptr;
  auto points = core::FailPoints::parse(wanted);
  if (points) runtime::log_warn("fail points are armed: this Weir fails on purpose", {{"WEIR_FAILPOINTS", wanted}});
  return points;
}

}  // namespace

int run(const std::string& config_file) {
  runtime::return_freed_memory();
  auto settings = load_settings(config_file);
  if (!settings) return report(settings.error());
  runtime::set_log_level(settings->log_level);
  for (const config::Diagnostic& hint : settings->hints)
    runtime::log_warn("the configuration may not be what is meant", {{"note", hint.to_string()}});
  auto fail_points = armed_fail_points();
  if (!fail_points) {
    std::cerr << "weir: " << fail_points.error().describe() << "\n";
    return kExitUsage;
  }
  runtime::Loop loop;
  App* running = nullptr;
  loop.on_signals({SIGINT, SIGTERM, SIGHUP}, [&](int signal) {
    if (signal != SIGHUP) return loop.stop();
    if (running != nullptr) running->reload();
  });
  auto app = App::build(std::move(*settings), loop, fail_points->get());
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
  print_notes(settings->hints);
  std::cout << config_file << ": ok (" << summary_of(*settings) << ")\n";
  return kExitOk;
}

}  // namespace weir::app
