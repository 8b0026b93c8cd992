#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/batch.h"

namespace weir::collectors {

/// The series of one partition within a batch, which a budget may leave out.
struct SeriesRange {
  std::uint32_t first = 0;  // index into Batch::samples
  std::uint32_t count = 0;
  std::int64_t lag = -1;  // -1: a topic's own, which go first
  bool* kept = nullptr;   // whether it was kept in the last cycle; set anew
};

/// Removes ranges from the batch until it holds no more than `max_series` samples, those with the smallest lag first;
/// one that was kept in the last cycle counts with a quarter more lag, so that two of a size do not take turns. What
/// lies in no range always stays. `ranges` ascend by `first` and do not overlap; `count` says how many series a sample
/// stands for. Returns how many series were removed.
std::size_t keep_within_budget(const std::vector<SeriesRange>& ranges, std::size_t max_series,
                               const std::function<std::size_t(const core::Labels&)>& count, core::Batch& batch);

}  // namespace weir::collectors
