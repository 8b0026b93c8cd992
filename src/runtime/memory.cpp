#include "runtime/memory.h"

#include <cstdint>
#ifdef __GLIBC__
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace weir::runtime {
namespace {

#ifdef __GLIBC__
/// Of one program or library; the segments that nothing writes to, so that their pages are those of the file.
int drop_pages(dl_phdr_info* object, std::size_t, void* page_size) {
  const auto mask = ~(*static_cast<const std::uintptr_t*>(page_size) - 1);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    const std::uintptr_t end = (begin + segment.p_memsz + ~mask) & mask;
    const std::uintptr_t first = begin & mask;
    madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);  // NOLINT(performance-no-int-to-ptr)
  }
  return 0;
}
#endif

}  // namespace

void return_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargeBlock = 128 * 1024;
  // Few heaps: threads wait for one that is all theirs, and one for each keeps what it once took. And no growth of the
  // thresholds with the sizes seen.
  mallopt(M_ARENA_MAX, 4);
  mallopt(M_TRIM_THRESHOLD, kLargeBlock);
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
#endif
}

void return_unused_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void return_program_pages() {
#ifdef __GLIBC__
  auto page_size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  dl_iterate_phdr(drop_pages, &page_size);
#endif
}

}  // namespace weir::runtime
