#pragma once

#include "collectors/http_json.h"
#include "config/reader.h"

namespace weir::collectors {

/// Reads `oauth2`, `google_service_account`, `login` and `jwt` of an entry of `http_json:`, of which one is allowed,
/// and none beside `basic_auth` and `bearer_token`, which were read before.
void read_service_login(config::MapReader& reader, HttpJsonSettings& settings);

}  // namespace weir::collectors
