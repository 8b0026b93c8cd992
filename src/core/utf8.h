#pragma once

#include <cstddef>
#include <string_view>

namespace weir::core {

/// Bytes of the well-formed character of UTF-8 at the start of `text`, 0 when it begins with none.
std::size_t utf8_length(std::string_view text);

/// True when all of it is well-formed.
bool is_utf8(std::string_view text);

/// At most `bytes` of it, without a character that is cut in two.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

}  // namespace weir::core
