#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rules/series_notation.h"

// Any text is either a series or an error at a place, and never more values than allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto series = weir::rules::parse_series(text, 1000);
  if (series && series->values.size() > 1000) __builtin_trap();
  if (!series && series.error().where.empty()) __builtin_trap();
  (void)weir::rules::parse_metric(text);
  return 0;
}
