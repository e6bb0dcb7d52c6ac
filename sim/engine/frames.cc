#include "sim/engine/frames.hh"

namespace wakepath::engine::detail {

namespace {

/// Gives a thread's frames back when it ends. Those that are freed later still, by what else the thread takes down,
/// stay: a handful at most.
struct Sweeper {
  ~Sweeper() {
    for (FreeFrame*& first : free_frames)
      while (first != nullptr) {
        FreeFrame* frame = first;
        first = frame->next;
        ::operator delete(frame);
      }
  }
};

}  // namespace

void* new_frame(std::size_t size) {
  [[maybe_unused]] thread_local Sweeper sweeper;
  return ::operator new((size + kFrameStep - 1) / kFrameStep * kFrameStep);
}

}  // namespace wakepath::engine::detail
