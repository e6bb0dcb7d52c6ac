#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace wakepath::engine {

class Task;

namespace detail {

/// Memory of coroutine frames: a call makes and frees several, so they are kept by size and used again.
[[nodiscard]] void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size);

/// What every coroutine of a task knows: whose it is, and who awaits it. The scheduler's trampoline resumes the task's
/// leaf handle until the task sleeps; a coroutine that ends or awaits only moves the leaf. (Symmetric transfer would be
/// shorter, but overflows the stack with g++ 12 in debug builds and under the address sanitizer.)
struct PromiseBase {
  Task* task = nullptr;
  std::coroutine_handle<> continuation;

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) { free_frame(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::abort(); }  // kernel code does not throw
};

void set_leaf(Task& task, std::coroutine_handle<> leaf);

struct FinalAwaiter {
  bool await_ready() noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> ending) noexcept {
    set_leaf(*ending.promise().task, ending.promise().continuation);
  }
  void await_resume() noexcept {}
};

}  // namespace detail

/// Result of a function that may put its task to sleep: a lazy coroutine. It runs when it is awaited by another one, or
/// when Scheduler::start() is given it. What must not sleep (softirq, timers, wake callbacks) is a plain function, so
/// that code which sleeps there does not compile.
template <class T = void>
class [[nodiscard]] MaySleep;

template <class T>
class [[nodiscard]] MaySleep {
 public:
  struct promise_type : detail::PromiseBase {
    T value{};
    MaySleep get_return_object() { return MaySleep(Handle::from_promise(*this)); }
    detail::FinalAwaiter final_suspend() noexcept { return {}; }
    void return_value(T v) { value = std::move(v); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  MaySleep(MaySleep&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  MaySleep& operator=(MaySleep&&) = delete;
  ~MaySleep() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> caller) {
    handle_.promise().task = caller.promise().task;
    handle_.promise().continuation = caller;
    detail::set_leaf(*handle_.promise().task, handle_);
  }
  T await_resume() { return std::move(handle_.promise().value); }

  // for the scheduler
  [[nodiscard]] Handle handle() const { return handle_; }

 private:
  explicit MaySleep(Handle handle) : handle_(handle) {}
  Handle handle_;
};

template <>
class [[nodiscard]] MaySleep<void> {
 public:
  struct promise_type : detail::PromiseBase {
    MaySleep get_return_object() { return MaySleep(Handle::from_promise(*this)); }
    detail::FinalAwaiter final_suspend() noexcept { return {}; }
    void return_void() {}
  };
  using Handle = std::coroutine_handle<promise_type>;

  MaySleep(MaySleep&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  MaySleep& operator=(MaySleep&&) = delete;
  ~MaySleep() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> caller) {
    handle_.promise().task = caller.promise().task;
    handle_.promise().continuation = caller;
    detail::set_leaf(*handle_.promise().task, handle_);
  }
  void await_resume() {}

 private:
  explicit MaySleep(Handle handle) : handle_(handle) {}
  Handle handle_;
};

}  // namespace wakepath::engine
