#pragma once

#include <optional>
#include <vector>

#include "collectors/openlineage.h"

#include "lineage/catalog.h"
#include "lineage/pipeline.h"

namespace weir::app {

/// The sections pipelines:, lineage:, catalogs: and openlineage:.
struct LineageSettings {
  std::vector<lineage::Pipeline> pipelines;
  lineage::GraphLimits limits;
  std::vector<lineage::Catalog> catalogs;
  std::optional<collectors::OpenLineageSettings> openlineage;
};

}  // namespace weir::app
