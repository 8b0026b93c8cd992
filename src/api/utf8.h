#pragma once

#include <string>
#include <string_view>

namespace weir::api {

/// Appends `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD. A consumer group may be named
/// with any bytes, and Prometheus refuses a whole page for one bad label.
void append_valid_utf8(std::string& out, std::string_view text);

}  // namespace weir::api
