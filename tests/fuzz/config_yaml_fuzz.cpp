#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/node.h"

namespace {

/// Every value has a place in the file, and no mapping a key twice.
void look(const weir::config::Node& node) {
  if (node.position().line < 1 || node.position().column < 1) std::abort();
  for (const weir::config::Node& item : node.items()) look(item);
  for (const auto& [key, value] : node.entries()) {
    if (node.find(key.text()) != &value) std::abort();
    look(value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::config::Diagnostics diagnostics;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto root =
      weir::config::parse_yaml(text, "fuzz.yml", diagnostics, {.bytes = 1U << 16U, .nodes = 5000, .depth = 32});
  if (diagnostics.ok() && !root.is_null()) look(root);
  return 0;
}
