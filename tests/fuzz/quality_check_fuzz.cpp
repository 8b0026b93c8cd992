#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/node.h"
#include "quality/check_file.h"
#include "quality/expression.h"

// Reading a check file says what is wrong with it, whatever is in it; a check that is read has a name, an outcome for
// NaN, and a text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)weir::quality::parse_expression(text);
  (void)weir::quality::parse_zone(text);
  weir::config::Diagnostics diagnostics;
  const auto root =
      weir::config::parse_yaml(text, "fuzz.yml", diagnostics, {.bytes = 1U << 16U, .nodes = 5000, .depth = 32});
  const auto datasets = weir::quality::parse_check_file(root, diagnostics);
  if (!diagnostics.ok()) return 0;
  for (const auto& dataset : datasets) {
    if (dataset.table.empty() || dataset.label().empty()) std::abort();
    for (const auto& check : dataset.checks) {
      if (check.name.empty() || check.canonical().empty()) std::abort();
      if (!check.expected && !check.warn_when && !check.fail_when) std::abort();
    }
  }
  return 0;
}
