#include "series/chunk.h"

#include <algorithm>
#include <array>
#include <bit>

namespace weir::series {
namespace {

struct TimeClass {
  unsigned prefix_bits;
  std::uint64_t prefix;
  unsigned value_bits;
};
// For a delta of deltas that does not fit the earlier class; a delta of zero is the single bit 0.
constexpr std::array<TimeClass, 4> kTimeClasses{{{2, 0b10, 14}, {3, 0b110, 17}, {4, 0b1110, 20}, {4, 0b1111, 64}}};

bool fits(std::int64_t value, unsigned bits) {
  return bits == 64 || (value >= -(std::int64_t{1} << (bits - 1)) && value < (std::int64_t{1} << (bits - 1)));
}

class BitReader {
 public:
  explicit BitReader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  std::uint64_t take(unsigned bits) {
    std::uint64_t value = 0;
    while (bits > 0) {
      const unsigned left = 8 - position_ % 8;
      const unsigned now = std::min(left, bits);
      const std::uint8_t byte = bytes_[position_ / 8];
      value = (value << now) | ((byte >> (left - now)) & ((1U << now) - 1U));
      position_ += now;
      bits -= now;
    }
    return value;
  }

 private:
  const std::vector<std::uint8_t>& bytes_;
  std::size_t position_ = 0;
};

std::int64_t sign_extend(std::uint64_t value, unsigned bits) {
  if (bits == 64) return static_cast<std::int64_t>(value);
  const unsigned shift = 64 - bits;
  return static_cast<std::int64_t>(value << shift) >> shift;
}

std::int64_t take_delta_of_delta(BitReader& bits) {
  if (bits.take(1) == 0) return 0;
  std::size_t index = 0;
  while (index < 3 && bits.take(1) == 1) ++index;
  const unsigned width = kTimeClasses[index].value_bits;
  return sign_extend(bits.take(width), width);
}

struct ValueState {
  std::uint64_t value = 0;
  unsigned leading = 0;
  unsigned significant = 0;
};

void take_value(BitReader& bits, ValueState& state) {
  if (bits.take(1) == 0) return;
  if (bits.take(1) == 1) {
    state.leading = static_cast<unsigned>(bits.take(5));
    state.significant = static_cast<unsigned>(bits.take(6));
    if (state.significant == 0) state.significant = 64;
  }
  state.value ^= bits.take(state.significant) << (64 - state.leading - state.significant);
}

}  // namespace

void Chunk::put(std::uint64_t value, unsigned bits) {
  while (bits > 0) {
    if (free_bits_ == 0) {
      bits_.push_back(0);
      free_bits_ = 8;
    }
    const unsigned now = std::min<unsigned>(free_bits_, bits);
    const std::uint64_t part = (value >> (bits - now)) & ((1ULL << now) - 1ULL);
    bits_.back() = static_cast<std::uint8_t>(bits_.back() | (part << (free_bits_ - now)));
    free_bits_ = static_cast<std::uint8_t>(free_bits_ - now);
    bits -= now;
  }
}

void Chunk::put_time(std::int64_t delta_of_delta) {
  if (delta_of_delta == 0) return put(0, 1);
  for (const TimeClass& width : kTimeClasses) {
    if (!fits(delta_of_delta, width.value_bits)) continue;
    put(width.prefix, width.prefix_bits);
    return put(static_cast<std::uint64_t>(delta_of_delta), width.value_bits);
  }
}

void Chunk::put_value(double value) {
  const std::uint64_t change = std::bit_cast<std::uint64_t>(value) ^ std::bit_cast<std::uint64_t>(last_value_);
  if (change == 0) return put(0, 1);
  const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(change)), 31U);
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  if (leading_ != 0xff && leading >= leading_ && trailing >= trailing_) {
    put(0b10, 2);
    return put(change >> trailing_, 64U - leading_ - trailing_);
  }
  leading_ = static_cast<std::uint8_t>(leading);
  trailing_ = static_cast<std::uint8_t>(trailing);
  const unsigned significant = 64 - leading - trailing;
  put(0b11, 2);
  put(leading, 5);
  put(significant & 63U, 6);  // 64 is written as 0, which cannot occur
  put(change >> trailing, significant);
}

void Chunk::append(core::Point point) {
  if (count_ == 0) {
    first_ = point.time;
    put(std::bit_cast<std::uint64_t>(point.value), 64);
  } else {
    const std::int64_t delta = (point.time - last_time_).count();
    put_time(delta - last_delta_);
    put_value(point.value);
    last_delta_ = delta;
  }
  last_time_ = point.time;
  last_value_ = point.value;
  ++count_;
}

void Chunk::read(core::Time from, core::Time to, std::vector<core::Point>& out) const {
  if (count_ == 0 || first_ > to || last_time_ < from) return;
  BitReader bits(bits_);
  ValueState state;
  state.value = bits.take(64);
  core::Time time = first_;
  std::int64_t delta = 0;
  for (std::uint16_t i = 0; i < count_; ++i) {
    if (i > 0) {
      delta += take_delta_of_delta(bits);
      time += core::Duration(delta);
      take_value(bits, state);
    }
    if (time > to) return;
    if (time >= from) out.push_back({time, std::bit_cast<double>(state.value)});
  }
}

}  // namespace weir::series
