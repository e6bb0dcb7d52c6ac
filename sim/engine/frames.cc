// The pool of coroutine frames. One for each thread: a model belongs to one thread at a time, and a frame that is freed
// on another goes into that one's pool, which is as good. Under the address sanitizer every frame is its own, so that
// a use after its end is seen.
#include <array>
#include <new>

#include "sim/engine/may_sleep.hh"

namespace wakepath::engine::detail {

namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 32;  // frames of up to 2 KiB

thread_local bool pool_is_gone = false;

struct FramePool {
  struct Free {
    Free* next;
  };
  std::array<Free*, kClasses> free{};

  ~FramePool() {
    pool_is_gone = true;
    for (Free* frame : free)
      while (frame != nullptr) {
        Free* next = frame->next;
        ::operator delete(frame);
        frame = next;
      }
  }
};

thread_local FramePool pool;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

}  // namespace

void* allocate_frame(std::size_t size) {
  std::size_t size_class = (size - 1) / kStep;
  if (!kPooled || size_class >= kClasses || pool_is_gone) return ::operator new(size);
  FramePool::Free*& first = pool.free[size_class];
  if (first == nullptr) return ::operator new((size_class + 1) * kStep);
  FramePool::Free* frame = first;
  first = frame->next;
  return frame;
}

void free_frame(void* frame, std::size_t size) {
  std::size_t size_class = (size - 1) / kStep;
  if (!kPooled || size_class >= kClasses || pool_is_gone) return ::operator delete(frame);
  pool.free[size_class] = new (frame) FramePool::Free{pool.free[size_class]};
}

}  // namespace wakepath::engine::detail
