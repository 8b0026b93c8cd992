#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/series_source.h"
#include "core/time.h"

namespace weir::series {

/// A closed run of samples of one series: immutable, one shared allocation, so copies are cheap and safe between
/// threads. Compressed as in "Gorilla: A Fast, Scalable, In-Memory Time Series Database" (Pelkonen et al., VLDB
/// 2015): delta-of-delta times in milliseconds, XORed values; and a whole-numbered step from the value before, as
/// lags and offsets make, takes its own short forms.
class Chunk {
 public:
  /// Samples in one chunk at the most, and the longest span between the first and the last.
  static constexpr std::uint16_t kCapacity = 240;
  static constexpr core::Duration kSpan = std::chrono::hours(2);

  /// The chunk whose bits() were written down. Errors: bits that are not exactly `count` samples in order, from
  /// `first` to `last` (invalid).
  static core::Result<Chunk> from_bits(core::Time first, core::Time last, std::size_t count,
                                       std::span<const std::uint8_t> bits);

  Chunk(const Chunk& other) noexcept;
  Chunk(Chunk&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  Chunk& operator=(Chunk other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~Chunk() { release(); }

  std::uint16_t size() const { return data_->count; }
  core::Time first_time() const { return core::Time(core::Duration(data_->first)); }
  core::Time last_time() const { return first_time() + core::Duration(data_->span); }
  std::span<const std::uint8_t> bits() const;
  /// Memory held, what describes it included.
  std::size_t bytes() const;

  /// Appends the points within [from, to] to `out`, in order.
  void read(core::Time from, core::Time to, std::vector<core::Point>& out) const;

 private:
  friend class ChunkBuilder;
  // A shared_ptr would take 40 bytes more a chunk, a sixth of a byte a sample. The bits follow.
  struct Data {
    std::int64_t first;
    std::uint32_t span;
    std::uint16_t count;
    std::uint16_t bytes;
    mutable std::atomic<std::uint32_t> owners;
  };
  static constexpr std::size_t kHeadBytes = sizeof(Data);

  Chunk(core::Time first, core::Time last, std::size_t count, std::span<const std::uint8_t> bits);
  void release() noexcept;

  const Data* data_ = nullptr;  // none once moved from
};

/// The run of samples that a series is appending to. Not safe between threads.
class ChunkBuilder {
 public:
  /// Whether a sample at `time` may be appended: it is later than the last, and the chunk takes more.
  bool accepts(core::Time time) const {
    return count_ == 0 || (count_ < Chunk::kCapacity && time > last_time_ && time - first_ <= Chunk::kSpan);
  }
  /// Needs accepts(point.time).
  void append(core::Point point);

  bool empty() const { return count_ == 0; }
  std::uint16_t size() const { return count_; }
  core::Time first_time() const { return first_; }
  core::Point last() const { return {last_time_, last_value_}; }
  /// Heap bytes held.
  std::size_t bytes() const { return bits_.capacity(); }

  /// A copy that no longer changes. Not empty.
  Chunk seal() const;
  /// Appends the points within [from, to] to `out`, in order.
  void read(core::Time from, core::Time to, std::vector<core::Point>& out) const;
  /// Whether read() from `from` on decodes no more than 2 * kCheckpoint samples.
  bool reads_fast(core::Time from) const;

  static constexpr std::uint16_t kCheckpoint = 48;  // samples from one to the next

 private:
  /// Where decoding may begin: what is known once sample number `count` has been decoded.
  struct Checkpoint {
    core::Time time;
    double value = 0;
    std::int32_t delta = 0;
    std::uint16_t count = 0;  // 0: none yet
    std::uint16_t position = 0;
    std::uint8_t leading = 0;
    std::uint8_t significant = 0;
  };
  /// The last two: most queries want the last minutes.
  struct Checkpoints {
    Checkpoint older;
    Checkpoint newer;
  };
  const Checkpoint* checkpoint_before(core::Time from) const;

  void put(std::uint64_t value, unsigned bits);
  void put_time(std::int64_t delta_of_delta);
  void put_value(double value);
  void put_changed_bits(std::uint64_t change);

  std::vector<std::uint8_t> bits_;
  std::unique_ptr<Checkpoints> checkpoints_;  // none before the first: short runs are most of them after a start
  core::Time first_;
  core::Time last_time_;
  double last_value_ = 0;
  std::int32_t last_delta_ = 0;
  std::uint16_t count_ = 0;
  std::uint8_t free_bits_ = 0;   // unused bits of the last byte
  std::uint8_t leading_ = 0xff;  // of the window of significant bits; 0xff before the first
  std::uint8_t trailing_ = 0;
};

}  // namespace weir::series
