#include "sql/decimal.h"

#include <charconv>
#include <cstdint>
#include <string>

namespace weir::sql {

Value decimal_value(std::string_view text) {
  std::int64_t whole = 0;
  const char* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc() && read.ptr == end) {
    return whole;
  }
  double number = 0;
  if (const auto read = std::from_chars(text.data(), end, number); read.ec == std::errc() && read.ptr == end) {
    return number;
  }
  return std::string(text);
}

}  // namespace weir::sql
