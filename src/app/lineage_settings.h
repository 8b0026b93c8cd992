#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "collectors/emit_settings.h"
#include "collectors/openlineage.h"

#include "lineage/catalog.h"
#include "lineage/pipeline.h"

namespace weir::app {

/// A catalog that is told what becomes of checks and incidents.
struct CatalogEmit {
  std::size_t catalog = 0;  // its index among the catalogs
  collectors::EmitSettings settings;
};

/// The sections pipelines:, lineage:, catalogs: and openlineage:.
struct LineageSettings {
  std::vector<lineage::Pipeline> pipelines;
  lineage::GraphLimits limits;
  std::vector<lineage::Catalog> catalogs;
  std::vector<CatalogEmit> catalog_emits;
  std::optional<collectors::OpenLineageSettings> openlineage;
};

}  // namespace weir::app
