#pragma once

#include <string>
#include <string_view>

namespace weir::core {

/// For any part of a URL and for forms: every byte but RFC 3986's unreserved ones as %XX.
std::string percent_encoded(std::string_view text);

/// As forms and Go's url.QueryEscape do: the same, but a blank is a plus.
std::string form_encoded(std::string_view text);

}  // namespace weir::core
