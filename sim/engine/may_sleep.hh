#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "sim/engine/pool.hh"

namespace wakepath::engine {

namespace detail {

/// What the coroutines of the running task need to know, and whoever makes one. One for each thread: a model belongs to
/// one thread at a time, and runs one task at a time.
struct Running {
  /// The running task's: what the scheduler's trampoline resumes next.
  std::coroutine_handle<>* leaf = nullptr;
  /// Below it no coroutine begins on its caller's stack; all ones: none does anywhere.
  std::uintptr_t stack_floor = ~std::uintptr_t{0};
};
inline thread_local constinit Running running;

/// What every coroutine of a task knows: who awaits it.
///
/// A coroutine that is made by a running one begins at once, on its stack, as a plain call does; when it ends without
/// having slept, nobody was suspended and nothing remains to be done. Once it sleeps, all below it unwind, each knowing
/// who awaits it, and from then on the scheduler's trampoline resumes the innermost: one that ends moves the task's
/// leaf to whoever awaits it. The first of a task, and those for which there is no stack left, begin from the
/// trampoline, too. (Symmetric transfer would be shorter, but overflows the stack with g++ 12 in debug builds and under
/// the address sanitizer.)
struct PromiseBase {
  std::coroutine_handle<> continuation;
  bool begun = false;

  static void* operator new(std::size_t size) { return pool_alloc(size); }
  static void operator delete(void* frame, std::size_t size) { pool_free(frame, size); }

  struct Begin {
    PromiseBase& promise;
    bool await_ready() const noexcept {
      return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) > running.stack_floor;
    }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept { promise.begun = true; }
  };
  struct End {
    PromiseBase& promise;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept { *running.leaf = promise.continuation; }
    void await_resume() const noexcept {}
  };

  Begin initial_suspend() noexcept { return {*this}; }
  End final_suspend() noexcept { return {*this}; }
  void unhandled_exception() noexcept { std::abort(); }  // kernel code does not throw

  /// `caller` awaits it, which has not ended.
  void await(std::coroutine_handle<> self, std::coroutine_handle<> caller) {
    continuation = caller;
    if (!begun) *running.leaf = self;
  }
};

/// Beside it, what the coroutine returns.
template <class T>
struct Promise : PromiseBase {
  T value{};
  void return_value(T v) { value = std::move(v); }
  T take() { return std::move(value); }
};
template <>
struct Promise<void> : PromiseBase {
  void return_void() {}
  void take() {}
};

}  // namespace detail

/// Result of a function that may put its task to sleep: a coroutine, to be awaited where it is made, or given to
/// Scheduler::start(), which begins it. What must not sleep (softirq, timers, wake callbacks) is a plain function, so
/// that code which sleeps there does not compile.
template <class T = void>
class [[nodiscard]] MaySleep {
 public:
  struct promise_type : detail::Promise<T> {
    MaySleep get_return_object() { return MaySleep(Handle::from_promise(*this)); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  MaySleep(MaySleep&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  MaySleep& operator=(MaySleep&&) = delete;
  ~MaySleep() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> caller) { handle_.promise().await(handle_, caller); }
  T await_resume() { return handle_.promise().take(); }

  // for the scheduler
  [[nodiscard]] Handle handle() const { return handle_; }

 private:
  explicit MaySleep(Handle handle) : handle_(handle) {}
  Handle handle_;
};

}  // namespace wakepath::engine
