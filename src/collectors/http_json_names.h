#pragma once

#include "collectors/http_json.h"

namespace weir::collectors {

/// Notes each {name} in the texts of an entry's own requests that nothing around it gives: at run time it would stay as
/// it is written. Bodies, whose braces may be JSON's or GraphQL's, are not looked at.
void check_json_names(const config::Node& entry, const HttpJsonSettings& settings, config::Diagnostics& diagnostics);

}  // namespace weir::collectors
