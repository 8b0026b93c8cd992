// A page of metrics, in both formats: what parses has series that either are refused or have a name.

#include <cstdint>
#include <string_view>

#include "collectors/exposition.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::collectors::ExpositionFormat;
  const std::string_view page(reinterpret_cast<const char*>(data), size);
  for (const ExpositionFormat format : {ExpositionFormat::text, ExpositionFormat::openmetrics}) {
    const auto samples = weir::collectors::parse_exposition(page, format, 1000);
    if (!samples) continue;
    if (samples->size() > 1000) __builtin_trap();
    for (const auto& sample : *samples) {
      const auto labels = weir::collectors::parse_exposed_series(sample.series, 20);
      if (!labels) continue;
      if (labels->name().empty()) __builtin_trap();
    }
  }
  return 0;
}
