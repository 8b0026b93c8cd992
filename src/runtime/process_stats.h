#pragma once

#include <cstdint>

namespace weir::runtime {

/// This process as the kernel sees it; 0 for what it does not tell.
struct ProcessStats {
  double cpu_seconds = 0;  // user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
};
ProcessStats read_process_stats();

/// When this process started, in seconds since 1970.
double process_start_seconds();

}  // namespace weir::runtime
