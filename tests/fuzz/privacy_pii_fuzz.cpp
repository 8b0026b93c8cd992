#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "privacy/pii.h"

// Any bytes are a name and a value; a tally counts the value once, and finds no more than the value has.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::privacy::pii_of_name(text);
  weir::privacy::PiiTally tally;
  tally.add(text);
  if (tally.values() != (text.empty() ? 0U : 1U)) std::abort();
  if (tally.found().size() > weir::privacy::pii_in(text).size()) std::abort();
  return 0;
}
