#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "collectors/stack_trace.h"

// Whatever a trace holds, its gist is one line, and no longer than the trace and the words between its two parts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string trace(reinterpret_cast<const char*>(data), size);
  const std::string gist = weir::collectors::trace_summary(trace);
  if (gist.find_first_of("\r\n") != std::string::npos) std::abort();
  if (gist.size() > trace.size() + std::string(", caused by ").size()) std::abort();
  return 0;
}
