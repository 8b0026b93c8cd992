#pragma once

#include <string>
#include <string_view>

#include "config/reader.h"

namespace weir::config {

/// The reader's secret under `key` or `<key>_file`, one of which must be there and not be empty.
core::Secret required_secret(MapReader& reader, std::string_view key);

/// Notes that there is no file at the path that `key` names, with the nearest name beside it, or something else than a
/// file. One that this user may not look for is no mistake: the service's may.
void check_file(MapReader& reader, std::string_view key, const std::string& path);

/// The path under `key`, from the folder of the file that names it, after check_file(); "" when none is given.
std::string file_path(MapReader& reader, std::string_view key);

}  // namespace weir::config
