#pragma once

#include <string>
#include <vector>

#include "api/backend.h"

namespace weir::api {

/// The JSON of /api/weir/v1/overview, as src/README.md describes it: all that the page shows at `now`, from the
/// newest samples of the series and the state of alerts and incidents. Lists are cut to 500 rows, the worst
/// first, and then "truncated" is true.
std::string overview(const Backend& backend, core::Time now);

}  // namespace weir::api
