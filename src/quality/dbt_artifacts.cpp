#include "quality/dbt_artifacts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "quality/import_json.h"

// dbt's artifacts: https://docs.getdbt.com/reference/artifacts/dbt-artifacts
namespace weir::quality {
namespace import {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Whether a name is the other, or its end from a dot on, in any case.
bool names_same(const std::string& whole, const std::string& known) {
  const std::string a = lower(whole);
  const std::string b = lower(known);
  return a == b || (a.size() > b.size() && a.ends_with(b) && a[a.size() - b.size() - 1] == '.');
}

}  // namespace

std::optional<int> schema_version(const Json& root) {
  const std::string schema = text(at(root, "metadata"), "dbt_schema_version");
  const std::size_t slash = schema.rfind("/v");
  if (slash == std::string::npos) return std::nullopt;
  int version = 0;
  const auto [end, failed] = std::from_chars(schema.data() + slash + 2, schema.data() + schema.size(), version);
  return failed == std::errc() ? std::optional(version) : std::nullopt;
}

std::string dbt_table(const Json& node, const ImportSettings& settings) {
  const bool source = node.contains("source_name");
  std::string name = source ? text(node, "identifier") : text(node, "alias");
  if (name.empty()) name = text(node, "name");
  if (settings.warehouse.empty()) return source ? text(node, "source_name") + "." + text(node, "name") : name;
  const std::string schema = text(node, "schema");
  const std::string short_name = schema.empty() ? name : schema + "." + name;
  const std::string database = text(node, "database");
  const std::string whole = database.empty() ? short_name : database + "." + short_name;
  const auto known = std::ranges::find_if(settings.tables, [&](const auto& table) { return names_same(whole, table); });
  return known == settings.tables.end() ? short_name : *known;
}

}  // namespace import

namespace {

using import::at;
using import::Json;
using import::text;

constexpr int kOldestManifest = 7;
constexpr int kNewestManifest = 12;
constexpr std::array<std::string_view, 3> kTables{"model", "seed", "snapshot"};

/// The nodes of a manifest that data lies in.
class ManifestReader {
 public:
  ManifestReader(const Json& manifest, const ImportSettings& settings) : settings_(settings) {
    for (const auto& [id, node] : at(manifest, "nodes").items()) note_node(id, node);
    for (const auto& [id, node] : at(manifest, "sources").items()) nodes_[id] = table(node);
    for (const auto& [id, node] : at(manifest, "exposures").items())
      nodes_[id] = {"exposure", settings_.source, text(node, "name")};
  }

  std::vector<core::Edge> edges(const Json& manifest) const {
    std::vector<core::Edge> edges;
    for (const char* section : {"nodes", "exposures"}) {
      for (const auto& [id, node] : at(manifest, section).items()) {
        const auto to = nodes_.find(id);
        if (to != nodes_.end()) add(node, to->second, edges);
      }
    }
    std::ranges::sort(edges);
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return edges;
  }

 private:
  core::Node table(const Json& node) const {
    return {"table", settings_.warehouse.empty() ? settings_.source : settings_.warehouse,
            import::dbt_table(node, settings_)};
  }

  void note_node(const std::string& id, const Json& node) {
    const std::string kind = text(node, "resource_type");
    if (std::ranges::find(kTables, kind) == kTables.end()) return;
    const bool ephemeral = text(at(node, "config"), "materialized") == "ephemeral";
    nodes_[id] = ephemeral ? core::Node{"model", settings_.source, text(node, "name")} : table(node);
  }

  void add(const Json& node, const core::Node& to, std::vector<core::Edge>& edges) const {
    const Json& depends = at(at(node, "depends_on"), "nodes");
    if (!depends.is_array()) return;
    for (const Json& each : depends) {
      if (!each.is_string()) continue;
      const auto from = nodes_.find(each.get<std::string>());
      if (from != nodes_.end() && from->second != to) edges.push_back({from->second, to, "dbt"});
    }
  }

  const ImportSettings& settings_;
  std::map<std::string, core::Node> nodes_;  // by unique_id
};

core::Result<Json> read_manifest(const ImportSettings& settings) {
  auto manifest = import::parse(settings.manifest, settings.limits, "the manifest");
  if (!manifest) return manifest;
  if (!at(*manifest, "nodes").is_object())
    return core::fail(core::ErrorKind::invalid, "this is no manifest.json of dbt: it has no \"nodes\"");
  const auto version = import::schema_version(*manifest);
  if (version && (*version < kOldestManifest || *version > kNewestManifest)) {
    return core::fail(
        core::ErrorKind::invalid,
        fmt::format("the manifest has dbt's schema v{}, and Weir knows v{} to v{}: its lineage is not read", *version,
                    kOldestManifest, kNewestManifest));
  }
  return manifest;
}

}  // namespace

core::Result<std::vector<core::Edge>> dbt_edges(const ImportSettings& settings) {
  const auto manifest = read_manifest(settings);
  if (!manifest) return std::unexpected(manifest.error());
  try {
    return ManifestReader(*manifest, settings).edges(*manifest);
  } catch (const Json::exception& error) {
    return core::fail(core::ErrorKind::invalid,
                      fmt::format("the manifest has another shape than is known: {}", error.what()));
  }
}

core::Result<DbtRuns> dbt_runs(const std::string& results, const ImportSettings& settings) {
  const auto root = import::parse(results, settings.limits, "the file");
  if (!root) return std::unexpected(root.error());
  Json manifest;
  if (!settings.manifest.empty()) {
    auto parsed = import::parse(settings.manifest, settings.limits, "the manifest");
    if (parsed) manifest = std::move(*parsed);
  }
  DbtRuns runs;
  runs.seconds = import::number(*root, "elapsed_time").value_or(0);
  try {
    for (const Json& each : at(*root, "results")) {
      if (runs.nodes.size() >= settings.limits.results)
        return core::fail(core::ErrorKind::limit, fmt::format("more than {} results", settings.limits.results));
      const auto seconds = import::number(each, "execution_time");
      DbtNodeRun run;
      run.id = text(each, "unique_id");
      run.kind = run.id.substr(0, run.id.find('.'));
      if (!seconds || run.id.empty()) continue;
      run.seconds = *seconds;
      run.rows = import::number(at(each, "adapter_response"), "rows_affected");
      const Json& node = at(at(manifest, "nodes"), run.id);
      if (node.is_object() && std::ranges::find(kTables, run.kind) != kTables.end())
        run.table = import::dbt_table(node, settings);
      for (const Json& timing : at(each, "timing")) {
        if (text(timing, "name") == "execute") run.completed = core::parse_iso_time(text(timing, "completed_at"));
      }
      runs.nodes.push_back(std::move(run));
    }
  } catch (const Json::exception& error) {
    return core::fail(core::ErrorKind::invalid,
                      fmt::format("the results have another shape than is known: {}", error.what()));
  }
  return runs;
}

}  // namespace weir::quality
