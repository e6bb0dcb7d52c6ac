#include "sim/engine/pool.hh"

namespace wakepath::engine::detail {

namespace {

/// Gives a thread's pieces back when it ends. Those that are freed later still, by what else the thread takes down,
/// stay: a handful at most.
struct Sweeper {
  ~Sweeper() {
    for (FreePiece*& first : free_pieces)
      while (first != nullptr) {
        FreePiece* piece = first;
        first = piece->next;
        ::operator delete(piece);
      }
  }
};

}  // namespace

void* new_piece(std::size_t size) {
  [[maybe_unused]] thread_local Sweeper sweeper;
  return ::operator new((size + kPoolStep - 1) / kPoolStep * kPoolStep);
}

void delete_piece(void* piece) { ::operator delete(piece); }

}  // namespace wakepath::engine::detail
