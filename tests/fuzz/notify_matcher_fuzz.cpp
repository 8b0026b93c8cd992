#include <cstddef>
#include <cstdint>
#include <string_view>

#include "notify/email.h"
#include "notify/matcher.h"

/// Matchers and addresses come from outside: by the API, and by configuration.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto matchers = weir::notify::parse_matchers(text);
  if (matchers) {
    const weir::core::Labels labels{{"alertname", "a"}, {"severity", text.substr(0, 16)}};
    (void)weir::notify::all_match(*matchers, labels);
    const auto again = weir::notify::parse_matchers(weir::notify::to_string(*matchers));
    if (!again || again->size() != matchers->size()) __builtin_trap();
  }
  (void)weir::notify::parse_addresses(text);
  return 0;
}
