#pragma once

#include <bit>
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
    if (target != nullptr) units_ = units_of(target);
  }
  /// Of a target that is not nullptr: one question less.
  [[nodiscard]] static ShortPtr to(T* target) {
    ShortPtr made;
    made.units_ = units_of(target);
    return made;
  }
  operator T*() const { return units_ != 0 ? target() : nullptr; }  // NOLINT
  [[nodiscard]] T* get() const { return *this; }
  /// When it is not nullptr.
  [[nodiscard]] T* target() const { return reinterpret_cast<T*>(detail::block_range + std::size_t{units_} * kUnit); }
  [[nodiscard]] bool null() const { return units_ == 0; }
  [[nodiscard]] bool same_as(ShortPtr other) const { return units_ == other.units_; }

 private:
  static constexpr std::size_t kUnit = 4;

  static std::uint32_t units_of(T* target) {
    std::uint64_t distance =
        reinterpret_cast<std::uintptr_t>(target) - reinterpret_cast<std::uintptr_t>(detail::block_range);
    std::uint64_t units = std::rotr(distance, 2);  // what must be 0 stands above what can be kept
    if (units > ~std::uint32_t{0}) detail::not_in_a_block();
    return static_cast<std::uint32_t>(units);
  }

  std::uint32_t units_ = 0;  // no object stands at the very beginning of a block: there is the block's head
};

}  // namespace wakepath::record
