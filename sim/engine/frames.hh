#pragma once

#include <array>
#include <cstddef>
#include <new>

#include "sim/record/poison.hh"

/// Memory of coroutine frames: a call makes and frees several, so they are kept by size and used again. One pool for
/// each thread: a model belongs to one thread at a time, and a frame that is freed on another goes into that one's
/// pool, which is as good. Under the address sanitizer every frame is its own, so that a use after its end is seen.

namespace wakepath::engine::detail {

constexpr std::size_t kFrameStep = 64;
constexpr std::size_t kFrameClasses = 32;  ///< frames of up to 2 KiB

struct FreeFrame {
  FreeFrame* next;
};
/// By size; nothing of it has to be made or taken down by the thread, so that looking is cheap.
inline thread_local constinit std::array<FreeFrame*, kFrameClasses> free_frames{};

/// Of a size that is not kept, or when there is none.
[[nodiscard]] void* new_frame(std::size_t size);

constexpr bool kFramesPooled = !record::kPoisons;

[[nodiscard]] inline void* allocate_frame(std::size_t size) {
  std::size_t size_class = (size - 1) / kFrameStep;
  if (!kFramesPooled || size_class >= kFrameClasses || free_frames[size_class] == nullptr) return new_frame(size);
  FreeFrame* frame = free_frames[size_class];
  free_frames[size_class] = frame->next;
  return frame;
}

inline void free_frame(void* frame, std::size_t size) {
  std::size_t size_class = (size - 1) / kFrameStep;
  if (!kFramesPooled || size_class >= kFrameClasses) return ::operator delete(frame);
  free_frames[size_class] = new (frame) FreeFrame{free_frames[size_class]};
}

}  // namespace wakepath::engine::detail
