#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/node.h"
#include "quality/check_file.h"
#include "quality/expression.h"
#include "quality/probe.h"

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
    if (dataset.for_each) (void)dataset.for_each->checks("another_table");
    if (dataset.label().empty() || dataset.table.empty() != (dataset.for_each != nullptr)) std::abort();
    for (const auto& check : dataset.checks) {
      if (check.name.empty() || check.canonical().empty()) std::abort();
      if (check.probe == nullptr || check.identity().empty()) std::abort();
    }
  }
  return 0;
}
