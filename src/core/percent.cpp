#include "core/percent.h"

namespace weir::core {
namespace {

std::string encoded(std::string_view text, std::string_view blank) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else if (c == ' ') {
      out += blank;
    } else {
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
    }
  }
  return out;
}

}  // namespace

std::string percent_encoded(std::string_view text) { return encoded(text, "%20"); }
std::string form_encoded(std::string_view text) { return encoded(text, "+"); }

}  // namespace weir::core
