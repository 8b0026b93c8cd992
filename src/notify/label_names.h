#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"

namespace weir::notify {

/// As Prometheus and Alertmanager have them: letters, digits and _, no digit first.
bool is_label_name(std::string_view name);

/// The list under the key, with a mistake noted for each that is no label's name. `word` may stand among them.
std::vector<std::string> read_label_names(config::MapReader& reader, std::string_view key, std::string_view word = {});

}  // namespace weir::notify
