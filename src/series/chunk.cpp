#include "series/chunk.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

namespace weir::series {
namespace {

/// `prefix_bits` ones and zeros before a two's complement number of `value_bits`.
struct Width {
  unsigned prefix_bits;
  std::uint64_t prefix;
  unsigned value_bits;

  bool fits(std::int64_t value) const {
    return value >= -(std::int64_t{1} << (value_bits - 1)) && value < (std::int64_t{1} << (value_bits - 1));
  }
};
// Nothing changed is the single bit 0. Cycles start within milliseconds of their tick, hence the short first class.
constexpr std::array<Width, 4> kTimeWidths{{{2, 0b10, 4}, {3, 0b110, 9}, {4, 0b1110, 20}, {4, 0b1111, 32}}};
constexpr std::array<Width, 3> kStepWidths{{{2, 0b10, 6}, {3, 0b110, 12}, {4, 0b1110, 20}}};
// Values that took no step of a whole number follow these: within the last window of significant bits, or a new one.
constexpr std::uint64_t kSameWindow = 0b11110;
constexpr std::uint64_t kNewWindow = 0b11111;
constexpr unsigned kWindowBits = 5;

constexpr unsigned kLargestSample = 4 + 32 + kWindowBits + 5 + 6 + 64;  // bits
constexpr std::size_t kRoom = (kLargestSample + 7) / 8;

/// Reads bits from the highest of each byte on; past the end there are zeros, and overran() tells.
class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes, std::size_t position = 0)
      : bytes_(bytes), position_(position) {}

  /// The next 64 bits, not yet taken.
  std::uint64_t peek() const {
    const std::size_t byte = position_ / 8;
    std::array<std::uint8_t, 9> tail{};
    const std::uint8_t* from = bytes_.data() + byte;
    if (byte + tail.size() > bytes_.size()) {
      if (byte < bytes_.size()) std::memcpy(tail.data(), from, bytes_.size() - byte);
      from = tail.data();
    }
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
    const unsigned skip = position_ % 8;
    return skip == 0 ? word : (word << skip) | (from[8] >> (8 - skip));
  }
  void skip(unsigned bits) { position_ += bits; }
  std::uint64_t take(unsigned bits) {
    const std::uint64_t value = peek() >> (64 - bits);
    position_ += bits;
    return value;
  }
  bool overran() const { return position_ > bytes_.size() * 8; }
  std::size_t bytes_taken() const { return (position_ + 7) / 8; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t position_;
};

/// The number of `width` that follows its prefix at the top of `word`.
std::int64_t number_of(const Width& width, std::uint64_t word) {
  return static_cast<std::int64_t>(word << width.prefix_bits) >> (64 - width.value_bits);
}

class Decoder {
 public:
  Decoder(core::Time first, std::span<const std::uint8_t> bits) : bits_(bits), time_(first) {}
  /// Goes on behind a sample that was decoded before; `at` is a Checkpoint.
  template <class Checkpoint>
  Decoder(const Checkpoint& at, std::span<const std::uint8_t> bits)
      : bits_(bits, at.position),
        time_(at.time),
        value_(at.value),
        delta_(at.delta),
        leading_(at.leading),
        significant_(at.significant) {}

  core::Point first() {
    take_value(bits_.peek());
    return {time_, value_};
  }
  core::Point next() {
    const std::uint64_t word = bits_.peek();
    if ((word >> 62) == 0) {
      bits_.skip(2);  // the same interval, the same value
    } else if ((word >> 63) == 0) {
      bits_.skip(1);
      take_value(word << 1);
    } else {
      take_time(word);
      take_value(bits_.peek());
    }
    time_ += core::Duration(delta_);
    return {time_, value_};
  }
  const BitReader& bits() const { return bits_; }
  bool sound() const { return sound_ && !bits_.overran(); }

 private:
  void take_time(std::uint64_t word) {
    const auto ones = static_cast<unsigned>(std::countl_one(word));
    const Width& width = kTimeWidths[std::min(ones, 4U) - 1];
    delta_ += number_of(width, word);
    bits_.skip(width.prefix_bits + width.value_bits);
  }
  /// `word` holds at least 63 of the bits that come next, of which those that matter here fit.
  void take_value(std::uint64_t word) {
    const auto ones = static_cast<unsigned>(std::countl_one(word));
    if (ones == 0) return bits_.skip(1);
    if (ones <= kStepWidths.size()) {
      const Width& width = kStepWidths[ones - 1];
      value_ += static_cast<double>(number_of(width, word));
      return bits_.skip(width.prefix_bits + width.value_bits);
    }
    bits_.skip(kWindowBits);
    if (ones >= kWindowBits) {
      leading_ = static_cast<unsigned>(bits_.take(5));
      significant_ = static_cast<unsigned>(bits_.take(6));
      if (significant_ == 0) significant_ = 64;
    }
    if (significant_ == 0 || leading_ + significant_ > 64) {
      sound_ = false;
      return;
    }
    const std::uint64_t change = bits_.take(significant_) << (64 - leading_ - significant_);
    value_ = std::bit_cast<double>(std::bit_cast<std::uint64_t>(value_) ^ change);
  }

  BitReader bits_;
  core::Time time_;
  double value_ = 0;
  std::int64_t delta_ = 0;
  unsigned leading_ = 0;
  unsigned significant_ = 0;
  bool sound_ = true;
};

void decode(core::Time first, core::Time last, std::size_t count, std::span<const std::uint8_t> bits, core::Time from,
            core::Time to, std::vector<core::Point>& out) {
  if (count == 0 || first > to || last < from) return;
  Decoder decoder(first, bits);
  core::Point point = decoder.first();
  std::size_t read = 1;
  while (point.time < from && read < count) {
    point = decoder.next();
    ++read;
  }
  if (point.time < from) return;
  while (point.time <= to) {
    out.push_back(point);
    if (read++ == count) return;
    point = decoder.next();
  }
}

}  // namespace

Chunk::Chunk(core::Time first, core::Time last, std::size_t count, std::span<const std::uint8_t> bits) {
  auto* memory = std::allocator<std::byte>().allocate(kHeadBytes + bits.size());
  data_ = std::construct_at(reinterpret_cast<Data*>(memory), first.time_since_epoch().count(),
                            static_cast<std::uint32_t>((last - first).count()), static_cast<std::uint16_t>(count),
                            static_cast<std::uint16_t>(bits.size()), 1U);
  if (!bits.empty()) std::memcpy(memory + kHeadBytes, bits.data(), bits.size());
}

Chunk::Chunk(const Chunk& other) noexcept : data_(other.data_) {
  if (data_ != nullptr) data_->owners.fetch_add(1, std::memory_order_relaxed);
}

void Chunk::release() noexcept {
  if (data_ == nullptr || data_->owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::size_t size = kHeadBytes + data_->bytes;
  std::destroy_at(data_);
  std::allocator<std::byte>().deallocate(const_cast<std::byte*>(reinterpret_cast<const std::byte*>(data_)), size);
}

std::span<const std::uint8_t> Chunk::bits() const {
  return {reinterpret_cast<const std::uint8_t*>(data_) + kHeadBytes, data_->bytes};
}

std::size_t Chunk::bytes() const {
  // The handle, and malloc's own word and rounding.
  return sizeof(Chunk) + (sizeof(std::size_t) + kHeadBytes + data_->bytes + 15U) / 16U * 16U;
}

void Chunk::read(core::Time from, core::Time to, std::vector<core::Point>& out) const {
  decode(first_time(), last_time(), size(), bits(), from, to, out);
}

core::Result<Chunk> Chunk::from_bits(core::Time first, core::Time last, std::size_t count,
                                     std::span<const std::uint8_t> bits) {
  if (count == 0 || count > kCapacity) return core::fail(core::ErrorKind::invalid, "a chunk of no possible size");
  if (bits.size() > (count * kLargestSample + 7) / 8)
    return core::fail(core::ErrorKind::invalid, "a chunk with more bits than its samples can take");
  constexpr core::Time kFarthest(core::Duration(std::int64_t{1} << 60U));  // so that no difference overflows
  if (first > kFarthest || first < core::Time(-kFarthest.time_since_epoch()) || last < first || last > kFarthest ||
      last - first > kSpan)
    return core::fail(core::ErrorKind::invalid, "a chunk of no possible span of time");
  Decoder decoder(first, bits);
  core::Time time = decoder.first().time;
  for (std::size_t i = 1; i < count; ++i) {
    const core::Point point = decoder.next();
    if (point.time <= time || point.time > last || !decoder.sound())
      return core::fail(core::ErrorKind::invalid, "a chunk whose samples are not in order");
    time = point.time;
  }
  if (!decoder.sound() || time != last || decoder.bits().bytes_taken() != bits.size())
    return core::fail(core::ErrorKind::invalid, "a chunk that does not end where it says");
  return Chunk(first, last, count, bits);
}

/// `value` has no more than `bits` bits.
void ChunkBuilder::put(std::uint64_t value, unsigned bits) {
  if (free_bits_ > 0) {
    const unsigned now = std::min<unsigned>(free_bits_, bits);
    bits -= now;
    free_bits_ = static_cast<std::uint8_t>(free_bits_ - now);
    bits_.back() = static_cast<std::uint8_t>(bits_.back() | ((value >> bits) << free_bits_));
  }
  while (bits >= 8) {
    bits -= 8;
    bits_.push_back(static_cast<std::uint8_t>(value >> bits));
  }
  if (bits == 0) return;
  free_bits_ = static_cast<std::uint8_t>(8 - bits);
  bits_.push_back(static_cast<std::uint8_t>(value << free_bits_));
}

void ChunkBuilder::put_time(std::int64_t delta_of_delta) {
  if (delta_of_delta == 0) return put(0, 1);
  const auto width = std::ranges::find_if(kTimeWidths, [&](const Width& w) { return w.fits(delta_of_delta); });
  const std::uint64_t low = static_cast<std::uint64_t>(delta_of_delta) & ((1ULL << width->value_bits) - 1);
  put((width->prefix << width->value_bits) | low, width->prefix_bits + width->value_bits);
}

void ChunkBuilder::put_value(double value) {
  const std::uint64_t change = std::bit_cast<std::uint64_t>(value) ^ std::bit_cast<std::uint64_t>(last_value_);
  if (change == 0) return put(0, 1);
  const double step = value - last_value_;
  if (step > -524'288.0 && step < 524'288.0) {
    const auto whole = static_cast<std::int64_t>(step);
    // What a reader adds must give the very same bits: -0 and fractions do not.
    const double again = last_value_ + static_cast<double>(whole);
    if (std::bit_cast<std::uint64_t>(again) == std::bit_cast<std::uint64_t>(value)) {
      const auto width = std::ranges::find_if(kStepWidths, [&](const Width& w) { return w.fits(whole); });
      const std::uint64_t low = static_cast<std::uint64_t>(whole) & ((1ULL << width->value_bits) - 1);
      return put((width->prefix << width->value_bits) | low, width->prefix_bits + width->value_bits);
    }
  }
  put_changed_bits(change);
}

void ChunkBuilder::put_changed_bits(std::uint64_t change) {
  const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(change)), 31U);
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  if (leading_ != 0xff && leading >= leading_ && trailing >= trailing_) {
    put(kSameWindow, kWindowBits);
    return put(change >> trailing_, 64U - leading_ - trailing_);
  }
  leading_ = static_cast<std::uint8_t>(leading);
  trailing_ = static_cast<std::uint8_t>(trailing);
  const unsigned significant = 64 - leading - trailing;
  put((kNewWindow << 11U) | (leading << 6U) | (significant & 63U), kWindowBits + 11);  // 64 is written as 0
  put(change >> trailing, significant);
}

void ChunkBuilder::append(core::Point point) {
  // By a quarter rather than doubled: most of the bytes that are not in closed chunks are here.
  if (bits_.capacity() - bits_.size() < kRoom) bits_.reserve(bits_.size() + std::max(kRoom * 2, bits_.size() / 4));
  if (count_ == 0) {
    first_ = point.time;
  } else {
    const std::int64_t delta = (point.time - last_time_).count();
    put_time(delta - last_delta_);
    last_delta_ = static_cast<std::int32_t>(delta);
  }
  put_value(point.value);
  last_time_ = point.time;
  last_value_ = point.value;
  if (++count_ % kCheckpoint != 0) return;
  if (!checkpoints_) checkpoints_ = std::make_unique<Checkpoints>();
  checkpoints_->older = checkpoints_->newer;
  checkpoints_->newer = {.time = last_time_,
                         .value = last_value_,
                         .delta = last_delta_,
                         .count = count_,
                         .position = static_cast<std::uint16_t>(bits_.size() * 8 - free_bits_),
                         .leading = static_cast<std::uint8_t>(leading_ == 0xff ? 0 : leading_),
                         .significant = static_cast<std::uint8_t>(leading_ == 0xff ? 0 : 64 - leading_ - trailing_)};
}

Chunk ChunkBuilder::seal() const { return Chunk(first_, last_time_, count_, bits_); }

/// The later of those that lie before `from`, if any.
const ChunkBuilder::Checkpoint* ChunkBuilder::checkpoint_before(core::Time from) const {
  if (!checkpoints_) return nullptr;
  const auto& [older, newer] = *checkpoints_;
  if (newer.time < from) return &newer;
  return older.count > 0 && older.time < from ? &older : nullptr;
}

bool ChunkBuilder::reads_fast(core::Time from) const {
  return count_ <= 2 * kCheckpoint || checkpoint_before(from) != nullptr;
}

void ChunkBuilder::read(core::Time from, core::Time to, std::vector<core::Point>& out) const {
  const Checkpoint* start = checkpoint_before(from);
  if (start == nullptr) return decode(first_, last_time_, count_, bits_, from, to, out);
  Decoder decoder(*start, bits_);
  for (std::uint16_t i = start->count; i < count_; ++i) {
    const core::Point point = decoder.next();
    if (point.time > to) return;
    if (point.time >= from) out.push_back(point);
  }
}

}  // namespace weir::series
