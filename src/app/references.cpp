#include "app/references.h"

#include <algorithm>
#include <fmt/format.h>

#include "config/reader.h"

namespace weir::app {
namespace {

using config::Node;
using Names = std::vector<std::string>;

bool has(const Names& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

/// A list, or one thing alone.
std::vector<const Node*> items_of(const Node* section) {
  std::vector<const Node*> items;
  if (section == nullptr || section->is_null()) return items;
  if (!section->is_sequence()) return {section};
  for (const Node& item : section->items()) items.push_back(&item);
  return items;
}

class ReferenceChecker {
 public:
  ReferenceChecker(const Settings& settings, config::Diagnostics& diagnostics)
      : settings_(settings), diagnostics_(diagnostics) {
    for (const kafka::ClusterSettings& cluster : settings.clusters) clusters_.push_back(cluster.name);
    for (const sql::SourceSettings& source : settings.sources) sources_.push_back(source.name);
    for (const collectors::SchemaRegistrySettings& registry : settings.registries) registries_.push_back(registry.name);
    if (settings.lineage.openlineage) {
      for (const auto& [name_space, place] : settings.lineage.openlineage->namespaces) elsewhere_.push_back(place);
    }
    for (const quality::CheckResultsSettings& results : settings.check_results) elsewhere_.push_back(results.name);
    // A service's labels and variables say in which cluster or source its ways begin and end.
    for (const collectors::HttpJsonSettings& service : settings.http_json) {
      for (const auto& [name, value] : service.labels) elsewhere_.push_back(value);
      for (const auto& [name, value] : service.variables) elsewhere_.push_back(value);
    }
  }

  void check_registries(const Node* section) {
    for (const Node* item : items_of(section)) {
      const Node* cluster = item->find("cluster");
      if (cluster == nullptr || !cluster->is_scalar()) continue;
      config::Diagnostics told_already;
      const std::string name = config::expand_environment(*cluster, told_already);
      if (!told_already.ok() || name.empty() || has(clusters_, name)) continue;
      const std::string message = "schema registry: \"cluster\": " + lack("Kafka cluster", name, "kafka", clusters_);
      const bool compares = std::ranges::any_of(settings_.registries, [&](const auto& registry) {
        return registry.cluster == name && registry.drift.any_topics;
      });
      // A Weir that watches registries alone may name the cluster for the labels' sake.
      if (clusters_.empty() && !compares) {
        diagnostics_.hint(cluster->position(), message);
      } else {
        diagnostics_.error(cluster->position(), message);
      }
    }
    for (const collectors::SchemaRegistrySettings& registry : settings_.registries) {
      for (const collectors::SchemaTable& table : registry.drift.tables) {
        if (!table.source.empty() && !has(sources_, table.source))
          diagnostics_.error(table.position, "drift: " + lack("source", table.source, "sources", sources_));
      }
    }
  }

  void check_pipelines(const Node* section) {
    for (const Node* pipeline : items_of(section)) {
      const Node* name = pipeline->find("name");
      const std::string what = fmt::format("pipeline \"{}\"", name == nullptr ? "" : name->text());
      for (const Node* step : items_of(pipeline->find("flow"))) {
        for (const Node* node : items_of(step)) check_node(what, *node);
      }
      for (const Node* node : items_of(pipeline->find("nodes"))) check_node(what, *node);
      for (const Node* edge : items_of(pipeline->find("edges"))) {
        for (const std::string_view end : {"from", "to"}) {
          if (const Node* node = edge->find(end)) check_node(what, *node);
        }
      }
    }
  }

  void check_catalogs(const Node* section) {
    for (const Node* catalog : items_of(section)) {
      const Node* platforms = catalog->find("platforms");
      if (platforms == nullptr) continue;
      for (const auto& [place, platform] : platforms->entries()) check_place(place, place.text(), "catalog, platforms");
    }
  }

  /// Names from the environment are not followed here.
  void check_namespaces(const Node* openlineage) {
    const Node* namespaces = openlineage == nullptr ? nullptr : openlineage->find("namespaces");
    if (namespaces == nullptr) return;
    Names known = clusters_;
    known.insert(known.end(), sources_.begin(), sources_.end());
    for (const auto& [name, place] : namespaces->entries()) {
      if (place.is_scalar() && !place.text().contains("${") && !has(known, place.text()))
        hint_near(place, "openlineage, namespaces", place.text(), known);
    }
  }

 private:
  std::string lack(const char* kind, const std::string& name, const char* section, const Names& known) const {
    return fmt::format("there is no {} \"{}\" under \"{}\"{}", kind, name, section, config::did_you_mean(name, known));
  }

  /// A kind is any word: one of the kinds that are told of, but for a slip, is hardly another.
  void check_kind(const std::string& what, const Node& node, const std::string& kind) {
    static const Names known{"topic", "group",    "consumer group", "table",    "connector", "subject",
                             "job",   "model",    "seed",           "snapshot", "query",     "dataset",
                             "pipe",  "exposure", "dashboard",      "task"};
    static const Names alike{"object", "connection"};  // that are words of their own
    if (has(known, kind) || has(alike, kind)) return;
    const std::string meant = config::did_you_mean(kind, known);
    if (meant.empty()) return;
    diagnostics_.hint(node.position(),
                      fmt::format("{}: {}: nothing tells of a kind \"{}\"{}", what, node.text(), kind, meant));
  }

  void check_node(const std::string& what, const Node& node) {
    const auto pattern = node.is_scalar() ? lineage::parse_node(node.text()) : core::Result<lineage::NodePattern>();
    if (!pattern) return;  // who reads the section tells it
    check_kind(what, node, pattern->node.kind);
    const std::string& place = pattern->node.place;
    if (place.empty() || place.find_first_of("*?[") != std::string::npos || has(elsewhere_, place)) return;
    const std::string& kind = pattern->node.kind;
    const auto check = [&](const char* of, const char* section, const Names& known) {
      // Of a section with a mistake not all names may be known.
      const bool unsure = !diagnostics_.ok() && (known.empty() || has(known, ""));
      if (!has(known, place) && !unsure)
        diagnostics_.hint(node.position(),
                          fmt::format("{}: {}: {}", what, node.text(), lack(of, place, section, known)));
    };
    if (kind == "topic" || kind == "consumer group") check("Kafka cluster", "kafka", clusters_);
    if (kind == "table") check("source", "sources", sources_);
    if (kind == "subject") check("schema registry", "schema_registries", registries_);
  }

  void check_place(const Node& node, const std::string& place, const std::string& what) {
    Names known = clusters_;
    known.insert(known.end(), sources_.begin(), sources_.end());
    known.insert(known.end(), elsewhere_.begin(), elsewhere_.end());
    if (!has(known, place)) hint_near(node, what, place, known);
  }

  /// Other programs may tell of any place; one that is nearly a known name hardly is meant.
  void hint_near(const Node& node, const std::string& what, const std::string& place, const Names& known) {
    const std::string meant = config::did_you_mean(place, known);
    if (meant.empty()) return;
    diagnostics_.hint(node.position(), fmt::format("{}: no cluster or source is named \"{}\"{}", what, place, meant));
  }

  const Settings& settings_;
  config::Diagnostics& diagnostics_;
  Names clusters_;
  Names sources_;
  Names registries_;
  Names elsewhere_;  // places that other programs may tell of
};

}  // namespace

void check_references(const config::Node& root, const Settings& settings, config::Diagnostics& diagnostics) {
  ReferenceChecker checker(settings, diagnostics);
  checker.check_registries(root.find("schema_registries"));
  checker.check_pipelines(root.find("pipelines"));
  checker.check_catalogs(root.find("catalogs"));
  checker.check_namespaces(root.find("openlineage"));
}

}  // namespace weir::app
