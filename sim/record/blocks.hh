#pragma once

#include <cstddef>
#include <cstdint>

/// Where recorded objects live: blocks of one size, all in one range of addresses of the process. So a block is found
/// from any address inside, and 32 bits are enough to point from one object to another.

namespace wakepath::record {

/// Blocks have this size and are aligned to it.
constexpr std::size_t kBlockBytes = 64 * 1024;

/// A block, with whatever its last owner left in it. Any thread. Throws std::bad_alloc.
[[nodiscard]] std::byte* take_block();
/// All of it may be poisoned (poison.hh).
void give_back_block(std::byte* block);

namespace detail {
/// Where the range begins; set before the first block is taken.
inline std::byte* block_range = nullptr;
/// Ends the program: a fault of its own.
[[noreturn]] void not_in_a_block();
}  // namespace detail

/// A pointer to something that stands in a block, or nullptr, in half the room. `T` is aligned to 4 bytes.
template <class T>
class ShortPtr {
 public:
  constexpr ShortPtr() = default;
  ShortPtr(T* target) {  // NOLINT: converts as a pointer does
    if (target == nullptr) return;
    std::uintptr_t distance = address(target) - address(detail::block_range);
    if (distance % kUnit != 0 || distance / kUnit > ~std::uint32_t{0}) detail::not_in_a_block();
    units_ = static_cast<std::uint32_t>(distance / kUnit);
  }
  operator T*() const {  // NOLINT
    return units_ != 0 ? reinterpret_cast<T*>(detail::block_range + std::size_t{units_} * kUnit) : nullptr;
  }
  [[nodiscard]] T* get() const { return *this; }

 private:
  static constexpr std::size_t kUnit = 4;
  static std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

  std::uint32_t units_ = 0;  // no object stands at the very beginning of a block: there is the block's head
};

}  // namespace wakepath::record
