#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "templates/template.h"

// A template that parses expands to bounded text or an error, for any value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::templates::Template;
  const auto parsed = Template::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!parsed) return 0;
  const weir::core::Labels labels{{"topic", "orders"}, {"le", "0.5"}, {"odd", "{{ \"\\"}};
  for (const double value :
       {0.0, -12345.678, 1e300, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const auto text =
        parsed->expand({.labels = labels, .value = value, .external_labels = labels, .external_url = "http://x"});
    if (text && text->size() > Template::kMaxOutput) std::abort();
  }
  return 0;
}
