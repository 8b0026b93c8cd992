#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "promql/parser.h"

// Whatever parses prints, and what is printed parses to the same print again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto expr = weir::promql::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!expr) return 0;
  const std::string printed = weir::promql::to_string(*expr);
  const auto again = weir::promql::parse(printed);
  if (again && weir::promql::to_string(*again) != printed) std::abort();
  return 0;
}
