#include <cstddef>
#include <cstdint>
#include <string>

#include "rules/loader.h"

// Loading a rule file says what is wrong with it, whatever is in it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::config::Diagnostics diagnostics;
  (void)weir::rules::load_text(std::string(reinterpret_cast<const char*>(data), size), "fuzz.yml", diagnostics);
  return 0;
}
