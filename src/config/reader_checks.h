#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/reader.h"

namespace weir::config {

/// The reader's secret under `key` or `<key>_file`, one of which must be there and not be empty.
core::Secret required_secret(MapReader& reader, std::string_view key);

/// `path` as the file that the node is of names it: relative to that file's folder. "" stays "".
std::string path_beside(const Node& node, const std::string& path);

/// The first line of a file; none where it cannot be read.
std::optional<core::Secret> read_secret_file(const std::string& path);

/// Notes that there is no file at the path that `key` names, with the nearest name beside it. One that this user may
/// not look for is no mistake: the service's may.
void check_file(MapReader& reader, std::string_view key, const std::string& path);

}  // namespace weir::config
