#include "lineage/catalog.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/reader.h"
#include "core/percent.h"

namespace weir::lineage {
namespace {

/// A part of OpenMetadata's fully qualified names.
std::string quoted(const std::string& part) { return part.find('.') == std::string::npos ? part : "\"" + part + "\""; }

CatalogPlace read_place(const std::string& key, const config::Node& node, bool datahub, config::MapReader& reader) {
  CatalogPlace place;
  if (node.is_scalar()) {
    place.platform = node.text();
  } else {
    config::MapReader entry(node, reader.diagnostics(), reader.what() + ", " + key);
    place.platform = entry.required_text(datahub ? "platform" : "service");
    place.prefix = entry.text("prefix");
    while (place.prefix.ends_with('.')) place.prefix.pop_back();
    entry.finish();
  }
  // These would end the URN's part.
  if (place.platform.find_first_of("(), ") != std::string::npos)
    reader.error(node, fmt::format("\"{}\" is no name of a platform", place.platform));
  return place;
}

Catalog read_catalog(const config::Node& node, config::Diagnostics& diagnostics, std::size_t index,
                     const ReadEmit& read_emit) {
  config::MapReader reader(node, diagnostics, "catalog");
  Catalog catalog;
  reader.required_text("type");
  catalog.type = reader.choice("type", "datahub", {"datahub", "openmetadata"});
  const bool datahub = catalog.type == "datahub";
  catalog.name = reader.text("name", datahub ? "DataHub" : "OpenMetadata");
  catalog.url = reader.required_text("url");
  while (catalog.url.ends_with('/')) catalog.url.pop_back();
  const bool web = catalog.url.starts_with("http://") || catalog.url.starts_with("https://");
  if (!catalog.url.empty() && !web) reader.error("url", "write http://host or https://host");
  catalog.env = reader.text("env", catalog.env);
  const config::Node* platforms = reader.child("platforms");
  if (platforms == nullptr || platforms->entries().empty()) {
    reader.missing("platforms",
                   "\"platforms\": say what the catalog calls the clusters and sources, as {warehouse: postgres}");
  } else {
    for (const auto& [key, value] : platforms->entries())
      catalog.platforms[key.text()] = read_place(key.text(), value, datahub, reader);
  }
  if (const config::Node* emit = read_emit ? reader.child("emit") : nullptr) read_emit(index, catalog, *emit);
  reader.finish();
  return catalog;
}

}  // namespace

std::vector<Catalog> parse_catalogs(const config::Node& section, config::Diagnostics& diagnostics,
                                    const ReadEmit& read_emit) {
  std::vector<Catalog> catalogs;
  if (section.is_null()) return catalogs;
  if (!section.is_sequence()) {
    diagnostics.error(section.position(), fmt::format("catalogs: expected a list, found {}", section.kind_name()));
    return catalogs;
  }
  for (const config::Node& item : section.items())
    catalogs.push_back(read_catalog(item, diagnostics, catalogs.size(), read_emit));
  return catalogs;
}

std::string urn_of(const Catalog& catalog, const core::Node& node) {
  const auto place = catalog.platforms.find(node.place);
  if (place == catalog.platforms.end() || (node.kind != "topic" && node.kind != "table")) return {};
  const std::string& prefix = place->second.prefix;
  // What is written in full already needs no prefix.
  const bool whole = prefix.empty() || node.kind == "topic" || node.name.starts_with(prefix + ".");
  if (catalog.type == "datahub") {
    const std::string name = whole ? node.name : prefix + "." + node.name;
    if (name.find_first_of("(),") != std::string::npos) return {};  // a URN has no way to write these
    return fmt::format("urn:li:dataset:(urn:li:dataPlatform:{},{},{})", place->second.platform, name, catalog.env);
  }
  const std::string name = node.kind == "topic" ? quoted(node.name) : whole ? node.name : prefix + "." + node.name;
  return quoted(place->second.platform) + "." + name;
}

std::vector<CatalogLink> catalog_links(const std::vector<Catalog>& catalogs, const core::Node& node) {
  std::vector<CatalogLink> links;
  for (const Catalog& catalog : catalogs) {
    std::string urn = urn_of(catalog, node);
    if (urn.empty()) continue;
    const std::string_view page = catalog.type == "datahub" ? std::string_view("dataset") : std::string_view(node.kind);
    std::string url = fmt::format("{}/{}/{}", catalog.url, page, core::percent_encoded(urn));
    links.push_back({catalog.name, std::move(urn), std::move(url)});
  }
  return links;
}

}  // namespace weir::lineage
