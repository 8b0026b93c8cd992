#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/series_source.h"
#include "core/time.h"

namespace weir::series {

/// A run of samples of one series, compressed as in "Gorilla: A Fast, Scalable, In-Memory Time Series
/// Database" (Pelkonen et al., VLDB 2015): delta-of-delta times in milliseconds, XORed values. Append only.
class Chunk {
 public:
  /// Samples in one chunk at the most; a full one is closed and the next begun.
  static constexpr std::uint16_t kCapacity = 120;

  /// `time` must be later than last().time, and the chunk not full.
  void append(core::Point point);

  bool empty() const { return count_ == 0; }
  bool full() const { return count_ >= kCapacity; }
  std::uint16_t size() const { return count_; }
  core::Time first_time() const { return first_; }
  core::Point last() const { return {last_time_, last_value_}; }
  /// Heap bytes held.
  std::size_t bytes() const { return bits_.capacity(); }
  /// Gives back spare capacity, once full.
  void seal() { bits_.shrink_to_fit(); }

  /// Appends the points within [from, to] to `out`, in order.
  void read(core::Time from, core::Time to, std::vector<core::Point>& out) const;

 private:
  void put(std::uint64_t value, unsigned bits);
  void put_time(std::int64_t delta_of_delta);
  void put_value(double value);

  std::vector<std::uint8_t> bits_;
  core::Time first_;
  core::Time last_time_;
  double last_value_ = 0;
  std::int64_t last_delta_ = 0;
  std::uint16_t count_ = 0;
  std::uint8_t free_bits_ = 0;   // unused bits of the last byte
  std::uint8_t leading_ = 0xff;  // of the window of significant bits; 0xff before the first
  std::uint8_t trailing_ = 0;
};

}  // namespace weir::series
