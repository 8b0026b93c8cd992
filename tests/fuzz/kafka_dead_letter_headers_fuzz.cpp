#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kafka/dead_letter_headers.h"

// Every line is a header, "name=value" with any bytes. Whatever is in them, what comes out is bounded, without control
// characters, and the same when it is cleaned again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kafka::Headers headers;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (std::size_t at = 0; at < text.size() && headers.size() < 64;) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    const std::size_t sign = std::min(line.find('='), line.size());
    headers.emplace_back(line.substr(0, sign), sign < line.size() ? line.substr(sign + 1) : "");
    at = end + 1;
  }
  const auto reason = weir::kafka::read_reason(headers, {"x-origin", "x-error", "x-app", "x-text"});
  for (const std::string* field : {&reason.origin, &reason.exception, &reason.component, &reason.message}) {
    if (field->size() > 500 || weir::kafka::clean_text(*field, 500) != *field) std::abort();
    if (std::ranges::any_of(*field, [](unsigned char c) { return c < ' ' || c == 0x7F; })) std::abort();
  }
  if (reason.origin_partition && *reason.origin_partition < 0) std::abort();
  if (reason.origin_offset && *reason.origin_offset < 0) std::abort();
  return 0;
}
