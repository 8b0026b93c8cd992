#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/utf8.h"
#include "incidents/postmortem.h"

/// Whatever a label says, it stays one line of text in its cell.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = weir::incidents::markdown_text({reinterpret_cast<const char*>(data), size});
  if (text.find_first_of("|\n\r<>\t") != std::string::npos || !weir::core::is_utf8(text)) __builtin_trap();
  return 0;
}
