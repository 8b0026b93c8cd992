#pragma once

#include "app/settings.h"
#include "config/diagnostics.h"
#include "config/node.h"

namespace weir::app {

/// Compares the names by which sections speak of clusters, sources and registries with those that are configured. One
/// that must be there is a mistake (a registry's `cluster`, what `drift` compares with). In pipelines, catalogs and
/// namespaces another program may tell of it, so it is a hint.
void check_references(const config::Node& root, const Settings& settings, config::Diagnostics& diagnostics);

}  // namespace weir::app
