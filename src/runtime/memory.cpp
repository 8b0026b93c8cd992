#include "runtime/memory.h"

#include <malloc.h>

namespace weir::runtime {

void return_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargeBlock = 128 * 1024;
  // One heap for all threads, and no growth of the thresholds with the sizes seen.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, kLargeBlock);
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
#endif
}

void return_unused_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace weir::runtime
