#include "runtime/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace weir::runtime {

void parallel_for(std::size_t count, std::size_t workers, const std::function<void(std::size_t)>& work) {
  std::vector<std::exception_ptr> thrown(count);
  std::atomic<std::size_t> next = 0;
  const auto take_turns = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        thrown[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t most = std::min({workers, cores, count});
    try {
      while (helpers.size() + 1 < most) helpers.emplace_back(take_turns);
    } catch (const std::system_error&) {
      // No thread to be had: those that there are do it.
    }
    take_turns();
  }
  for (const std::exception_ptr& failure : thrown) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace weir::runtime
