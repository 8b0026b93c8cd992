#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "app/lineage_settings.h"
#include "collectors/http_json.h"
#include "collectors/prometheus_scrape.h"
#include "collectors/schema_registry.h"
#include "config/diagnostics.h"
#include "core/time.h"
#include "incidents/settings.h"
#include "kafka/settings.h"
#include "notify/alertmanager.h"
#include "notify/heartbeat.h"
#include "notify/routing.h"
#include "quality/checks_section.h"
#include "quality/governance.h"
#include "quality/import_collector.h"
#include "rules/loader.h"
#include "sql/registry.h"
#include "storage/store.h"

namespace weir::app {

struct SeriesSettings {
  core::Duration retention = std::chrono::hours(6);
  std::size_t max_series = 500'000;
};

/// A whole weir.yml, every file that it names included.
struct Settings {
  std::string file;  // that it was read from
  std::string listen = "127.0.0.1:9877";
  bool allow_remote = false;
  std::string external_url;  // of the page, in notifications; from `listen` when empty
  std::string log_level = "info";
  SeriesSettings series;
  storage::StorageSettings storage;
  std::vector<kafka::ClusterSettings> clusters;
  std::vector<collectors::SchemaRegistrySettings> registries;
  std::vector<collectors::ScrapeTargets> scrapes;
  std::vector<collectors::HttpJsonSettings> http_json;
  std::vector<sql::SourceSettings> sources;
  std::vector<quality::ChecksSettings> checks;
  std::vector<quality::CheckResultsSettings> check_results;
  std::vector<quality::GovernanceSettings> governance;
  LineageSettings lineage;
  std::vector<rules::Group> rule_groups;
  bool all_rules_read = true;  // none has a mistake
  incidents::IncidentSettings incidents;
  notify::RoutingSettings routing;
  std::vector<notify::AlertmanagerSettings> alertmanagers;
  std::vector<notify::HeartbeatSettings> heartbeats;
  std::map<std::string, std::size_t> fixed;  // hashes of the sections that a reload does not apply
  std::vector<config::Diagnostic> hints;     // what is allowed and yet hardly meant
};

/// Reads and checks everything, naming every mistake at once. Relative paths are taken from the folder
/// of the file.
std::expected<Settings, config::Diagnostics> load_settings(const std::string& file);

/// What a command needs of a configuration that is not run.
enum class Part {
  listen,     // where its Weir answers
  rules,      // that, and rule_groups
  receivers,  // that, routing and external_url
};
/// Reads that part alone; the rest may be wrong, or name variables of the environment that are not set here.
std::expected<Settings, config::Diagnostics> load_part(const std::string& file, Part part);

/// The sections that changed and that a reload does not apply, as "kafka, sources"; check files count as `checks`.
std::string fixed_changes(const Settings& before, const Settings& fresh);

}  // namespace weir::app
