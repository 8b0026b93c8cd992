#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace weir::core {

/// Bytes in one allocation together with the count of their owners: 8 bytes more than they are, and a handle of 8,
/// where a shared_ptr takes 40 in all. Whoever makes them fills them, before there is a second owner; from then on
/// they are immutable, and owners may be on any thread.
class SharedBytes {
 public:
  SharedBytes() = default;
  /// Zeroes; `size` is at least 1.
  explicit SharedBytes(std::uint32_t size) : block_(Allocator().allocate(words(size))) {
    std::uninitialized_value_construct_n(block_ + 1, words(size) - 1);
    std::construct_at(head(), 1, size);
  }
  SharedBytes(const SharedBytes& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) head()->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() {
    // What the last owner frees must have been read by all others.
    if (block_ == nullptr || head()->owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::size_t count = words(head()->size);
    std::destroy_at(head());
    Allocator().deallocate(block_, count);
  }

  explicit operator bool() const { return block_ != nullptr; }
  bool operator==(const SharedBytes& other) const = default;  // the very same bytes
  std::uint32_t size() const { return head()->size; }
  /// Aligned for a 64-bit number.
  const char* data() const { return reinterpret_cast<const char*>(block_ + 1); }
  char* fill() { return reinterpret_cast<char*>(block_ + 1); }

 private:
  struct Head {
    Head(std::uint32_t first, std::uint32_t bytes) : owners(first), size(bytes) {}
    std::atomic<std::uint32_t> owners;
    std::uint32_t size;
  };
  static_assert(sizeof(Head) == sizeof(std::uint64_t));
  using Allocator = std::allocator<std::uint64_t>;

  static std::size_t words(std::uint32_t size) { return 1 + (static_cast<std::size_t>(size) + 7) / 8; }
  Head* head() const { return reinterpret_cast<Head*>(block_); }

  std::uint64_t* block_ = nullptr;
};

}  // namespace weir::core
