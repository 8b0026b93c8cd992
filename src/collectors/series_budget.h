#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/batch.h"

namespace weir::collectors {

/// Keeps a batch within a number of series by leaving out those of single partitions: topics' own first, then those
/// with the least lag. One that was kept in the last cycle counts with a quarter more lag, so that two of a size do not
/// take turns. What is not of a single partition always stays.
///
/// Partitions that were left out, and whose lag is still no larger than the least that was kept, are not even built:
/// what is not shown costs nothing.
class SeriesBudget {
 public:
  /// `count` says how many series a sample stands for.
  SeriesBudget(std::size_t max_series, std::function<std::size_t(const core::Labels&)> count);

  void begin_cycle();
  /// Whether a partition need not be built, by its lag (-1: a topic's own) and whether it was kept in the last cycle;
  /// `series` is how many it would have.
  bool leaves_out(std::int64_t lag, bool kept, std::size_t series);
  /// The batch's samples from `first` on are those of one partition. `kept` is read and set by enforce().
  void note(std::size_t first, const core::Batch& batch, std::int64_t lag, bool& kept);
  /// Removes what is too much; `reserved` series are still to come, and not of partitions. Returns how many series are
  /// left out in this cycle, those never built among them.
  std::size_t enforce(core::Batch& batch, std::size_t reserved = 0);

 private:
  struct Range {
    std::uint32_t first = 0;  // index into Batch::samples
    std::uint32_t count = 0;
    std::int64_t lag = -1;
    bool* kept = nullptr;
    std::size_t cost = 0;  // series
  };
  static constexpr std::int64_t kNothing = -2;  // no partition has so little lag

  static std::int64_t weight(const Range& range);
  void choose(std::size_t room);
  void remove(core::Batch& batch) const;

  std::size_t max_series_;
  std::function<std::size_t(const core::Labels&)> count_;
  std::vector<Range> ranges_;
  std::size_t not_built_ = 0;  // series, in this cycle
  std::int64_t least_kept_ = kNothing;
};

}  // namespace weir::collectors
