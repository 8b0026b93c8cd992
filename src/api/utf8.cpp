#include "api/utf8.h"

#include <algorithm>
#include <cstddef>

#include "core/utf8.h"

namespace weir::api {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

void append_valid_utf8(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = core::utf8_length(text);
    out += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

}  // namespace weir::api
