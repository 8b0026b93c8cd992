#pragma once

#include <chrono>
#include <cstddef>

#include "collectors/http_endpoint.h"
#include "config/reader.h"
#include "core/time.h"

namespace weir::collectors {

/// Where Weir sends its own outcomes, and how.
struct EmitSettings {
  HttpEndpoint endpoint;
  std::size_t queue = 1'000;                     // events that wait; past it the oldest go
  core::Duration every = std::chrono::hours(1);  // all outcomes again
  bool incidents = true;                         // also that an incident about a table or topic began or ended
};

/// Reads `url` (`example` shows what it is like), the login, `queue`, `every` and `incidents`.
void read_emit(config::MapReader& reader, const std::string& example, EmitSettings& settings);

}  // namespace weir::collectors
