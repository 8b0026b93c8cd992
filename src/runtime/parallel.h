#pragma once

#include <cstddef>
#include <functional>

namespace weir::runtime {

/// Calls `work` with 0 … count − 1, each once, on the calling thread and up to `workers` − 1 others (no more than there
/// are cores), and waits for all of them. What a call throws is thrown again when all are done, the lowest number's.
void parallel_for(std::size_t count, std::size_t workers, const std::function<void(std::size_t)>& work);

}  // namespace weir::runtime
