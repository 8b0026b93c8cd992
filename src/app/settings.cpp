#include "app/settings.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <iterator>

#include "app/references.h"
#include "app/routing_notes.h"
#include "config/node.h"
#include "config/reader.h"
#include "net/http_server.h"
#include "runtime/log.h"

namespace weir::app {
namespace {

const config::Node kNothing;

/// The items of a list section, each read by `parse`; its names must differ.
template <class Item, class Parse>
std::vector<Item> read_list(config::MapReader& reader, std::string_view key, config::Diagnostics& diagnostics,
                            Parse parse) {
  std::vector<Item> items;
  const config::Node* section = reader.child(key);
  if (section == nullptr || section->is_null()) return items;
  if (!section->is_sequence()) {
    reader.error(key,
                 "expected a list (begin each entry with \"- name: …\"), found " + std::string(section->kind_name()));
    return items;
  }
  for (const config::Node& node : section->items()) {
    Item item = parse(node, diagnostics);
    const bool known = std::ranges::any_of(items, [&](const Item& other) { return other.name == item.name; });
    if (known && !item.name.empty())
      reader.error(node, std::string(key) + ": the name \"" + item.name + "\" is given twice");
    items.push_back(std::move(item));
  }
  return items;
}

const config::Node& section_or_nothing(config::MapReader& reader, std::string_view key) {
  const config::Node* node = reader.child(key);
  return node == nullptr ? kNothing : *node;
}

SeriesSettings read_series(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "series");
  SeriesSettings settings;
  settings.retention = reader.duration("retention", settings.retention);
  if (settings.retention < std::chrono::minutes(10)) reader.error("retention", "must be at least 10m");
  settings.max_series = static_cast<std::size_t>(reader.integer("max_series", 500'000, 1'000, 50'000'000));
  reader.finish();
  return settings;
}

void read_listen(config::MapReader& reader, Settings& settings) {
  settings.listen = reader.text("listen", settings.listen);
  settings.allow_remote = reader.boolean("allow_remote", false);
  const auto address = net::parse_listen_address(settings.listen);
  if (!address) {
    reader.error("listen", address.error().message);
  } else if (!address->loopback && !settings.allow_remote) {
    reader.error(
        "listen",
        "\"" + settings.listen +
            "\" can be reached from other machines, and Weir asks nobody for a password yet: listen on 127.0.0.1 "
            "behind a proxy, or say allow_remote: true");
  }
  settings.external_url = reader.text("external_url", "http://" + settings.listen);
  if (reader.has("external_url") && net::url_host(settings.external_url).empty()) {
    reader.error("external_url", "\"" + settings.external_url + "\" is not a URL that begins with http:// or https://");
  }
  while (settings.external_url.ends_with('/')) settings.external_url.pop_back();
}

/// Its page shows what was scraped too: each scrape would find that of the one before under another name.
void refuse_own_page(config::MapReader& reader, const Settings& settings) {
  const auto own = net::parse_listen_address(settings.listen);
  if (!own) return;
  const std::string port = ":" + std::to_string(own->port);
  for (const collectors::ScrapeTargets& scrape : settings.scrapes) {
    for (const collectors::ScrapeSettings& page : scrape.pages) {
      if (page.instance.ends_with(port) && net::is_loopback_host(page.instance))
        reader.error("scrape",
                     "\"" + page.name + "\" is this Weir's own page, whose metrics it has already: leave it out");
    }
  }
}

void note_empty(const std::string& file, const std::vector<rules::Group>& groups, config::Diagnostics& diagnostics) {
  const bool any = std::ranges::any_of(
      groups, [&](const rules::Group& group) { return group.file == file && !group.rules.empty(); });
  const bool mistaken = std::ranges::any_of(
      diagnostics.errors(), [&](const config::Diagnostic& mistake) { return mistake.position.file == file; });
  if (!any && !mistaken) diagnostics.hint({file, 0, 0}, "holds 0 rules");
}

/// What the checks of a source call its tables, for results that are about them.
void name_tables(Settings& settings) {
  for (quality::CheckResultsSettings& results : settings.check_results) {
    for (const quality::ChecksSettings& checks : settings.checks) {
      if (checks.source != results.warehouse || results.warehouse.empty()) continue;
      for (const quality::Dataset& dataset : checks.datasets) {
        std::string name;
        for (const std::string& part : dataset.table) name += (name.empty() ? "" : ".") + part;
        if (!name.empty()) results.tables.push_back(std::move(name));
      }
    }
  }
}

/// The brokers of each cluster are a namespace of OpenLineage's, unless it is given.
void name_clusters(Settings& settings, collectors::OpenLineageSettings& openlineage) {
  for (const kafka::ClusterSettings& cluster : settings.clusters) {
    openlineage.clusters.push_back(cluster.name);
    std::string_view brokers = cluster.brokers;
    while (!brokers.empty()) {
      const std::size_t comma = std::min(brokers.find(','), brokers.size());
      openlineage.namespaces.emplace("kafka://" + std::string(brokers.substr(0, comma)), cluster.name);
      brokers.remove_prefix(std::min(comma + 1, brokers.size()));
    }
  }
}

/// `emit: {url: "https://datahub-gms:8080", bearer_token_file: token, queue: 1000, every: 1h, incidents: true}`
void read_catalog_emit(std::size_t index, const lineage::Catalog& catalog, const config::Node& node,
                       config::Diagnostics& diagnostics, LineageSettings& lineage) {
  config::MapReader reader(node, diagnostics, "catalog, emit");
  if (catalog.type != "datahub") reader.error(node, "is for catalogs of type datahub");
  CatalogEmit emit{.catalog = index, .settings = {}};
  collectors::read_emit(reader, "https://datahub-gms:8080 (of the metadata service, not of the page)", emit.settings);
  while (emit.settings.endpoint.url.ends_with('/')) emit.settings.endpoint.url.pop_back();
  reader.finish();
  lineage.catalog_emits.push_back(std::move(emit));
}

void read_lineage(config::MapReader& reader, config::Diagnostics& diagnostics, Settings& settings) {
  LineageSettings& lineage = settings.lineage;
  lineage.pipelines = lineage::parse_pipelines(section_or_nothing(reader, "pipelines"), diagnostics);
  lineage.limits = lineage::parse_lineage_section(section_or_nothing(reader, "lineage"), diagnostics);
  std::vector<std::string> emitting;
  lineage.catalogs = lineage::parse_catalogs(
      section_or_nothing(reader, "catalogs"), diagnostics,
      [&](std::size_t index, const lineage::Catalog& catalog, const config::Node& emit) {
        read_catalog_emit(index, catalog, emit, diagnostics, lineage);
        const bool taken = std::ranges::count(emitting, catalog.name) > 0;
        if (taken) diagnostics.error(emit.position(), "two catalogs that are told events need a name each");
        emitting.push_back(catalog.name);
      });
  const config::Node* section = reader.child("openlineage");
  if (section == nullptr) return;
  lineage.openlineage = collectors::parse_openlineage_section(*section, diagnostics);
  name_clusters(settings, *lineage.openlineage);
  if (lineage.openlineage->receive && lineage.openlineage->token.empty() && settings.allow_remote)
    reader.error("openlineage", "with allow_remote anyone could send events: give token or token_file");
}

void read_rules(config::MapReader& reader, config::Diagnostics& diagnostics, Settings& settings) {
  const config::Node* rules = reader.child("rules");
  if (rules == nullptr) return;
  const std::size_t mistakes = diagnostics.errors().size();
  const rules::RuleSettings section = rules::parse_rules_section(*rules, diagnostics);
  settings.rule_groups = rules::load(section.files, diagnostics, section.interval);
  settings.all_rules_read = diagnostics.errors().size() == mistakes;
  for (const std::string& file : section.files) note_empty(file, settings.rule_groups, diagnostics);
}

void read_routing(config::MapReader& reader, config::Diagnostics& diagnostics, Settings& settings) {
  settings.routing = notify::parse_routing({.receivers = reader.child("receivers"),
                                            .route = reader.child("route"),
                                            .global = reader.child("global"),
                                            .inhibit_rules = reader.child("inhibit_rules"),
                                            .time_intervals = reader.child("time_intervals"),
                                            .mute_time_intervals = reader.child("mute_time_intervals"),
                                            .templates = reader.child("templates"),
                                            .notifications = reader.child("notifications")},
                                           diagnostics);
  settings.routing.external_url = settings.external_url;
}

void read_sections(config::MapReader& reader, config::Diagnostics& diagnostics, Settings& settings) {
  settings.series = read_series(section_or_nothing(reader, "series"), diagnostics);
  settings.storage = storage::parse_storage_section(section_or_nothing(reader, "storage"), diagnostics);
  settings.clusters = read_list<kafka::ClusterSettings>(reader, "kafka", diagnostics, kafka::parse_cluster);
  settings.registries = read_list<collectors::SchemaRegistrySettings>(reader, "schema_registries", diagnostics,
                                                                      collectors::parse_schema_registry);
  settings.scrapes = read_list<collectors::ScrapeTargets>(reader, "scrape", diagnostics, collectors::parse_scrape);
  refuse_own_page(reader, settings);
  settings.http_json =
      read_list<collectors::HttpJsonSettings>(reader, "http_json", diagnostics, collectors::parse_http_json);
  settings.sources = read_list<sql::SourceSettings>(reader, "sources", diagnostics, sql::parse_source);
  std::vector<std::string> names;
  for (const sql::SourceSettings& source : settings.sources) names.push_back(source.name);
  if (const config::Node* sources = reader.child("sources");
      sources != nullptr && !sources->is_sequence() && !sources->is_null()) {
    names.emplace_back();  // no list, so that no name is known
  }
  if (const config::Node* checks = reader.child("checks")) {
    settings.checks = quality::parse_checks_section(*checks, names, diagnostics);
  }
  if (const config::Node* results = reader.child("check_results")) {
    settings.check_results = quality::parse_check_results_section(*results, diagnostics, names);
    name_tables(settings);
  }
  if (const config::Node* governance = reader.child("governance")) {
    std::vector<std::string> clusters;
    for (const kafka::ClusterSettings& cluster : settings.clusters) clusters.push_back(cluster.name);
    settings.governance = quality::parse_governance_section(*governance, names, clusters, diagnostics);
  }
  read_lineage(reader, diagnostics, settings);
  read_rules(reader, diagnostics, settings);
  settings.incidents = incidents::parse_incidents_section(section_or_nothing(reader, "incidents"), diagnostics);
  read_routing(reader, diagnostics, settings);
  settings.alertmanagers = notify::parse_alertmanagers(section_or_nothing(reader, "alertmanagers"), diagnostics);
  settings.heartbeats = notify::parse_heartbeats(section_or_nothing(reader, "heartbeats"), diagnostics);
}

/// A node's content in one text, without places.
std::string text_of(const config::Node& node) {
  std::string text(1, node.is_mapping() ? '{' : node.is_sequence() ? '[' : '=');
  text += std::to_string(node.text().size()) + ":" + node.text();
  for (const config::Node& item : node.items()) text += text_of(item);
  for (const auto& [key, value] : node.entries()) text += text_of(key) + text_of(value);
  return text + ";";
}

void note_fixed(const config::Node& root, Settings& settings) {
  static constexpr std::array<std::string_view, 13> kReloaded{
      "rules",          "incidents",           "receivers", "route",         "global",        "inhibit_rules",
      "time_intervals", "mute_time_intervals", "templates", "notifications", "alertmanagers", "heartbeats",
      "log_level"};
  for (const auto& [key, value] : root.entries()) {
    if (std::ranges::find(kReloaded, key.text()) == kReloaded.end())
      settings.fixed[key.text()] = std::hash<std::string>()(text_of(value));
  }
}

/// Check files are as fixed as the section that names them.
void note_check_files(Settings& settings) {
  const auto checks = settings.fixed.find("checks");
  if (checks == settings.fixed.end()) return;
  for (const quality::ChecksSettings& entry : settings.checks) {
    for (const std::string& path : entry.files) {
      const std::string text = config::read_file(path).value_or("");  // who reads the checks tells why it cannot be
      checks->second = std::hash<std::string>()(std::to_string(checks->second) + path + text);
    }
  }
}

/// Where the database goes, from the folder of the configuration; its folder must be there, for SQLite makes none.
void place_storage(const std::string& file, const config::Node& root, config::Diagnostics& diagnostics,
                   Settings& settings) {
  if (settings.storage.path == ":memory:" || settings.storage.path.empty()) return;
  const std::filesystem::path path = std::filesystem::path(file).parent_path() / settings.storage.path;
  settings.storage.path = path.string();
  const config::Node* section = root.find("storage");
  const config::Node* given = section == nullptr ? nullptr : section->find("path");
  const config::Position place = given == nullptr ? config::Position{file, 0, 0} : given->position();
  std::error_code ignored;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::filesystem::file_type found = std::filesystem::status(folder, ignored).type();
  if (found == std::filesystem::file_type::none) return;  // not to be seen by this user; the service's may see it
  if (found != std::filesystem::file_type::directory) {
    diagnostics.error(place, "storage: \"path\": there is no folder \"" + folder.string() + "\"; create it");
  } else if (std::filesystem::is_directory(path, ignored)) {
    diagnostics.error(place, "storage: \"path\": \"" + path.string() + "\" is a folder; name a file in it");
  } else if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    diagnostics.error(place, "storage: \"path\": \"" + path.string() + "\" is no file");
  }
}

/// A section with a mistake is there, and so may be one whose key is misspelt.
void note_what_is_absent(const config::Node& root, const Settings& settings, config::Diagnostics& diagnostics) {
  const config::Position place{settings.file, 0, 0};
  const auto given = [&](const std::string& section) {
    const std::array<std::string, 1> meant{section};
    return !diagnostics.ok() && std::ranges::any_of(root.entries(), [&](const config::Node::Entry& entry) {
      return config::nearest(entry.first.text(), meant) != nullptr;
    });
  };
  if (settings.routing.receivers.empty() && settings.alertmanagers.empty() && !given("receivers") &&
      !given("alertmanagers"))
    diagnostics.hint(place, "nobody will be told: no receivers");
  if (settings.rule_groups.empty() && !given("rules")) diagnostics.hint(place, "no alert will ever fire: no rules");
}

}  // namespace

std::expected<Settings, config::Diagnostics> load_settings(const std::string& file) {
  config::Diagnostics diagnostics;
  const config::Node root = config::load_yaml(file, diagnostics, config::Streams::own);
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  config::MapReader reader(root, diagnostics, "configuration");
  Settings settings;
  settings.file = file;
  note_fixed(root, settings);
  read_listen(reader, settings);
  settings.log_level = reader.choice("log_level", settings.log_level, {"debug", "info", "warn", "error"});
  read_sections(reader, diagnostics, settings);
  note_check_files(settings);
  check_references(root, settings, diagnostics);
  note_routing(root, settings, diagnostics);
  reader.finish();
  if (settings.clusters.empty() && settings.registries.empty() && settings.scrapes.empty() &&
      settings.http_json.empty() && settings.checks.empty() && settings.check_results.empty() &&
      settings.governance.empty() && !(settings.lineage.openlineage && settings.lineage.openlineage->receive) &&
      diagnostics.ok()) {
    diagnostics.error({file, 0, 0},
                      "nothing to watch: add kafka:, schema_registries:, scrape:, http_json:, check_results:, or "
                      "sources: with checks:");
  }
  place_storage(file, root, diagnostics, settings);
  note_what_is_absent(root, settings, diagnostics);
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  settings.hints.assign(diagnostics.hints().begin(), diagnostics.hints().end());
  return settings;
}

std::expected<Settings, config::Diagnostics> load_part(const std::string& file, Part part) {
  config::Diagnostics diagnostics;
  const config::Node root = config::load_yaml(file, diagnostics, config::Streams::own);
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  config::MapReader reader(root, diagnostics, "configuration");
  Settings settings;
  settings.file = file;
  if (part == Part::receivers) {
    read_listen(reader, settings);
    read_routing(reader, diagnostics, settings);
  } else {
    settings.listen = reader.text("listen", settings.listen);
    if (const auto address = net::parse_listen_address(settings.listen); !address)
      reader.error("listen", address.error().message);
  }
  if (part == Part::rules) read_rules(reader, diagnostics, settings);
  if (!diagnostics.ok()) return std::unexpected(diagnostics);
  return settings;
}

std::string fixed_changes(const Settings& before, const Settings& fresh) {
  std::string keys;
  const auto note = [&](const std::string& key) { keys += (keys.empty() ? "" : ", ") + key; };
  for (const auto& [key, hash] : fresh.fixed) {
    const auto known = before.fixed.find(key);
    if (known == before.fixed.end() || known->second != hash) note(key);
  }
  for (const auto& [key, hash] : before.fixed) {
    if (!fresh.fixed.contains(key)) note(key);
  }
  return keys;
}

}  // namespace weir::app
