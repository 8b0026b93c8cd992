#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/lineage.h"

namespace weir::lineage {

/// What a catalog calls a place of Weir's.
struct CatalogPlace {
  std::string platform;  // DataHub: "postgres"; OpenMetadata: the service's name
  std::string prefix;    // put before a table's name, "shop.public"
};

/// One entry of `catalogs:`: DataHub or OpenMetadata.
struct Catalog {
  std::string name;
  std::string type;  // "datahub", "openmetadata"
  std::string url;   // of its page, without a slash at the end
  std::string env = "PROD";
  std::map<std::string, CatalogPlace> platforms;  // by place: cluster or source
};

struct CatalogLink {
  std::string title;  // "DataHub"
  std::string urn;    // OpenMetadata's: the fully qualified name
  std::string url;
};

/// Reads the list under `catalogs:`:
///
///     - {type: datahub, url: "https://datahub.internal", platforms: {warehouse: postgres, prod: kafka}, env: PROD}
///     - {type: openmetadata, url: "https://om.internal", platforms: {warehouse: {service: pg, prefix: shop.public}}}
/// What stands under `emit` of the catalog with an index is read by `read_emit`, which knows where events go.
using ReadEmit = std::function<void(std::size_t index, const Catalog& catalog, const config::Node& emit)>;
std::vector<Catalog> parse_catalogs(const config::Node& section, config::Diagnostics& diagnostics,
                                    const ReadEmit& read_emit = {});

/// DataHub's name of a topic or table, "urn:li:dataset:(urn:li:dataPlatform:kafka,orders,PROD)"; OpenMetadata's
/// fully qualified name, "kafka.orders", with quotes around what holds a dot; "" for what a catalog has no name for.
std::string urn_of(const Catalog& catalog, const core::Node& node);

/// Where a node is in each catalog that knows its place.
std::vector<CatalogLink> catalog_links(const std::vector<Catalog>& catalogs, const core::Node& node);

}  // namespace weir::lineage
