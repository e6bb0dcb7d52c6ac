#pragma once

#include <array>
#include <cstddef>
#include <new>

#include "sim/record/poison.hh"

/// Small memory that comes and goes with every call: coroutine frames, the data of segments. It is kept by size and
/// used again. One pool for each thread: a model belongs to one thread at a time, and what is given back on another
/// goes into that one's pool, which is as good. Under the address sanitizer every piece is its own, so that a use after
/// its end is seen.

namespace wakepath::engine {

namespace detail {

constexpr std::size_t kPoolStep = 64;
constexpr std::size_t kPoolClasses = 32;  ///< pieces of up to 2 KiB

struct FreePiece {
  FreePiece* next;
};
/// By size; nothing of it has to be made or taken down by the thread, so that looking is cheap.
inline thread_local constinit std::array<FreePiece*, kPoolClasses> free_pieces{};

/// Of a size that is not kept, or when there is none.
[[nodiscard]] void* new_piece(std::size_t size);
/// One of a size that is not kept.
void delete_piece(void* piece);

constexpr bool kPooled = !record::kPoisons;

}  // namespace detail

/// `size` bytes, at least one, aligned as by operator new. To be given back by pool_free() with the same size.
[[nodiscard]] inline void* pool_alloc(std::size_t size) {
  std::size_t size_class = (size - 1) / detail::kPoolStep;
  if (!detail::kPooled || size_class >= detail::kPoolClasses || detail::free_pieces[size_class] == nullptr)
    return detail::new_piece(size);
  detail::FreePiece* piece = detail::free_pieces[size_class];
  detail::free_pieces[size_class] = piece->next;
  return piece;
}

inline void pool_free(void* piece, std::size_t size) {
  std::size_t size_class = (size - 1) / detail::kPoolStep;
  if (!detail::kPooled || size_class >= detail::kPoolClasses) return detail::delete_piece(piece);
  detail::free_pieces[size_class] = new (piece) detail::FreePiece{detail::free_pieces[size_class]};
}

}  // namespace wakepath::engine
