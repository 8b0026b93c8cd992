#pragma once

#include <string>
#include <string_view>

namespace weir::sql {

/// UTF-8 as UTF-16, as ODBC takes text; what is not valid becomes U+FFFD.
std::u16string to_utf16(std::string_view utf8);

/// And back; a surrogate without its other half becomes U+FFFD.
std::string to_utf8(std::u16string_view utf16);

}  // namespace weir::sql
