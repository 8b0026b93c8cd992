#pragma once

#include "app/settings.h"
#include "config/diagnostics.h"
#include "config/node.h"

namespace weir::app {

/// Notes what routes, inhibit rules and receivers hardly mean: an alert that no rule of `settings` has, a receiver that
/// no route leads to, and severities and labels' names that differ from a usual one by a slip. Of names that are merely
/// unknown nothing is said.
void note_routing(const config::Node& root, const Settings& settings, config::Diagnostics& diagnostics);

}  // namespace weir::app
